// SPDX-License-Identifier: Apache-2.0
// /proc/PID/mem: the process's memory at its addresses, as a tracer reaches it, /proc/PID/pagemap and
// /proc/PID/syscall. Who may trace the process may open them (proc_pid_mem(5)). An open file stays with the memory that
// the process had then, but does not keep it: when that is gone, it is empty.
#include "kernel/arch/trap_frame.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/trace.hpp"

namespace uni::fs::procfs {
namespace {

using mm::AddressSpace;

// The memory that a process had when the file was opened. Its vDSO's random place tells it from a later one at the same
// address.
class MemoryOfOpen {
 public:
  MemoryOfOpen(RefPtr<Process> process, AddressSpace& space)
      : process_(move(process)), then_(&space), vdso_(space.vdso_address) {}
  // Null when it is gone.
  RefPtr<AddressSpace> memory() const {
    LockGuard guard(process_->lock);
    AddressSpace* now = process_->space.get();
    if (now != then_ || now == nullptr || now->vdso_address != vdso_) return {};
    return RefPtr<AddressSpace>(now);
  }

 private:
  RefPtr<Process> process_;
  const AddressSpace* then_;
  u64 vdso_;
};

class MemoryFile final : public File {
 public:
  MemoryFile(RefPtr<Process> process, AddressSpace& space, u32 flags)
      : File(FileKind::kOther, flags), of_(move(process), space) {}
  Result<usize> read(IoCursor& to, u64 at) override {
    const RefPtr<AddressSpace> space = of_.memory();
    if (!space) return usize{0};
    char buffer[kPiece];
    usize done = 0;
    while (to.remaining() > 0) {
      const usize got =
          space->access(at + done, buffer, min(sizeof buffer, to.remaining()), AddressSpace::Remote::kForceRead);
      if (got == 0) break;
      const auto put = to.put(buffer, got);
      if (!put.ok()) return done > 0 ? Result<usize>(done) : put.error();
      done += put.value();
      if (put.value() < got) break;
    }
    if (done == 0 && to.remaining() > 0) return Errno::Io;
    return done;
  }
  Result<usize> write(IoCursor& from, u64 at) override {
    const RefPtr<AddressSpace> space = of_.memory();
    if (!space) return usize{0};
    char buffer[kPiece];
    const bool asked = from.remaining() > 0;
    usize done = 0;
    while (from.remaining() > 0) {
      const auto taken = from.take(buffer, min(sizeof buffer, from.remaining()));
      if (!taken.ok()) return done > 0 ? Result<usize>(done) : taken.error();
      const usize put = space->access(at + done, buffer, taken.value(), AddressSpace::Remote::kForceWrite);
      done += put;
      if (put < taken.value() || put == 0) break;
    }
    if (done == 0 && asked) return Errno::Io;
    return done;
  }
  bool seekable() const override { return true; }
  // position_lock is held. Addresses are no sizes: nothing is out of range but what is behind them all.
  Result<u64> seek(i64 wanted, int whence) override {
    if (whence != 0 && whence != 1) return Errno::Invalid;
    position = whence == 0 ? static_cast<u64>(wanted) : position + static_cast<u64>(wanted);
    return u64{position};
  }

 private:
  static constexpr usize kPiece = 1024;
  MemoryOfOpen of_;
};

// /proc/PID/pagemap (proc_pid_pagemap(5)): eight bytes a page. Frames have no numbers here, as for a program without
// CAP_SYS_ADMIN.
class PageMapFile final : public File {
 public:
  PageMapFile(RefPtr<Process> process, AddressSpace& space, u32 flags)
      : File(FileKind::kOther, flags), of_(move(process), space) {}
  Result<usize> read(IoCursor& to, u64 at) override {
    const RefPtr<AddressSpace> space = of_.memory();
    if (!space) return usize{0};
    if (at % sizeof(u64) != 0 || to.remaining() % sizeof(u64) != 0) return Errno::Invalid;
    usize done = 0;
    const u64 last = kUserEnd >> kPageShift;
    for (u64 page = at / sizeof(u64); page < last && to.remaining() > 0; page += kEntries) {
      u64 entries[kEntries];
      const usize count = min<usize>(min<usize>(kEntries, to.remaining() / sizeof(u64)), last - page);
      describe(*space, page << kPageShift, entries, count);
      // SAFETY: the entries as bytes.
      const usize put = TRY(to.put(reinterpret_cast<const char*>(entries), count * sizeof(u64)));
      done += put;
      if (put < count * sizeof(u64)) break;
    }
    return done;
  }
  bool seekable() const override { return true; }
  Result<u64> seek(i64 wanted, int whence) override {
    if ((whence != 0 && whence != 1) || wanted < 0) return Errno::Invalid;
    position = whence == 0 ? static_cast<u64>(wanted) : position + static_cast<u64>(wanted);
    return u64{position};
  }

 private:
  static constexpr usize kEntries = 128;
  static void describe(AddressSpace& space, u64 start, u64* entries, usize count) {
    constexpr u64 kPresent = u64{1} << 63, kFile = u64{1} << 61;
    const u64 end = start + (count << kPageShift);
    __builtin_memset(entries, 0, count * sizeof(u64));
    for (u64 at = start; (at = space.next_present(at, end, AddressSpace::Present::kAny)) < end; at += kPageSize) {
      const bool own = space.next_present(at, at + kPageSize, AddressSpace::Present::kPrivate) == at;
      entries[(at - start) >> kPageShift] = kPresent | (own ? 0 : kFile);
    }
  }
  MemoryOfOpen of_;
};

// A file of the class MemoryView on the memory that the process has now.
template <typename MemoryView>
Result<RefPtr<File>> open_view(const Numbers& numbers, u32 flags) {
  auto process = TRY(process_of(numbers));
  if (!trace::may_access(*process, trace::Ids::kFile)) return Errno::Access;
  RefPtr<AddressSpace> space;
  {
    LockGuard guard(process->lock);
    space = process->space;
  }
  if (!space) return Errno::NoProcess;
  return RefPtr<File>(TRY(make_ref<MemoryView>(move(process), *space, flags)));
}

}  // namespace

Result<RefPtr<File>> open_page_map(const Numbers& numbers, u32 flags) {
  return open_view<PageMapFile>(numbers, flags);
}

Result<RefPtr<File>> open_memory(const Numbers& numbers, u32 flags) {
  return open_view<MemoryFile>(numbers, flags);
}

Result<void> show_call(Writer& out, const Numbers& numbers) {
  auto t = TRY(target_of(numbers));
  if (!trace::may_access(*t.process, trace::Ids::kReal)) return Errno::NotPermitted;
  const TrapFrame* frame = t.thread->frame;
  const ThreadState state = t.thread->state.load();
  const bool traced = trace::of(*t.thread) != nullptr && trace::of(*t.thread)->stopped.load();
  if (frame == nullptr || state == ThreadState::kDead || (state != ThreadState::kSleeping && !traced)) {
    out.write("running\n");
    return {};
  }
  // Stacks stay mapped: a thread that goes on meanwhile makes the line wrong, not the read.
  const TrapFrame f = *frame;
  if (static_cast<i64>(f.orig_rax) < 0)
    format(out, "-1 {:#x} {:#x}\n", f.rsp, f.rip);
  else
    format(out, "{} {:#x} {:#x} {:#x} {:#x} {:#x} {:#x} {:#x} {:#x}\n", f.orig_rax, f.rdi, f.rsi, f.rdx, f.r10, f.r8,
           f.r9, f.rsp, f.rip);
  return {};
}

}  // namespace uni::fs::procfs

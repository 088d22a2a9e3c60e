// SPDX-License-Identifier: Apache-2.0
// process_vm_readv(2), process_vm_writev(2): between two lists of ranges, the caller's and another process's. And
// process_mrelease(2).
#include "kernel/fs/pidfd.hpp"
#include "kernel/mm/address_space.hpp"
#include "syscall-shim/linux/mm.hpp"
#include "syscall-shim/linux/process_access.hpp"

namespace uni::shim {

namespace {

enum class Direction : u8 { kRead, kWrite };

Result<u64> read_list(UserPtr<IoSegment> user, u64 count, Vector<IoSegment>& out) {
  if (count > 1024) return Errno::Invalid;
  TRY(out.resize(count));
  TRY(copy_from_user(out.data(), user.address(), count * sizeof(IoSegment)));
  u64 total = 0;
  for (const IoSegment& s : out) {
    if (static_cast<i64>(s.length) < 0) return Errno::Invalid;
    if (__builtin_add_overflow(total, s.length, &total)) return Errno::Invalid;
  }
  return total;
}

// A place in a list.
struct Place {
  const Vector<IoSegment>& list;
  usize index = 0;
  u64 done = 0;  // of the segment
  void skip_empty() {
    while (index < list.size() && done == list[index].length) {
      ++index;
      done = 0;
    }
  }
  bool at_end() const { return index == list.size(); }
  u64 address() const { return list[index].base + done; }
  u64 left() const { return list[index].length - done; }
};

// As far as the first address that is bad on either side.
Result<i64> move_bytes(mm::AddressSpace& remote, Place mine, Place theirs, Direction direction) {
  constexpr usize kAtOnce = 2048;
  char buffer[kAtOnce];
  i64 moved = 0;
  for (;;) {
    mine.skip_empty();
    theirs.skip_empty();
    if (mine.at_end() || theirs.at_end()) return moved;
    usize part = min<u64>(min(mine.left(), theirs.left()), kAtOnce);
    usize done = 0;
    if (direction == Direction::kRead) {
      done = remote.access(theirs.address(), buffer, part, mm::AddressSpace::Remote::kRead);
      if (done != 0 && !copy_to_user(UserAddr{mine.address()}, buffer, done).ok()) done = 0;
    } else if (copy_from_user(buffer, UserAddr{mine.address()}, part).ok()) {
      done = remote.access(theirs.address(), buffer, part, mm::AddressSpace::Remote::kWrite);
    }
    moved += static_cast<i64>(done);
    mine.done += done;
    theirs.done += done;
    if (done < part) return moved != 0 ? Result<i64>(moved) : Result<i64>(Errno::Fault);
    sched::preempt_point();
  }
}

Result<i64> transfer(i32 pid, UserPtr<IoSegment> local, u64 local_count, UserPtr<IoSegment> remote, u64 remote_count,
                     u64 flags, Direction direction) {
  if (flags != 0) return Errno::Invalid;
  Vector<IoSegment> mine, theirs;
  if (TRY(read_list(local, local_count, mine)) == 0) return 0;
  TRY(read_list(remote, remote_count, theirs));
  if (theirs.empty()) return 0;
  const RefPtr<Thread> thread = Process::find_thread(Tid{static_cast<u32>(pid)});
  if (!thread || thread->is_kernel()) return Errno::NoProcess;
  if (!may_inspect(thread->process())) return Errno::NotPermitted;
  const RefPtr<mm::AddressSpace> space = space_of(thread->process());
  if (!space) return Errno::NoProcess;
  return move_bytes(*space, Place{mine}, Place{theirs}, direction);
}

}  // namespace

// process_mrelease(2): the private memory of a process that is being killed, and of all that share it.
Result<i64> sys_process_mrelease(i32 fd, u32 flags) {
  if (flags != 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
  if (file->kind() != fs::FileKind::kPidFd) return Errno::BadFd;
  Process& target = static_cast<fs::PidFd&>(*file).process();
  const RefPtr<mm::AddressSpace> space = space_of(target);
  if (!space || target.life.load() != Process::Life::kAlive) return Errno::NoProcess;
  bool ends = true;
  Process::for_each([&](Process& p) {
    LockGuard guard(p.lock);
    if (p.space.get() == space.get() && (!p.exiting() || p.dumping.load())) ends = false;
  });
  if (!ends) return Errno::Invalid;
  TRY(space->give_up());
  return 0;
}

Result<i64> sys_process_vm_readv(i32 pid, UserPtr<IoSegment> local, u64 local_count, UserPtr<IoSegment> remote,
                                 u64 remote_count, u64 flags) {
  return transfer(pid, local, local_count, remote, remote_count, flags, Direction::kRead);
}

Result<i64> sys_process_vm_writev(i32 pid, UserPtr<IoSegment> local, u64 local_count, UserPtr<IoSegment> remote,
                                  u64 remote_count, u64 flags) {
  return transfer(pid, local, local_count, remote, remote_count, flags, Direction::kWrite);
}

}  // namespace uni::shim

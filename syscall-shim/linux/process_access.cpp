// SPDX-License-Identifier: Apache-2.0
// kcmp(2), pidfd_getfd(2), setns(2), and the check that they share with process_vm_readv(2).
#include "syscall-shim/linux/process_access.hpp"

#include "kernel/fs/namespace_file.hpp"
#include "kernel/fs/pidfd.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/trace.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/process.hpp"
#include "syscall-shim/linux/thread.hpp"

namespace uni::shim {

namespace {
constexpr unsigned kCapSysChroot = 18, kCapSysAdmin = 21;

// What a thread shares with others, for kcmp.
struct Parts {
  RefPtr<mm::AddressSpace> space;
  RefPtr<fs::FileTable> files;
  RefPtr<fs::FsContext> fs;
  RefPtr<signal::SignalState> signals;
};

Parts parts_of(Thread& thread) {
  Process& process = thread.process();
  RefPtr<fs::FsContext> directories = Process::fs_of(thread);
  LockGuard guard(process.lock);
  return {process.space, process.files, uni::move(directories), process.signals};
}

// 0: the same; 1 and 2: an order among different ones. Addresses do not leave the kernel.
i64 order(const void* a, const void* b) {
  if (a == b) return 0;
  // SAFETY: the addresses are only numbers here.
  return reinterpret_cast<u64>(a) * 0x9e3779b97f4a7c15 < reinterpret_cast<u64>(b) * 0x9e3779b97f4a7c15 ? 1 : 2;
}

Result<i64> compare_files(const Parts& a, const Parts& b, u64 first, u64 second) {
  if (!a.files || !b.files || first > INT32_MAX || second > INT32_MAX) return Errno::BadFd;
  const RefPtr<fs::File> x = TRY(a.files->get(static_cast<int>(first), true));
  const RefPtr<fs::File> y = TRY(b.files->get(static_cast<int>(second), true));
  return order(x.get(), y.get());
}

}  // namespace

bool may_inspect(Process& target) {
  return trace::may_access(target, trace::Ids::kReal);
}

RefPtr<mm::AddressSpace> space_of(Process& process) {
  LockGuard guard(process.lock);
  return process.space;
}

RefPtr<fs::FileTable> files_of(Process& process) {
  LockGuard guard(process.lock);
  return process.files;
}

// kcmp(2). I/O contexts and lists of semaphore adjustments are not objects here: they always compare as the same.
Result<i64> sys_kcmp(i32 first, i32 second, i32 type, u64 a, u64 b) {
  enum : i32 { kFile, kMemory, kFiles, kFs, kSignals, kIo, kSemaphores, kTypes };
  const RefPtr<Thread> x = Process::find_thread(Tid{static_cast<u32>(first)});
  const RefPtr<Thread> y = Process::find_thread(Tid{static_cast<u32>(second)});
  if (!x || !y) return Errno::NoProcess;
  if (!may_inspect(x->process()) || !may_inspect(y->process())) return Errno::NotPermitted;
  if (type < 0 || type >= kTypes) return Errno::Invalid;
  const Parts p = parts_of(*x), q = parts_of(*y);
  switch (type) {
    case kFile:
      return compare_files(p, q, a, b);
    case kMemory:
      return order(p.space.get(), q.space.get());
    case kFiles:
      return order(p.files.get(), q.files.get());
    case kFs:
      return order(p.fs.get(), q.fs.get());
    case kSignals:
      return order(p.signals.get(), q.signals.get());
    default:
      return 0;
  }
}

// pidfd_getfd(2).
Result<i64> sys_pidfd_getfd(i32 pidfd, i32 target, u32 flags) {
  if (flags != 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(pidfd));
  if (file->kind() != fs::FileKind::kPidFd) return Errno::BadFd;
  Process& process = static_cast<fs::PidFd&>(*file).process();
  if (process.life.load() >= Process::Life::kZombie) return Errno::NoProcess;
  if (!may_inspect(process)) return Errno::NotPermitted;
  const RefPtr<fs::FileTable> table = files_of(process);
  if (!table) return Errno::NoProcess;
  RefPtr<fs::File> found = TRY(table->get(target, true));
  return i64 {
    TRY(Process::current().files->install(uni::move(found), true))
  };
}

// setns(2). There is one namespace of each kind, so entering it changes what Linux changes on the way only: root and
// working directory, with a mount namespace.
Result<i64> sys_setns(i32 fd, i32 type) {
  using fs::NamespaceFile;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  u64 wanted = 0;
  if (file->kind() == fs::FileKind::kPidFd) {
    if (type == 0 || (static_cast<u32>(type) & ~NamespaceFile::kAllTypes) != 0) return Errno::Invalid;
    if (static_cast<fs::PidFd&>(*file).process().life.load() >= Process::Life::kZombie) return Errno::NoProcess;
    wanted = static_cast<u32>(type);
  } else {
    const auto own = file->kind() == fs::FileKind::kOther ? file->ioctl(NamespaceFile::kGetType, 0) : Errno::NotTty;
    if (!own.ok()) return Errno::Invalid;
    wanted = static_cast<u64>(own.value());
    if (type != 0 && static_cast<u32>(type) != wanted) return Errno::Invalid;
  }
  if ((wanted & NamespaceFile::kUser) != 0) return Errno::Invalid;
  Process& process = Process::current();
  if (!process.credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  if ((wanted & NamespaceFile::kMount) == 0) return 0;
  if (!process.credentials.capable(kCapSysChroot)) return Errno::NotPermitted;
  const bool own = process.thread_count == 1 || Thread::current().own_fs;
  const RefPtr<fs::FsContext>& directories = Process::current_fs();
  if (!own || directories->ref_count() != 1) return Errno::Invalid;
  const RefPtr<fs::FsContext> fresh = TRY(fs::FsContext::create_root());
  directories->set_cwd(fresh->root());
  directories->set_root(fresh->root());
  return 0;
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// wait4(2) and waitid(2) over the process tree (kernel/sched/children.hpp).
#include "kernel/fs/pidfd.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/time/clock.hpp"
#include "syscall-shim/linux/process.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {
namespace {

enum WaitOption : u32 {
  kNoHang = 1,
  kStopped = 2,
  kExited = 4,
  kContinued = 8,
  kLeave = 0x01000000,
  kNoThread = 0x20000000,
  kAll = 0x40000000,
  kClone = 0x80000000,
};
constexpr u32 kFamilies = kNoThread | kAll | kClone;

WaitSelection::Family family_of(u32 options) {
  if ((options & kAll) != 0) return WaitSelection::Family::kAll;
  return (options & kClone) != 0 ? WaitSelection::Family::kClone : WaitSelection::Family::kOrdinary;
}

// Gives false where WNOHANG was asked and nothing has changed. Errors: NoChild, RestartSys.
Result<bool> wait_for(const WaitSelection& selection, u32 options, WaitReport* report) {
  Process& self = Process::current();
  while (true) {
    const u32 seen = self.child_events.load(std::memory_order_acquire);
    if (TRY(try_wait(self, selection, report))) return true;
    if ((options & kNoHang) != 0) return false;
    const Wake woken = self.child_queue.wait([&] { return self.child_events.load(std::memory_order_acquire) != seen; });
    if (woken == Wake::kSignal) return Errno::RestartSys;
  }
}

}  // namespace

abi::Rusage to_rusage(const ResourceUsage& u) {
  abi::Rusage out{};
  out.ru_utime = to_timeval(time::cycles_to_ns(u.user_cycles));
  out.ru_stime = to_timeval(time::cycles_to_ns(u.system_cycles));
  out.ru_maxrss = static_cast<i64>(u.peak_resident_pages * (kPageSize / kKiB));
  out.ru_minflt = static_cast<i64>(u.minor_faults);
  out.ru_majflt = static_cast<i64>(u.major_faults);
  out.ru_nvcsw = static_cast<i64>(u.voluntary_switches);
  out.ru_nivcsw = static_cast<i64>(u.involuntary_switches);
  return out;
}

// wait4(2).
Result<i64> sys_wait4(i32 pid, UserPtr<i32> status, i32 options, UserPtr<abi::Rusage> usage) {
  const u32 bits = static_cast<u32>(options);
  if ((bits & ~(kNoHang | kStopped | kContinued | kFamilies)) != 0) return Errno::Invalid;
  if (pid == static_cast<i32>(0x80000000)) return Errno::NoProcess;
  WaitSelection s;
  if (pid > 0) {
    s.kind = WaitSelection::Kind::kPid;
    s.number = Pid{static_cast<u32>(pid)};
  } else if (pid != -1) {
    s.kind = WaitSelection::Kind::kGroup;
    s.number = pid == 0 ? Process::current().group() : Pid{static_cast<u32>(-pid)};
  }
  s.stopped = (bits & kStopped) != 0;
  s.continued = (bits & kContinued) != 0;
  s.family = family_of(bits);
  s.this_thread = (bits & kNoThread) != 0;
  WaitReport report;
  if (!TRY(wait_for(s, bits, &report))) return 0;
  if (status) TRY(status.write(report.wait_status));
  if (usage) TRY(usage.write(to_rusage(report.usage)));
  return i64{raw(report.pid)};
}

// waitid(2).
Result<i64> sys_waitid(i32 kind, i32 id, UserPtr<abi::SigInfo> info, i32 options, UserPtr<abi::Rusage> usage) {
  constexpr i32 kAny = 0, kPid = 1, kGroup = 2, kPidFd = 3;
  u32 bits = static_cast<u32>(options);
  if ((bits & ~(kNoHang | kLeave | kExited | kStopped | kContinued | kFamilies)) != 0) return Errno::Invalid;
  if ((bits & (kExited | kStopped | kContinued)) == 0) return Errno::Invalid;
  WaitSelection s;
  RefPtr<Process> target;
  switch (kind) {
    case kAny:
      break;
    case kPid:
      if (id <= 0) return Errno::Invalid;
      s.kind = WaitSelection::Kind::kPid;
      s.number = Pid{static_cast<u32>(id)};
      break;
    case kGroup:
      if (id < 0) return Errno::Invalid;
      s.kind = WaitSelection::Kind::kGroup;
      s.number = id == 0 ? Process::current().group() : Pid{static_cast<u32>(id)};
      break;
    case kPidFd: {
      if (id < 0) return Errno::Invalid;
      RefPtr<fs::File> file = TRY(Process::current().files->get(id));
      if (file->kind() != fs::FileKind::kPidFd) return Errno::BadFd;
      target = RefPtr<Process>(&static_cast<fs::PidFd&>(*file).process());
      s.kind = WaitSelection::Kind::kPid;
      s.number = target->pid();
      if (file->nonblocking()) bits |= kNoHang;
      break;
    }
    default:
      return Errno::Invalid;
  }
  s.exited = (bits & kExited) != 0;
  s.stopped = (bits & kStopped) != 0;
  s.continued = (bits & kContinued) != 0;
  s.leave = (bits & kLeave) != 0;
  s.family = family_of(bits);
  s.this_thread = (bits & kNoThread) != 0;
  WaitReport report;
  const bool found = TRY(wait_for(s, bits, &report));
  // A non-blocking pidfd has its own word for "not yet" (waitid(2), P_PIDFD).
  if (!found && kind == kPidFd && (static_cast<u32>(options) & kNoHang) == 0) return Errno::Again;
  if (usage && found) TRY(usage.write(to_rusage(report.usage)));
  if (!info) return 0;
  signal::Info told;
  if (found) {
    told.number = signal::kChld;
    told.code = static_cast<int>(report.code);
    told.pid = raw(report.pid);
    told.uid = report.uid;
    told.status = report.value;
  }
  // Only these words are written (waitid(2)); the rest of the program's siginfo stays.
  const abi::SigInfo whole = found ? to_abi(told) : abi::SigInfo{};
  TRY(copy_to_user(info.address(), &whole, 12));
  TRY(copy_to_user(info.address() + 16, reinterpret_cast<const u8*>(&whole) + 16, 12));
  return 0;
}

}  // namespace uni::shim

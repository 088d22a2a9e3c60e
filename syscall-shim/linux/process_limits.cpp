// SPDX-License-Identifier: Apache-2.0
// prctl(2), personality(2), resource limits and usage.
#include "kernel/boot/boot_info.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/cpu_time.hpp"
#include "kernel/time/posix_timers.hpp"
#include "syscall-shim/linux/process.hpp"
#include "syscall-shim/linux/seccomp.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {

Result<i64> set_name(UserAddr from) {
  Thread& thread = Thread::current();
  char name[sizeof thread.name] = {};
  const usize room = sizeof name - 1;
  auto length = copy_string_from_user(name, from, room);
  // A longer name is cut (prctl(2), PR_SET_NAME).
  if (!length.ok()) {
    if (length.error() != Errno::NameTooLong) return length.error();
    TRY(copy_from_user(name, from, room));
  }
  name[room] = '\0';
  __builtin_memcpy(thread.name, name, sizeof name);
  return 0;
}

Result<i64> ambient(u64 operation, u64 capability, u64 c, u64 d) {
  enum : u64 { kIsSet = 1, kRaise = 2, kLower = 3, kClearAll = 4 };
  Process& process = Process::current();
  LockGuard guard(process.lock);
  Credentials& credentials = process.credentials;
  if (operation == kClearAll) {
    if ((capability | c | d) != 0) return Errno::Invalid;
    credentials.cap_ambient = 0;
    return 0;
  }
  if ((c | d) != 0 || capability > abi::kCapLast) return Errno::Invalid;
  const u64 bit = u64{1} << capability;
  switch (operation) {
    case kIsSet:
      return (credentials.cap_ambient & bit) != 0 ? 1 : 0;
    case kRaise:
      if ((credentials.cap_permitted & credentials.cap_inheritable & bit) == 0 ||
          (process.secure_bits & kSecureNoAmbientRaise) != 0)
        return Errno::NotPermitted;
      credentials.cap_ambient |= bit;
      return 0;
    case kLower:
      credentials.cap_ambient &= ~bit;
      return 0;
    default:
      return Errno::Invalid;
  }
}

Result<i64> drop_bounding(u64 capability) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  if (!process.credentials.capable(abi::kCapSetpcap)) return Errno::NotPermitted;
  if (capability > abi::kCapLast) return Errno::Invalid;
  process.credentials.cap_bounding &= ~(u64{1} << capability);
  return 0;
}

Result<i64> keep_capabilities(u64 wanted) {
  if (wanted > 1) return Errno::Invalid;
  Process& process = Process::current();
  LockGuard guard(process.lock);
  if ((process.secure_bits & (kSecureKeepCaps << 1)) != 0) return Errno::NotPermitted;
  process.secure_bits =
      wanted != 0 ? process.secure_bits | kSecureKeepCaps : process.secure_bits & ~u32{kSecureKeepCaps};
  return 0;
}

// A locked bit stays as it is, and a lock stays.
Result<i64> set_secure_bits(u64 wanted) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  const u64 old = process.secure_bits, locks = old & kSecureLocks;
  if (((locks >> 1) & (old ^ wanted)) != 0 || (locks & ~wanted) != 0) return Errno::NotPermitted;
  if ((wanted & ~u64{kSecureBits | kSecureLocks}) != 0) return Errno::NotPermitted;
  if (!process.credentials.capable(abi::kCapSetpcap)) return Errno::NotPermitted;
  process.secure_bits = static_cast<u32>(wanted);
  return 0;
}

// What the manifest allows nobody may exceed, as nobody may exceed fs.nr_open on Linux.
u64 manifest_limit(u32 kind) {
  return kind == kLimitFiles ? boot::limit("files") : kind == kLimitData ? boot::limit("memory") : kUnlimited;
}

Result<void> set_limit(Process& process, u32 kind, const abi::Rlimit& wanted) {
  if (wanted.rlim_cur > wanted.rlim_max) return Errno::Invalid;
  if (kind == kLimitFiles && wanted.rlim_max > fs::g_most_descriptors.load(std::memory_order_relaxed))
    return Errno::NotPermitted;
  {
    LockGuard guard(process.lock);
    Limit& limit = process.limits[kind];
    if (wanted.rlim_max > manifest_limit(kind)) return Errno::NotPermitted;
    if (wanted.rlim_max > limit.hard && !process.credentials.capable(abi::kCapSysResource)) return Errno::NotPermitted;
    limit = {wanted.rlim_cur, wanted.rlim_max};
  }
  if (kind == kLimitCpu) TRY(time::watch_cpu_limit(process));
  if (kind == kLimitFiles) process.files->set_limit(static_cast<u32>(wanted.rlim_cur));
  return {};
}

}  // namespace

// prctl(2). Options that are not answered here are EINVAL, as with a Linux that was built without them.
Result<i64> sys_prctl(i32 option, u64 a, u64 b, u64 c, u64 d) {
  Process& process = Process::current();
  Thread& thread = Thread::current();
  switch (option) {
    case abi::kPrSetName:
      return set_name(UserAddr{a});
    case abi::kPrGetName:
      TRY(copy_to_user(UserAddr{a}, thread.name, sizeof thread.name));
      return 0;
    case abi::kPrSetPdeathsig:
      if (a > signal::kCount) return Errno::Invalid;
      process.parent_death_signal = static_cast<i32>(a);
      return 0;
    case abi::kPrGetPdeathsig:
      TRY(UserPtr<i32>(a).write(process.parent_death_signal));
      return 0;
    case abi::kPrGetDumpable:
      return i64{process.dumpable};
    case abi::kPrSetDumpable:
      if (a > 1) return Errno::Invalid;
      process.dumpable = static_cast<u32>(a);
      return 0;
    case abi::kPrSetPtracer:  // Yama's; every tracer that ptrace(2) itself lets through may trace
      if (a != 0 && a != ~u64{0} && !Process::find(Pid{static_cast<u32>(a)})) return Errno::Invalid;
      return 0;
    case abi::kPrGetKeepcaps:
      return (process.secure_bits & kSecureKeepCaps) != 0 ? 1 : 0;
    case abi::kPrSetKeepcaps:
      return keep_capabilities(a);
    case abi::kPrGetTiming:
      return 0;  // PR_TIMING_STATISTICAL
    case abi::kPrSetTiming:
      if (a != 0) return Errno::Invalid;
      return 0;
    case abi::kPrCapbsetRead:
      if (a > abi::kCapLast) return Errno::Invalid;
      return static_cast<i64>((process.credentials.cap_bounding >> a) & 1);
    case abi::kPrCapbsetDrop:
      return drop_bounding(a);
    case abi::kPrGetSecurebits:
      return i64{process.secure_bits};
    case abi::kPrSetSecurebits:
      return set_secure_bits(a);
    case abi::kPrGetSeccomp:
      return get_seccomp();
    case abi::kPrSetSeccomp:
      return set_seccomp(a, UserAddr{b});
    case abi::kPrSetTimerslack:
      thread.timer_slack_ns = a == 0 ? thread.default_timer_slack_ns : a;
      return 0;
    case abi::kPrGetTimerslack:
      return static_cast<i64>(thread.timer_slack_ns);
    case abi::kPrSetChildSubreaper:
      process.child_subreaper = a != 0;
      return 0;
    case abi::kPrGetChildSubreaper:
      TRY(UserPtr<i32>(a).write(process.child_subreaper ? 1 : 0));
      return 0;
    case abi::kPrSetNoNewPrivs:
      if (a != 1 || (b | c | d) != 0) return Errno::Invalid;
      process.no_new_privileges = true;
      return 0;
    case abi::kPrGetNoNewPrivs:
      if ((a | b | c | d) != 0) return Errno::Invalid;
      return process.no_new_privileges ? 1 : 0;
    case abi::kPrGetTidAddress:
      TRY(UserPtr<u64>(a).write(thread.clear_child_tid));
      return 0;
    case abi::kPrSetThpDisable:
      if ((b | c | d) != 0) return Errno::Invalid;
      process.huge_pages_disabled = a != 0;
      return 0;
    case abi::kPrGetThpDisable:
      if ((a | b | c | d) != 0) return Errno::Invalid;
      return process.huge_pages_disabled ? 1 : 0;
    case abi::kPrCapAmbient:
      return ambient(a, b, c, d);
    default:
      return Errno::Invalid;
  }
}

// personality(2): kept and given back; ADDR_NO_RANDOMIZE matters to execve, STICKY_TIMEOUTS to poll.cpp.
Result<i64> sys_personality(u32 persona) {
  Process& process = Process::current();
  const u32 old = process.personality;
  if (persona != ~u32{0}) process.personality = persona;
  return i64{old};
}

// prlimit(2).
Result<i64> sys_prlimit64(i32 pid, u32 kind, UserPtr<abi::Rlimit> value, UserPtr<abi::Rlimit> old) {
  if (kind >= kLimitCount) return Errno::Invalid;
  abi::Rlimit wanted{};
  if (value) wanted = TRY(value.read());
  RefPtr<Process> target = pid == 0 ? RefPtr<Process>(&Process::current()) : Process::find(Pid{static_cast<u32>(pid)});
  if (!target) return Errno::NoProcess;
  const Limit before = target->limits[kind];
  if (value) TRY(set_limit(*target, kind, wanted));
  if (old) TRY(old.write({before.soft, before.hard}));
  return 0;
}

// getrlimit(2), setrlimit(2).
Result<i64> sys_getrlimit(u32 kind, UserPtr<abi::Rlimit> out) {
  if (kind >= kLimitCount) return Errno::Invalid;
  const Limit& limit = Process::current().limits[kind];
  TRY(out.write({limit.soft, limit.hard}));
  return 0;
}
Result<i64> sys_setrlimit(u32 kind, UserPtr<abi::Rlimit> value) {
  const abi::Rlimit wanted = TRY(value.read());
  if (kind >= kLimitCount) return Errno::Invalid;
  TRY(set_limit(Process::current(), kind, wanted));
  return 0;
}

// getrusage(2). Differs: block operations are not counted.
Result<i64> sys_getrusage(i32 who, UserPtr<abi::Rusage> out) {
  constexpr i32 kSelf = 0, kChildren = -1, kThread = 1;
  if (who != kSelf && who != kChildren && who != kThread) return Errno::Invalid;
  Process& process = Process::current();
  ResourceUsage used;
  if (who == kChildren) {
    LockGuard guard(process_tree_lock());
    used = process.children_usage;
  } else if (who == kThread) {
    used.add(Thread::current());
  } else {
    LockGuard guard(process.lock);
    used = process.dead_usage;
    for (const Thread& thread : process.threads)
      used.add(thread);
  }
  if (who != kChildren) used.peak_resident_pages = process.space->usage().peak_resident;
  abi::Rusage usage = to_rusage(used);
  if (who != kChildren) {
    const time::CpuTime now = who == kThread ? time::cpu_time(Thread::current()) : time::cpu_time(process);
    usage.ru_utime = to_timeval(now.user_ns);
    usage.ru_stime = to_timeval(now.system_ns);
  }
  TRY(out.write(usage));
  return 0;
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// sched(7): policies, priorities, affinity. SCHED_DEADLINE is known, its parameters are checked, and then it is refused
// with EBUSY, as Linux does where no processor has the bandwidth left: there is no such class.
#include "kernel/sched/process.hpp"
#include "syscall-shim/abi/process.hpp"
#include "syscall-shim/linux/futex.hpp"
#include "syscall-shim/linux/thread.hpp"

namespace uni::shim {
namespace {

using sched::Policy;

constexpr u32 kResetOnFork = 0x40000000;  // with a policy
constexpr u32 kCapSysNice = 23;
enum AttributeFlag : u64 {
  kFlagResetOnFork = 1,
  kFlagReclaim = 2,
  kFlagDeadlineOverrun = 4,
  kFlagKeepPolicy = 8,
  kFlagKeepParameters = 16,
  kFlagClampMin = 32,
  kFlagClampMax = 64,
};
constexpr u64 kKnownFlags = 127;

Result<RefPtr<Thread>> thread_of(i32 tid) {
  if (tid == 0) return RefPtr<Thread>(&Thread::current());
  auto t = tid < 0 ? RefPtr<Thread>() : Process::find_thread(Tid{static_cast<u32>(tid)});
  if (!t || t->is_kernel()) return Errno::NoProcess;
  return t;
}

bool known_policy(i64 p) {
  return (p >= 0 && p <= 3) || p == 5 || p == 6;
}

bool same_owner(const Thread& t) {
  const Credentials& mine = Process::current().credentials;
  const Credentials& other = t.process().credentials;
  return mine.euid == other.euid || mine.euid == other.uid;
}

bool may_have_nice(const Thread& t, int nice) {
  const u64 limit = t.process().limits[kLimitNice].soft;
  return static_cast<u64>(20 - nice) <= limit || Process::current().credentials.capable(kCapSysNice);
}

// What a process without CAP_SYS_NICE may not do (sched(7), "Privileges and resource limits").
Result<void> check_permission(const Thread& t, const sched::Parameters& wanted) {
  if (Process::current().credentials.capable(kCapSysNice)) return {};
  if (wanted.policy == Policy::kDeadline) return Errno::NotPermitted;
  if (sched::is_real_time(wanted.policy)) {
    const u64 limit = t.process().limits[kLimitRtPriority].soft;
    if (wanted.policy != t.policy && limit == 0) return Errno::NotPermitted;
    if (wanted.rt_priority > t.rt_priority && wanted.rt_priority > limit) return Errno::NotPermitted;
  } else if (wanted.nice < t.nice && !may_have_nice(t, wanted.nice)) {
    return Errno::NotPermitted;
  }
  if (t.policy == Policy::kIdle && wanted.policy != Policy::kIdle && !may_have_nice(t, t.nice))
    return Errno::NotPermitted;
  if (!same_owner(t)) return Errno::NotPermitted;
  if (t.reset_on_fork && !wanted.reset_on_fork) return Errno::NotPermitted;
  return {};
}

// __sched_setscheduler's order: policy, priority, permission, and then what the class says.
Result<i64> apply(Thread& t, i64 policy, u32 priority, i32 nice, bool reset_on_fork) {
  if (!known_policy(policy)) return Errno::Invalid;
  sched::Parameters wanted{static_cast<Policy>(policy), 0, static_cast<i8>(nice), reset_on_fork};
  if (priority > 99) return Errno::Invalid;
  if (sched::is_real_time(wanted.policy) != (priority != 0)) return Errno::Invalid;
  wanted.rt_priority = static_cast<u8>(priority);
  TRY(check_permission(t, wanted));
  if (wanted.policy == Policy::kDeadline) return Errno::Busy;
  sched::set_parameters(t, wanted);
  futex::priorities_changed();
  return 0;
}

Result<i64> set_scheduler(i32 tid, i64 policy, UserPtr<SchedParam> param) {
  if (!param || tid < 0) return Errno::Invalid;
  const SchedParam p = TRY(param.read());
  auto t = TRY(thread_of(tid));
  bool reset = t->reset_on_fork;
  if (policy < 0) {
    policy = static_cast<i64>(t->policy);
  } else {
    reset = (policy & kResetOnFork) != 0;
    policy &= ~i64{kResetOnFork};
  }
  if (policy == static_cast<i64>(Policy::kDeadline)) return Errno::Invalid;  // without a runtime
  return apply(*t, policy, static_cast<u32>(p.priority), t->nice, reset);
}

}  // namespace

Result<i64> sys_sched_yield() {
  sched::yield();
  return 0;
}

// sched_setparam(2).
Result<i64> sys_sched_setparam(i32 tid, UserPtr<SchedParam> param) {
  return set_scheduler(tid, -1, param);
}

// sched_getparam(2).
Result<i64> sys_sched_getparam(i32 tid, UserPtr<SchedParam> param) {
  if (!param || tid < 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  TRY(param.write({t->rt_priority}));
  return 0;
}

// sched_setscheduler(2).
Result<i64> sys_sched_setscheduler(i32 tid, i32 policy, UserPtr<SchedParam> param) {
  if (policy < 0) return Errno::Invalid;
  return set_scheduler(tid, policy, param);
}

// sched_getscheduler(2).
Result<i64> sys_sched_getscheduler(i32 tid) {
  if (tid < 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  return static_cast<i64>(t->policy) | (t->reset_on_fork ? i64{kResetOnFork} : 0);
}

// sched_setattr(2). Utilisation clamps are refused with EOPNOTSUPP, as by a Linux without them.
Result<i64> sys_sched_setattr(i32 tid, UserPtr<u8> attributes, u32 flags) {
  constexpr u32 kFirstSize = 48;
  if (!attributes || tid < 0 || flags != 0) return Errno::Invalid;
  u32 size = TRY(UserPtr<u32>(raw(attributes.address())).read());
  if (size == 0) size = kFirstSize;
  SchedAttributes a{};
  bool too_big = size < kFirstSize || size > kPageSize;
  if (!too_big) {
    TRY(copy_from_user(&a, attributes.address(), min<u64>(size, sizeof a)));
    for (u32 at = sizeof a; at < size && !too_big; ++at) {
      u8 byte = 0;
      TRY(copy_from_user(&byte, attributes.address() + at, 1));
      too_big = byte != 0;
    }
  }
  if (too_big) {
    TRY(UserPtr<u32>(raw(attributes.address())).write(u32{sizeof a}));
    return Errno::TooBig;
  }
  if ((a.flags & (kFlagClampMin | kFlagClampMax)) != 0 && size < sizeof a) return Errno::Invalid;
  const i32 nice = a.nice < -20 ? -20 : a.nice > 19 ? 19 : a.nice;
  if (static_cast<i32>(a.policy) < 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  const i64 policy = (a.flags & kFlagKeepPolicy) != 0 ? static_cast<i64>(t->policy) : i64{a.policy};
  if (!known_policy(policy) || (a.flags & ~kKnownFlags) != 0) return Errno::Invalid;
  if (policy == static_cast<i64>(Policy::kDeadline)) {
    // sched(7): runtime <= deadline <= period, nothing under a microsecond.
    const u64 period = a.period == 0 ? a.deadline : a.period;
    if (a.deadline == 0 || a.runtime < 1024 || a.runtime > a.deadline || a.deadline > period) return Errno::Invalid;
  }
  if ((a.flags & (kFlagClampMin | kFlagClampMax)) != 0) return Errno::NotSupported;
  const bool keep = (a.flags & kFlagKeepParameters) != 0;
  return apply(*t, policy, keep ? u32{t->rt_priority} : a.priority, keep || policy == 1 || policy == 2 ? t->nice : nice,
               (a.flags & kFlagResetOnFork) != 0);
}

// sched_getattr(2).
Result<i64> sys_sched_getattr(i32 tid, UserPtr<u8> out, u32 size, u32 flags) {
  if (!out || tid < 0 || size > kPageSize || size < 48 || flags != 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  SchedAttributes a{};
  a.size = min<u32>(size, sizeof a);
  a.policy = static_cast<u32>(t->policy);
  if (t->reset_on_fork) a.flags |= kFlagResetOnFork;
  if (sched::is_real_time(t->policy))
    a.priority = t->rt_priority;
  else
    a.nice = t->nice;
  TRY(copy_to_user(out.address(), &a, a.size));
  return 0;
}

Result<i64> sys_sched_get_priority_max(i32 policy) {
  if (!known_policy(policy)) return Errno::Invalid;
  return policy == 1 || policy == 2 ? 99 : 0;
}

Result<i64> sys_sched_get_priority_min(i32 policy) {
  if (!known_policy(policy)) return Errno::Invalid;
  return policy == 1 || policy == 2 ? 1 : 0;
}

// sched_rr_get_interval(2).
Result<i64> sys_sched_rr_get_interval(i32 tid, UserPtr<TimespecAbi> out) {
  if (tid < 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  TRY(out.write({0, static_cast<i64>(sched::slice_ns(*t))}));
  return 0;
}

// sched_setaffinity(2). A thread that runs on a processor it may no longer use leaves it at once.
Result<i64> sys_sched_setaffinity(i32 tid, u32 size, UserPtr<u8> mask) {
  u64 wanted = 0;
  TRY(copy_from_user(&wanted, mask.address(), min<u64>(size, 8)));
  auto t = TRY(thread_of(tid));
  if (!same_owner(*t) && !Process::current().credentials.capable(kCapSysNice)) return Errno::NotPermitted;
  const unsigned count = sched::cpu_count();
  wanted &= count >= 64 ? ~u64{0} : (u64{1} << count) - 1;
  if (wanted == 0) return Errno::Invalid;
  sched::set_affinity(*t, wanted);
  if (t.get() == &Thread::current() && ((wanted >> sched::current_cpu()) & 1) == 0) sched::migrate();
  return 0;
}

// sched_getaffinity(2): the raw call gives the bytes written.
Result<i64> sys_sched_getaffinity(i32 tid, u32 size, UserPtr<u8> mask) {
  if (u64{size} * 8 < sched::cpu_count() || (size & 7) != 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  const unsigned count = sched::cpu_count();
  const u64 value = t->affinity & (count >= 64 ? ~u64{0} : (u64{1} << count) - 1);
  TRY(copy_to_user(mask.address(), &value, 8));
  return 8;
}

namespace {

enum Who : i32 { kProcess, kGroup, kUser };

// Runs action(thread) on the threads that setpriority(2) names: one for kProcess, else all of the processes meant.
template <typename Action>
Result<void> for_each_meant(i32 which, i32 who, Action action) {
  if (which == kProcess) {
    auto t = TRY(thread_of(who));
    action(*t);
    return {};
  }
  Process& own = Process::current();
  bool any = false;
  Process::for_each([&](Process& p) {
    if (which == kGroup ? p.group() != (who == 0 ? own.group() : Pid{static_cast<u32>(who)})
                        : p.credentials.uid != (who == 0 ? own.credentials.uid : static_cast<u32>(who)))
      return;
    LockGuard guard(p.lock);
    for (Thread& t : p.threads) {
      any = true;
      action(t);
    }
  });
  return any ? Result<void>() : Result<void>(Errno::NoProcess);
}

}  // namespace

// getpriority(2): the raw call gives 20 - nice, of several the best.
Result<i64> sys_getpriority(i32 which, i32 who) {
  if (which < kProcess || which > kUser) return Errno::Invalid;
  i64 best = 0;
  TRY(for_each_meant(which, who, [&](Thread& t) { best = max<i64>(best, 20 - t.nice); }));
  return best;
}

// setpriority(2).
Result<i64> sys_setpriority(i32 which, i32 who, i32 nice) {
  if (which < kProcess || which > kUser) return Errno::Invalid;
  nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
  bool not_owner = false, too_good = false;
  TRY(for_each_meant(which, who, [&](Thread& t) {
    if (!same_owner(t) && !Process::current().credentials.capable(kCapSysNice)) {
      not_owner = true;
    } else if (nice < t.nice && !may_have_nice(t, nice)) {
      too_good = true;
    } else {
      sched::set_parameters(t, {t.policy, t.rt_priority, static_cast<i8>(nice), t.reset_on_fork});
    }
  }));
  if (not_owner) return Errno::NotPermitted;
  if (too_good) return Errno::Access;
  return 0;
}

}  // namespace uni::shim

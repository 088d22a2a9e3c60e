// SPDX-License-Identifier: Apache-2.0
// Scheduling parameters. Affinity and nice are kept (affinity is honoured); real-time policies are refused.
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/thread.hpp"

namespace uni::shim {
namespace {

Result<RefPtr<Thread>> thread_of(i32 tid) {
  if (tid < 0) return Errno::Invalid;
  if (tid == 0) return RefPtr<Thread>(&Thread::current());
  auto t = Process::find_thread(Tid{static_cast<u32>(tid)});
  if (!t) return Errno::NoProcess;
  return t;
}

constexpr i32 kOther = 0, kFifo = 1, kRoundRobin = 2, kBatch = 3, kIdle = 5, kDeadline = 6;
bool known_policy(i32 p) {
  return p == kOther || p == kFifo || p == kRoundRobin || p == kBatch || p == kIdle || p == kDeadline;
}

}  // namespace

Result<i64> sys_sched_yield() {
  sched::yield();
  return 0;
}

Result<i64> sys_sched_setparam(i32 tid, UserPtr<SchedParam> param) {
  if (!param) return Errno::Invalid;
  const SchedParam p = TRY(param.read());
  TRY(thread_of(tid));
  return p.priority != 0 ? Result<i64>(Errno::Invalid) : Result<i64>(0);
}

Result<i64> sys_sched_getparam(i32 tid, UserPtr<SchedParam> param) {
  if (!param) return Errno::Invalid;
  TRY(thread_of(tid));
  TRY(param.write({0}));
  return 0;
}

// sched_setscheduler(2): real-time policies answer EPERM: there is no real-time class.
Result<i64> sys_sched_setscheduler(i32 tid, i32 policy, UserPtr<SchedParam> param) {
  if (!param) return Errno::Invalid;
  policy &= ~0x40000000;
  const SchedParam p = TRY(param.read());
  if (!known_policy(policy)) return Errno::Invalid;
  TRY(thread_of(tid));
  if (policy == kFifo || policy == kRoundRobin) {
    if (p.priority < 1 || p.priority > 99) return Errno::Invalid;
    return Errno::NotPermitted;
  }
  if (policy == kDeadline) return Errno::Invalid;
  return p.priority != 0 ? Result<i64>(Errno::Invalid) : Result<i64>(0);
}

Result<i64> sys_sched_getscheduler(i32 tid) {
  TRY(thread_of(tid));
  return kOther;
}

Result<i64> sys_sched_get_priority_max(i32 policy) {
  if (!known_policy(policy)) return Errno::Invalid;
  return policy == kFifo || policy == kRoundRobin ? 99 : 0;
}

Result<i64> sys_sched_get_priority_min(i32 policy) {
  if (!known_policy(policy)) return Errno::Invalid;
  return policy == kFifo || policy == kRoundRobin ? 1 : 0;
}

Result<i64> sys_sched_rr_get_interval(i32 tid, UserPtr<TimespecAbi> out) {
  TRY(thread_of(tid));
  TRY(out.write({0, 4000000}));
  return 0;
}

Result<i64> sys_sched_setaffinity(i32 tid, u32 size, UserPtr<u8> mask) {
  u64 wanted = 0;
  TRY(copy_from_user(&wanted, mask.address(), min<u64>(size, 8)));
  auto t = TRY(thread_of(tid));
  const unsigned count = sched::cpu_count();
  wanted &= count >= 64 ? ~u64{0} : (u64{1} << count) - 1;
  if (wanted == 0) return Errno::Invalid;
  t->affinity = wanted;
  // The current thread moves at once; others when they are next queued.
  if (t.get() == &Thread::current() && ((wanted >> sched::current_cpu()) & 1) == 0) sched::migrate();
  return 0;
}

Result<i64> sys_sched_getaffinity(i32 tid, u32 size, UserPtr<u8> mask) {
  if (size < 8 || (size & 7) != 0) return Errno::Invalid;
  auto t = TRY(thread_of(tid));
  const unsigned count = sched::cpu_count();
  const u64 value = t->affinity & (count >= 64 ? ~u64{0} : (u64{1} << count) - 1);
  TRY(copy_to_user(mask.address(), &value, 8));
  return 8;
}

// getpriority(2): the raw call gives 20 - nice.
Result<i64> sys_getpriority(i32 which, i32 who) {
  if (which < 0 || which > 2) return Errno::Invalid;
  if (which != 0) return 20 - Thread::current().nice;
  auto t = TRY(thread_of(who));
  return 20 - t->nice;
}

Result<i64> sys_setpriority(i32 which, i32 who, i32 nice) {
  if (which < 0 || which > 2) return Errno::Invalid;
  nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
  auto t = TRY(thread_of(which == 0 ? who : 0));
  if (nice < t->nice && !Process::current().credentials.capable(23)) return Errno::Access;  // CAP_SYS_NICE
  t->nice = nice;
  return 0;
}

}  // namespace uni::shim

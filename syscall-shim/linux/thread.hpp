// SPDX-License-Identifier: Apache-2.0
// Handlers of the thread family: clone, exit, futexes, scheduling parameters, thread-local state.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::shim {

struct CloneArguments {  // struct clone_args (clone(2))
  u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
struct SchedParam {
  i32 priority;
};
struct SchedAttributes {  // struct sched_attr (sched_setattr(2))
  u32 size, policy;
  u64 flags;
  i32 nice;
  u32 priority;
  u64 runtime, deadline, period;
  u32 clamp_min, clamp_max;
};
struct FutexWaitAbi {  // struct futex_waitv
  u64 value, address;
  u32 flags, reserved;
};
struct TimespecAbi {
  i64 seconds, nanoseconds;
};

Result<i64> sys_clone(u64 flags, u64 stack, UserPtr<i32> parent_tid, UserPtr<i32> child_tid, u64 tls);
Result<i64> sys_clone3(UserPtr<u8> arguments, u64 size);
Result<i64> sys_exit(i32 status);
Result<i64> sys_exit_group(i32 status);
Result<i64> sys_gettid();
Result<i64> sys_set_tid_address(u64 address);
Result<i64> sys_set_robust_list(u64 head, u64 length);
Result<i64> sys_get_robust_list(i32 tid, UserPtr<u64> head, UserPtr<u64> length);
Result<i64> sys_futex(UserPtr<u32> word, i32 operation, u32 value, u64 timeout_or_value2, UserPtr<u32> word2,
                      u32 value3);
Result<i64> sys_futex_waitv(UserPtr<FutexWaitAbi> user, u32 count, u32 flags, u64 timeout, i32 clock);
Result<i64> sys_futex_wait(UserPtr<u32> word, u64 value, u64 mask, u32 flags, u64 timeout, i32 clock);
Result<i64> sys_futex_wake(UserPtr<u32> word, u64 mask, i32 count, u32 flags);
Result<i64> sys_futex_requeue(UserPtr<FutexWaitAbi> user, u32 flags, i32 wake_count, i32 move_count);
Result<i64> sys_unshare(u64 flags);
Result<i64> sys_setns(i32 fd, i32 type);
Result<i64> sys_ioprio_get(i32 which, i32 who);
Result<i64> sys_ioprio_set(i32 which, i32 who, i32 priority);
Result<i64> sys_sched_yield();
Result<i64> sys_sched_setparam(i32 tid, UserPtr<SchedParam> param);
Result<i64> sys_sched_getparam(i32 tid, UserPtr<SchedParam> param);
Result<i64> sys_sched_setscheduler(i32 tid, i32 policy, UserPtr<SchedParam> param);
Result<i64> sys_sched_getscheduler(i32 tid);
Result<i64> sys_sched_setattr(i32 tid, UserPtr<u8> attributes, u32 flags);
Result<i64> sys_sched_getattr(i32 tid, UserPtr<u8> out, u32 size, u32 flags);
Result<i64> sys_sched_get_priority_max(i32 policy);
Result<i64> sys_sched_get_priority_min(i32 policy);
Result<i64> sys_sched_rr_get_interval(i32 tid, UserPtr<TimespecAbi> out);
Result<i64> sys_sched_setaffinity(i32 tid, u32 size, UserPtr<u8> mask);
Result<i64> sys_sched_getaffinity(i32 tid, u32 size, UserPtr<u8> mask);
Result<i64> sys_getpriority(i32 which, i32 who);
Result<i64> sys_setpriority(i32 which, i32 who, i32 nice);
Result<i64> sys_arch_prctl(i32 code, u64 address);
Result<i64> sys_getcpu(UserPtr<u32> cpu, UserPtr<u32> node, u64 unused);
Result<i64> sys_rseq(u64 address, u32 length, i32 flags, u32 signature);

// Wakes up to `count` waiters of a futex word of the current process: for clear_child_tid and robust lists.
void futex_wake_word(u64 address, u32 count);

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// Handlers of the time family: clocks, sleeping, interval timers, POSIX timers.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "kernel/time/clock.hpp"
#include "syscall-shim/abi/time.hpp"

namespace uni::shim {

Result<i64> sys_clock_gettime(i32 clock, UserPtr<abi::Timespec> out);
Result<i64> sys_clock_getres(i32 clock, UserPtr<abi::Timespec> out);
Result<i64> sys_clock_settime(i32 clock, UserPtr<abi::Timespec> value);
Result<i64> sys_clock_adjtime(i32 clock, UserPtr<abi::Timex> change);
Result<i64> sys_adjtimex(UserPtr<abi::Timex> change);
Result<i64> sys_gettimeofday(UserPtr<abi::Timeval> out, UserPtr<abi::Timezone> zone);
Result<i64> sys_settimeofday(UserPtr<abi::Timeval> value, UserPtr<abi::Timezone> zone);
Result<i64> sys_time(UserPtr<i64> out);
Result<i64> sys_times(UserPtr<abi::Tms> out);
Result<i64> sys_nanosleep(UserPtr<abi::Timespec> duration, UserPtr<abi::Timespec> remaining);
Result<i64> sys_clock_nanosleep(i32 clock, i32 flags, UserPtr<abi::Timespec> duration,
                                UserPtr<abi::Timespec> remaining);

Result<i64> sys_getitimer(i32 which, UserPtr<abi::Itimerval> out);
Result<i64> sys_setitimer(i32 which, UserPtr<abi::Itimerval> value, UserPtr<abi::Itimerval> old);
Result<i64> sys_alarm(u32 seconds);
Result<i64> sys_timer_create(i32 clock, UserPtr<abi::Sigevent> event, UserPtr<i32> id);
Result<i64> sys_timer_settime(i32 id, i32 flags, UserPtr<abi::Itimerspec> value, UserPtr<abi::Itimerspec> old);
Result<i64> sys_timer_gettime(i32 id, UserPtr<abi::Itimerspec> out);
Result<i64> sys_timer_getoverrun(i32 id);
Result<i64> sys_timer_delete(i32 id);

// --- helpers for other families (futex, sockets, poll) ---

// Nanoseconds of a duration; too long ones saturate. Errors: Invalid (negative, or tv_nsec out of range).
Result<u64> duration_ns(const abi::Timespec& value);
Result<u64> duration_ns(const abi::Timeval& value);
// The same of a duration in the program's memory. Errors: Fault, Invalid.
Result<u64> read_duration(UserPtr<abi::Timespec> from);
// The monotonic deadline `timeout` from now: kNever for a null pointer. Errors: Fault, Invalid.
Result<u64> read_deadline(UserPtr<abi::Timespec> timeout);
// The monotonic deadline of an absolute time on CLOCK_REALTIME or a monotonic clock.
u64 absolute_deadline(i32 clock, u64 at_ns);
abi::Timespec to_timespec(u64 ns);
abi::Timeval to_timeval(u64 ns);

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// Linux's time structures and constants, x86-64 layout.
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct Timespec {
  i64 tv_sec;
  i64 tv_nsec;
};
static_assert(sizeof(Timespec) == 16);

struct Timeval {
  i64 tv_sec;
  i64 tv_usec;
};
static_assert(sizeof(Timeval) == 16);

struct Timezone {
  i32 tz_minuteswest;
  i32 tz_dsttime;
};

struct Itimerspec {
  Timespec it_interval;
  Timespec it_value;
};
static_assert(sizeof(Itimerspec) == 32);

struct Itimerval {
  Timeval it_interval;
  Timeval it_value;
};
static_assert(sizeof(Itimerval) == 32);

struct Tms {
  i64 tms_utime, tms_stime, tms_cutime, tms_cstime;
};
static_assert(sizeof(Tms) == 32);

struct Timex {
  u32 modes;
  u32 pad0;
  i64 offset, freq, maxerror, esterror;
  i32 status;
  u32 pad1;
  i64 constant, precision, tolerance;
  Timeval time;
  i64 tick, ppsfreq, jitter;
  i32 shift;
  u32 pad2;
  i64 stabil, jitcnt, calcnt, errcnt, stbcnt;
  i32 tai;
  i32 pad3[11];
};
static_assert(sizeof(Timex) == 208);

// clockid_t
inline constexpr i32 kClockRealtime = 0;
inline constexpr i32 kClockMonotonic = 1;
inline constexpr i32 kClockProcessCpu = 2;
inline constexpr i32 kClockThreadCpu = 3;
inline constexpr i32 kClockMonotonicRaw = 4;
inline constexpr i32 kClockRealtimeCoarse = 5;
inline constexpr i32 kClockMonotonicCoarse = 6;
inline constexpr i32 kClockBoottime = 7;
inline constexpr i32 kClockRealtimeAlarm = 8;
inline constexpr i32 kClockBoottimeAlarm = 9;
inline constexpr i32 kClockTai = 11;

inline constexpr i32 kTimerAbsolute = 1;  // TIMER_ABSTIME, TFD_TIMER_ABSTIME
inline constexpr i32 kTimerCancelOnSet = 2;

// setitimer(2)
inline constexpr i32 kItimerReal = 0;
inline constexpr i32 kItimerVirtual = 1;
inline constexpr i32 kItimerProf = 2;

// struct sigevent, sigev_notify
inline constexpr i32 kNotifySignal = 0;
inline constexpr i32 kNotifyNone = 1;
inline constexpr i32 kNotifyThread = 2;
inline constexpr i32 kNotifyThreadId = 4;
struct Sigevent {
  u64 sigev_value;
  i32 sigev_signo;
  i32 sigev_notify;
  i32 sigev_thread_id;
  i32 pad[11];
};
static_assert(sizeof(Sigevent) == 64);

// Bounds of user times in nanoseconds arithmetic (Linux: KTIME_SEC_MAX).
inline constexpr i64 kTimeSecMax = 9'223'372'036;

inline constexpr i64 kUserHz = 100;

}  // namespace uni::abi

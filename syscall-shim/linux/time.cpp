// SPDX-License-Identifier: Apache-2.0
// Clocks: clock_gettime(2) and its family. All monotonic clocks are one, as nothing slews them; CLOCK_TAI is
// CLOCK_REALTIME, the offset not being known, as on a Linux machine that was not told.
#include "syscall-shim/linux/time.hpp"

#include "kernel/sched/process.hpp"
#include "kernel/time/cpu_time.hpp"
#include "syscall-shim/abi/process.hpp"
#include "syscall-shim/linux/time_clocks.hpp"

namespace uni::shim {

namespace {

// What the kernel's clocks resolve (clock_getres(2)): a nanosecond, and for the coarse ones Linux's 250 Hz tick.
constexpr u64 kResolution = 1;
constexpr u64 kCoarseResolution = 4'000'000;

// A realtime that Linux's ktime_t holds.
Result<u64> settable_ns(const abi::Timespec& value) {
  if (value.tv_sec < 0 || value.tv_sec >= abi::kTimeSecMax || value.tv_nsec < 0 || value.tv_nsec >= 1'000'000'000)
    return Errno::Invalid;
  return static_cast<u64>(value.tv_sec) * time::kSecond + static_cast<u64>(value.tv_nsec);
}

Result<i64> set_clock(const abi::Timespec& value) {
  const u64 ns = TRY(settable_ns(value));
  if (!Process::current().credentials.capable(abi::kCapSysTime)) return Errno::NotPermitted;
  time::set_realtime(ns);
  return 0;
}

}  // namespace

Result<u64> duration_ns(const abi::Timespec& value) {
  if (value.tv_sec < 0 || value.tv_nsec < 0 || value.tv_nsec >= 1'000'000'000) return Errno::Invalid;
  if (value.tv_sec >= abi::kTimeSecMax) return static_cast<u64>(abi::kTimeSecMax) * time::kSecond;
  return static_cast<u64>(value.tv_sec) * time::kSecond + static_cast<u64>(value.tv_nsec);
}

Result<u64> duration_ns(const abi::Timeval& value) {
  if (value.tv_sec < 0 || value.tv_usec < 0 || value.tv_usec >= 1'000'000) return Errno::Invalid;
  return duration_ns(abi::Timespec{value.tv_sec, value.tv_usec * 1000});
}

Result<u64> read_duration(UserPtr<abi::Timespec> from) {
  const abi::Timespec value = TRY(from.read());
  return duration_ns(value);
}

Result<u64> read_deadline(UserPtr<abi::Timespec> timeout) {
  if (!timeout) return u64{time::kNever};
  const u64 duration = TRY(read_duration(timeout));
  return duration == 0 ? u64{0} : time::deadline_after(duration);
}

u64 absolute_deadline(i32 clock, u64 at_ns) {
  if (clock != abi::kClockRealtime && clock != abi::kClockTai && clock != abi::kClockRealtimeAlarm) return at_ns;
  const u64 offset = time::realtime_offset_ns();
  return at_ns > offset ? at_ns - offset : 0;
}

abi::Timespec to_timespec(u64 ns) {
  return {static_cast<i64>(ns / time::kSecond), static_cast<i64>(ns % time::kSecond)};
}

abi::Timeval to_timeval(u64 ns) {
  return {static_cast<i64>(ns / time::kSecond), static_cast<i64>(ns % time::kSecond / 1000)};
}

// A negative clock id is a process's or thread's CPU-time clock: ~number << 3 | 4 for a thread | kind (Linux's
// posix-cpu-timers: 0 user and system, 1 user, 2 scheduled time). An even one with kind 3 is a descriptor's, of which
// there are none here.
Result<CpuClock> decode_cpu_clock(i32 clock) {
  CpuClock out;
  Thread& self = Thread::current();
  if (clock == abi::kClockProcessCpu || clock == abi::kClockThreadCpu) {
    out.thread = RefPtr<Thread>(&self);
    out.per_thread = clock == abi::kClockThreadCpu;
    return out;
  }
  if (clock >= 0 || (clock & 3) == 3) return Errno::Invalid;
  const u32 number = static_cast<u32>(~(clock >> 3));
  out.per_thread = (clock & 4) != 0;
  out.user_only = (clock & 3) == 1;
  if (number == 0 || number == raw(self.tid())) {
    out.thread = RefPtr<Thread>(&self);
  } else {
    out.thread = Process::find_thread(Tid{number});
  }
  if (!out.thread || &out.thread->process() != &self.process()) return Errno::Invalid;
  if (!out.per_thread && number != 0 && number != raw(self.process().pid())) return Errno::Invalid;
  return out;
}

Result<u64> read_clock(i32 clock) {
  switch (clock) {
    case abi::kClockMonotonic:
    case abi::kClockMonotonicRaw:
    case abi::kClockMonotonicCoarse:
    case abi::kClockBoottime:
    case abi::kClockBoottimeAlarm:
      return time::monotonic_ns();
    case abi::kClockRealtime:
    case abi::kClockRealtimeCoarse:
    case abi::kClockRealtimeAlarm:
    case abi::kClockTai:
      return time::realtime_ns();
    default: {
      const CpuClock cpu = TRY(decode_cpu_clock(clock));
      const time::CpuTime used = cpu.per_thread ? time::cpu_time(*cpu.thread) : time::cpu_time(cpu.thread->process());
      return cpu.user_only ? u64{used.user_ns} : used.total_ns();
    }
  }
}

// clock_gettime(2).
Result<i64> sys_clock_gettime(i32 clock, UserPtr<abi::Timespec> out) {
  const u64 now = TRY(read_clock(clock));
  TRY(out.write(to_timespec(now)));
  return 0;
}

// clock_getres(2).
Result<i64> sys_clock_getres(i32 clock, UserPtr<abi::Timespec> out) {
  TRY(read_clock(clock));
  const bool coarse = clock == abi::kClockRealtimeCoarse || clock == abi::kClockMonotonicCoarse;
  if (out) TRY(out.write(to_timespec(coarse ? kCoarseResolution : kResolution)));
  return 0;
}

// clock_settime(2).
Result<i64> sys_clock_settime(i32 clock, UserPtr<abi::Timespec> value) {
  if (clock != abi::kClockRealtime) return Errno::Invalid;
  return set_clock(TRY(value.read()));
}

// clock_adjtime(2): reading only.
Result<i64> sys_clock_adjtime(i32 clock, UserPtr<abi::Timex> change) {
  if (clock != abi::kClockRealtime) return Errno::Invalid;
  return sys_adjtimex(change);
}

// adjtimex(2): reading only; nobody disciplines this clock, so it says TIME_ERROR, as Linux does then.
Result<i64> sys_adjtimex(UserPtr<abi::Timex> change) {
  constexpr i32 kStatusUnsync = 0x40;
  constexpr i64 kTimeError = 5;
  abi::Timex state = TRY(change.read());
  if (state.modes != 0) return Errno::NotPermitted;
  __builtin_memset(&state, 0, sizeof state);
  state.maxerror = state.esterror = 16'000'000;
  state.status = kStatusUnsync;
  state.constant = 2;
  state.precision = 1;
  state.tolerance = 32'768'000;
  state.tick = 10'000;
  state.time = to_timeval(time::realtime_ns());
  TRY(change.write(state));
  return kTimeError;
}

// gettimeofday(2). The kernel keeps no time zone: it is UTC.
Result<i64> sys_gettimeofday(UserPtr<abi::Timeval> out, UserPtr<abi::Timezone> zone) {
  if (out) TRY(out.write(to_timeval(time::realtime_ns())));
  if (zone) TRY(zone.write({0, 0}));
  return 0;
}

// settimeofday(2). A time zone is looked at and dropped.
Result<i64> sys_settimeofday(UserPtr<abi::Timeval> value, UserPtr<abi::Timezone> zone) {
  abi::Timeval wanted{};
  if (value) {
    wanted = TRY(value.read());
    if (wanted.tv_usec < 0 || wanted.tv_usec > 1'000'000) return Errno::Invalid;
  }
  if (zone) {
    const abi::Timezone given = TRY(zone.read());
    if (!Process::current().credentials.capable(abi::kCapSysTime)) return Errno::NotPermitted;
    if (given.tz_minuteswest > 15 * 60 || given.tz_minuteswest < -15 * 60) return Errno::Invalid;
  }
  if (!value) return 0;
  return set_clock({wanted.tv_sec, wanted.tv_usec * 1000});
}

// time(2).
Result<i64> sys_time(UserPtr<i64> out) {
  const i64 now = static_cast<i64>(time::realtime_ns() / time::kSecond);
  if (out) TRY(out.write(now));
  return now;
}

// times(2). There are no children whose times could be added.
Result<i64> sys_times(UserPtr<abi::Tms> out) {
  constexpr u64 kTick = time::kSecond / abi::kUserHz;
  if (out) {
    const time::CpuTime used = time::cpu_time(Process::current());
    ResourceUsage children;
    {
      LockGuard guard(process_tree_lock());
      children = Process::current().children_usage;
    }
    TRY(out.write({static_cast<i64>(used.user_ns / kTick), static_cast<i64>(used.system_ns / kTick),
                   static_cast<i64>(time::cycles_to_ns(children.user_cycles) / kTick),
                   static_cast<i64>(time::cycles_to_ns(children.system_cycles) / kTick)}));
  }
  return static_cast<i64>(time::monotonic_ns() / kTick);
}

}  // namespace uni::shim

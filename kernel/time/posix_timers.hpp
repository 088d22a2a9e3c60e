// SPDX-License-Identifier: Apache-2.0
// A process's own timers: timer_create(2) and setitimer(2). They tell by signal. None of the functions blocks.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/signal/signal.hpp"
#include "kernel/time/alarm.hpp"

namespace uni::time {

// SI_TIMER: the code of a POSIX timer's signal.
inline constexpr int kTimerCode = -2;

// What an expiry does: `number` 0 tells nobody; `thread` null means the process.
struct TimerSignal {
  int number = 0;
  u64 value = 0;
  bool value_is_id = false;  // sigev_value defaults to the timer's id
  RefPtr<Thread> thread;
};

// `cpu_thread`: whose time a kThreadCpu clock shows. Gives the timer's id. Errors: NoMemory, Again (too many).
Result<int> timer_create(Process& process, AlarmClock clock, RefPtr<Thread> cpu_thread, TimerSignal signal);
// A value of 0 disarms; `absolute`: the value is a time on the timer's clock. Gives the old setting. Errors: Invalid
// (no such timer), as all below.
enum class TimerStart : u8 { kRelative, kAbsolute };
Result<Alarm::Setting> timer_set(Process& process, int id, TimerStart start, Alarm::Setting setting);
Result<Alarm::Setting> timer_get(Process& process, int id);
Result<int> timer_overrun(Process& process, int id);
Result<void> timer_delete(Process& process, int id);

// Called when a signal with kTimerCode is taken: fills in the overrun and starts the next interval.
void timer_signal_taken(Process& process, signal::Info& info);

// setitimer(2)'s three.
enum class IntervalKind : u8 { kReal, kVirtual, kProfile };
inline constexpr unsigned kIntervalKinds = 3;
Result<Alarm::Setting> interval_set(Process& process, IntervalKind kind, Alarm::Setting setting);
Alarm::Setting interval_get(Process& process, IntervalKind kind);
// Counts RLIMIT_CPU down as it is set now. Errors: NoMemory.
Result<void> watch_cpu_limit(Process& process);

// On execve POSIX timers go and interval timers stay (timer_create(2), setitimer(2)); at the end of the process both
// go.
void release_posix_timers(Process& process);
void release_timers(Process& process);

}  // namespace uni::time

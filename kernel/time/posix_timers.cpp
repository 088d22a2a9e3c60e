// SPDX-License-Identifier: Apache-2.0
// POSIX timers. As on Linux, an interval timer whose signal waits is not armed again before the signal is taken: the
// intervals that pass meanwhile are the overrun (timer_getoverrun(2)), and a tiny interval cannot flood the machine.
#include "kernel/time/posix_timers.hpp"

#include "kernel/base/vector.hpp"
#include "kernel/sched/process.hpp"

namespace uni::time {

namespace {

constexpr int kMostTimers = 4096;
constexpr int kMostOverrun = 0x7fffffff;  // DELAYTIMER_MAX

struct PosixTimer : RefCounted {
  PosixTimer(Process& owner, AlarmClock clock, RefPtr<Thread> cpu, TimerSignal to)
      : process(owner),
        cpu_thread(move(cpu)),
        target(move(to)),
        alarm(clock, expired, this, &owner, cpu_thread.get()) {}

  static void expired(void* self);

  Process& process;
  RefPtr<Thread> cpu_thread;
  TimerSignal target;
  int id = 0;
  int last_overrun = 0;   // of the signal taken last
  u64 pending_count = 0;  // expiries that the waiting signal stands for
  Alarm alarm;
};

// Guards the table and the fields of the timers that are not the alarm's own.
struct PosixTimers {
  SpinLock lock{Rank::kSocketTable};
  Vector<PosixTimer*> slots;
};

PosixTimers* timers_of(Process& process) {
  return static_cast<PosixTimers*>(process.posix_timers);
}

Result<RefPtr<PosixTimer>> find(Process& process, int id) {
  PosixTimers* timers = timers_of(process);
  if (timers == nullptr || id < 0) return Errno::Invalid;
  LockGuard guard(timers->lock);
  if (static_cast<usize>(id) >= timers->slots.size() || timers->slots[static_cast<usize>(id)] == nullptr)
    return Errno::Invalid;
  return RefPtr<PosixTimer>(timers->slots[static_cast<usize>(id)]);
}

void PosixTimer::expired(void* self) {
  PosixTimer& timer = *static_cast<PosixTimer*>(self);
  PosixTimers* timers = timers_of(timer.process);
  const bool silent = timer.target.number == 0;
  const bool drop = silent || (timer.target.thread && timer.target.thread->must_exit) ||
                    signal::would_ignore(timer.process, timer.target.number);
  const u64 count = timer.alarm.take_expired(drop ? Alarm::Rearm::kNow : Alarm::Rearm::kLater);
  if (count == 0 || drop) return;
  signal::Info info;
  {
    LockGuard guard(timers->lock);
    timer.pending_count = count;
    info.number = timer.target.number;
    info.code = kTimerCode;
    info.timer_id = timer.id;
    info.value = timer.target.value;
  }
  const Result<void> sent =
      timer.target.thread ? signal::send(*timer.target.thread, info) : signal::send(timer.process, info);
  if (!sent.ok()) timer.alarm.rearm();
}

void remove(PosixTimers& timers, usize slot) {
  PosixTimer* timer = nullptr;
  {
    LockGuard guard(timers.lock);
    timer = exchange(timers.slots[slot], nullptr);
  }
  if (timer == nullptr) return;
  timer->alarm.cancel();
  timer->unref();
}

}  // namespace

Result<int> timer_create(Process& process, AlarmClock clock, RefPtr<Thread> cpu_thread, TimerSignal to) {
  if (process.posix_timers == nullptr) {
    OwnPtr<PosixTimers> fresh = TRY(make_own<PosixTimers>());
    LockGuard guard(process.lock);
    if (process.posix_timers == nullptr) process.posix_timers = fresh.release();
  }
  PosixTimers& timers = *timers_of(process);
  RefPtr<PosixTimer> timer = TRY(make_ref<PosixTimer>(process, clock, move(cpu_thread), move(to)));
  LockGuard guard(timers.lock);
  usize slot = 0;
  while (slot < timers.slots.size() && timers.slots[slot] != nullptr)
    ++slot;
  if (slot >= kMostTimers) return Errno::Again;
  if (slot == timers.slots.size()) TRY(timers.slots.push(nullptr));
  timer->id = static_cast<int>(slot);
  if (timer->target.value_is_id) timer->target.value = slot;
  timers.slots[slot] = timer.leak();
  return static_cast<int>(slot);
}

Result<Alarm::Setting> timer_set(Process& process, int id, TimerStart start, Alarm::Setting setting) {
  RefPtr<PosixTimer> timer = TRY(find(process, id));
  const Alarm::Setting old = timer->alarm.get();
  {
    LockGuard guard(timers_of(process)->lock);
    timer->pending_count = 0;
    timer->last_overrun = 0;
  }
  u64 at = kNever;
  if (setting.value != 0) {
    at = setting.value;
    if (start == TimerStart::kRelative && __builtin_add_overflow(timer->alarm.now(), setting.value, &at))
      at = kNever - 1;
  }
  timer->alarm.set(at, setting.value != 0 ? setting.interval : 0);
  return old;
}

Result<Alarm::Setting> timer_get(Process& process, int id) {
  RefPtr<PosixTimer> timer = TRY(find(process, id));
  return timer->alarm.get();
}

Result<int> timer_overrun(Process& process, int id) {
  RefPtr<PosixTimer> timer = TRY(find(process, id));
  LockGuard guard(timers_of(process)->lock);
  return int{timer->last_overrun};
}

Result<void> timer_delete(Process& process, int id) {
  TRY(find(process, id));
  remove(*timers_of(process), static_cast<usize>(id));
  return {};
}

void timer_signal_taken(Process& process, signal::Info& info) {
  auto found = find(process, info.timer_id);
  if (!found.ok()) return;
  RefPtr<PosixTimer> timer = found.take();
  u64 expiries = 0;
  {
    LockGuard guard(timers_of(process)->lock);
    expiries = exchange(timer->pending_count, u64{0});
  }
  if (expiries == 0) return;  // set again since: the signal is of the earlier setting
  expiries += timer->alarm.take_expired(Alarm::Rearm::kLater);
  timer->alarm.rearm();
  LockGuard guard(timers_of(process)->lock);
  timer->last_overrun = static_cast<int>(min<u64>(expiries - 1, kMostOverrun));
  info.overrun = timer->last_overrun;
}

void release_posix_timers(Process& process) {
  PosixTimers* timers = timers_of(process);
  if (timers == nullptr) return;
  for (usize slot = 0; slot < timers->slots.size(); ++slot)
    remove(*timers, slot);
  process.posix_timers = nullptr;
  delete timers;
}

}  // namespace uni::time

// SPDX-License-Identifier: Apache-2.0
// Sending, queueing and taking signals (signal(7)). Invariant: where a thread has a signal that it does not block, in
// its own set or as the chosen one in the process's, its `attention` is set; only the thread itself clears it, before
// it looks. So a blocking call that ends because of pending() always passes through delivery.
#include "kernel/signal/signal.hpp"

#include "kernel/fs/file.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/trace.hpp"
#include "kernel/signal/sets.hpp"
#include "kernel/time/posix_timers.hpp"

namespace uni::signal {

namespace {

constexpr u32 kMaxSpare = 8;

bool ignored(const SignalState& state, int number) {
  const u64 handler = state.actions[number - 1].handler;
  return handler == kHandlerIgnore || (handler == kHandlerDefault && (bit(number) & kIgnoredByDefault) != 0);
}

void recycle(SignalState& state, Queued* item) {
  --state.queued_count;
  if (state.spare_count < kMaxSpare) {
    state.spare.push_front(*item);
    ++state.spare_count;
  } else {
    delete item;
  }
}

void drop(SignalState& state, Pending& pending, Set which) {
  if ((pending.set & which) == 0) return;
  pending.set &= ~which;
  for (Queued& item : pending.queue) {
    if ((bit(item.info.number) & which) == 0) continue;
    pending.queue.remove(item);
    recycle(state, &item);
  }
}

// What programs queue counts against RLIMIT_SIGPENDING; kill(2) and the kernel's own signals then go without their
// siginfo, as on Linux.
Result<void> enqueue(SignalState& state, Pending& pending, const Info& info, u64 limit) {
  if (info.number < kRtMin && (pending.set & bit(info.number)) != 0) return {};
  Queued* item = nullptr;
  if (state.queued_count < limit || (info.number < kRtMin && info.code >= 0)) {
    item = state.spare.pop_front();
    if (item != nullptr)
      --state.spare_count;
    else
      item = new (std::nothrow) Queued;
  }
  if (item != nullptr) {
    item->info = info;
    pending.queue.push_back(*item);
    ++state.queued_count;
  } else if (info.number >= kRtMin && info.code != 0) {
    return Errno::Again;
  }
  pending.set |= bit(info.number);
  return {};
}

bool take(SignalState& state, Pending& pending, Set wanted, Info* out) {
  Set ready = pending.set & wanted;
  if (ready == 0) return false;
  if ((ready & kSynchronous) != 0) ready &= kSynchronous;
  const int number = __builtin_ctzll(ready) + 1;
  Queued* found = nullptr;
  bool more = false;
  for (Queued& item : pending.queue) {
    if (item.info.number != number) continue;
    if (found != nullptr) {
      more = true;
      break;
    }
    found = &item;
  }
  if (!more) pending.set &= ~bit(number);
  if (found != nullptr) {
    *out = found->info;
    pending.queue.remove(*found);
    recycle(state, found);
  } else {
    *out = Info{};
    out->number = number;
  }
  return true;
}

void call_attention(Thread& thread) {
  thread.attention.store(true, std::memory_order_seq_cst);
  if (&thread != &Thread::current()) sched::kick(thread);
}

// Stop signals and SIGCONT cancel each other when they are sent, whatever the disposition (POSIX). Without a target
// needs Process::lock, too.
void cancel_opposites(Process& process, Thread* target, int number) {
  SignalState& state = *process.signals;
  Set opposite = 0;
  if (number == kCont) opposite = kStopping;
  if ((bit(number) & kStopping) != 0) opposite = bit(kCont);
  if (opposite == 0) return;
  drop(state, state.shared, opposite);
  if (target != nullptr) {
    drop(state, target->pending, opposite);
  } else {
    for (Thread& thread : process.threads)
      drop(state, thread.pending, opposite);
  }
  if (number == kCont && state.stopped.exchange(false)) {
    state.continued.store(true);
    state.stop_queue.wake_all();
  }
}

void tell_observers(SignalState& state) {
  if (state.signalfd_queue.has_waiters()) state.signalfd_queue.wake_all(fs::kPollIn);
}

// Needs Process::lock and SignalState::lock. The current thread is preferred, so that kill(getpid()) acts before it
// returns (POSIX).
Thread* choose(Process& process, Set signal, const Thread* except) {
  Thread& current = Thread::current();
  if (!current.is_kernel() && &current.process() == &process && &current != except && !current.must_exit &&
      (current.blocked & signal) == 0) {
    return &current;
  }
  for (Thread& thread : process.threads) {
    if (&thread != except && (thread.blocked & signal) == 0 && !thread.must_exit) return &thread;
  }
  return nullptr;
}

// An ignored signal is kept where a thread blocks it: that may be waiting for it with sigwait or a signalfd; and where
// one is traced. Needs both locks.
bool dropped(Process& process, int number) {
  if (!ignored(*process.signals, number) || process.traced.load() != 0) return false;
  for (const Thread& thread : process.threads) {
    if ((thread.blocked & bit(number)) != 0) return false;
  }
  return true;
}

// Gives signals of the process that `thread` will no longer take to other threads.
void retarget(Process& process, const Thread& thread, Set which) {
  LockGuard process_guard(process.lock);
  LockGuard guard(process.signals->lock);
  Set left = process.signals->shared.set & which;
  while (left != 0) {
    const Set one = left & -left;
    left &= ~one;
    if (Thread* other = choose(process, one, &thread)) call_attention(*other);
  }
}

}  // namespace

SignalState::~SignalState() {
  while (Queued* item = shared.queue.pop_front())
    delete item;
  while (Queued* item = spare.pop_front())
    delete item;
}

Result<RefPtr<SignalState>> copy_state(SignalState& parent, CopyHandlers how) {
  auto child = TRY(make_ref<SignalState>());
  if (how == CopyHandlers::kShare) {
    child->lender = parent.lender ? parent.lender : RefPtr<SignalState>(&parent);
    child->actions = child->lender->own_actions;
    return child;
  }
  LockGuard guard(parent.lock);
  for (int i = 0; i < kCount; ++i) {
    const Action& from = parent.actions[i];
    if (how == CopyHandlers::kCopy || from.handler == kHandlerIgnore) child->own_actions[i] = from;
  }
  return child;
}

bool would_ignore(Process& process, int number) {
  LockGuard process_guard(process.lock);
  LockGuard guard(process.signals->lock);
  return dropped(process, number);
}

namespace {
void kill(Process& process) {
  if (process.exiting() && process.traced.load() != 0) trace::release_exit_stops(process);
  process.begin_exit(kKill);
}
}  // namespace

Result<void> send(Process& to, const Info& info) {
  if (&to == Process::init()) return {};
  if (info.number == kKill) {
    kill(to);
    return {};
  }
  SignalState& state = *to.signals;
  LockGuard process_guard(to.lock);
  LockGuard guard(state.lock);
  cancel_opposites(to, nullptr, info.number);
  if (info.number == kCont && to.traced.load() != 0) trace::group_continued(to);
  const Set signal = bit(info.number);
  if (dropped(to, info.number)) return {};
  TRY(enqueue(state, state.shared, info, to.limits[kLimitSignals].soft));
  if (Thread* thread = choose(to, signal, nullptr)) call_attention(*thread);
  tell_observers(state);
  return {};
}

Result<void> send(Thread& to, const Info& info) {
  Process& process = to.process();
  if (&process == Process::init()) return {};
  if (info.number == kKill) {
    kill(process);
    return {};
  }
  if (info.number == kCont && process.traced.load() != 0) {
    LockGuard process_guard(process.lock);
    trace::group_continued(process);
  }
  SignalState& state = *process.signals;
  LockGuard guard(state.lock);
  cancel_opposites(process, &to, info.number);
  const bool blocked = (to.blocked & bit(info.number)) != 0;
  if (!blocked && ignored(state, info.number) && trace::of(to) == nullptr) return {};
  TRY(enqueue(state, to.pending, info, process.limits[kLimitSignals].soft));
  if (!blocked) call_attention(to);
  tell_observers(state);
  return {};
}

Result<void> send_to_group(u32 group, const Info& info) {
  bool found = false;
  Process::for_each([&](Process& p) {
    if (raw(p.group()) != group) return;
    found = true;
    (void)send(p, info).ok();  // what has no room is pending already
  });
  if (!found) return Errno::NoProcess;
  return {};
}

void force(Thread& to, const Info& info) {
  SignalState& state = *to.process().signals;
  LockGuard guard(state.lock);
  Action& action = state.actions[info.number - 1];
  const Set signal = bit(info.number);
  if (action.handler == kHandlerIgnore || (to.blocked & signal) != 0) {
    action.handler = kHandlerDefault;
    to.blocked &= ~signal;
  }
  (void)enqueue(state, to.pending, info, kUnlimited).ok();  // without memory it goes without its siginfo
  call_attention(to);
}

bool pending(const Thread& thread) {
  return thread.attention.load(std::memory_order_seq_cst);
}

bool fatal_pending(const Thread& thread) {
  return thread.must_exit.load(std::memory_order_seq_cst);
}

bool dequeue(Thread& thread, Set wanted, Info* out) {
  SignalState& state = *thread.process().signals;
  {
    LockGuard guard(state.lock);
    if (!take(state, thread.pending, wanted, out) && !take(state, state.shared, wanted, out)) return false;
  }
  if (out->code == time::kTimerCode) time::timer_signal_taken(thread.process(), *out);
  return true;
}

Delivery next_delivery(Thread& thread, Info* info, Action* action) {
  SignalState& state = *thread.process().signals;
  for (;;) {
    {
      LockGuard guard(state.lock);
      const Set wanted = ~thread.blocked;
      if (!take(state, thread.pending, wanted, info) && !take(state, state.shared, wanted, info)) {
        return Delivery::kNothing;
      }
    }
    if (info->number != kKill && trace::of(thread) != nullptr && !trace::signal_stop(thread, info)) continue;
    {
      LockGuard guard(state.lock);
      Action& current = state.actions[info->number - 1];
      *action = current;
      if (action->handler > kHandlerIgnore && (action->flags & kResetHand) != 0) current.handler = kHandlerDefault;
    }
    if (info->code == time::kTimerCode) time::timer_signal_taken(thread.process(), *info);
    if (action->handler > kHandlerIgnore) return Delivery::kHandler;
    const Set signal = bit(info->number);
    if (action->handler == kHandlerIgnore || (signal & kIgnoredByDefault) != 0) continue;
    if ((signal & kStopping) == 0) return Delivery::kFatal;
    // In an orphaned group the terminal's stop signals do nothing (POSIX): nobody could make it go on.
    if (info->number == kStop) return Delivery::kStop;
    LockGuard guard(process_tree_lock());
    if (!Process::group_is_orphaned(thread.process().group())) return Delivery::kStop;
  }
}

void stop(Process& process, int number) {
  {
    LockGuard guard(process.lock);
    if (process.exiting()) return;
    process.signals->stop_signal.store(number);
    process.signals->stop_count.fetch_add(1);
    process.signals->stopped.store(true);
    for (Thread& thread : process.threads)
      call_attention(thread);
  }
  report_stopped(process, number);
}

void wait_while_stopped(Thread& thread) {
  SignalState& state = *thread.process().signals;
  auto over = [&] { return !state.stopped.load() || thread.must_exit.load() || trace::of(thread) != nullptr; };
  while (!over())  // a tracee stops for its tracer instead
    (void)state.stop_queue.wait(over, time::kNever, Sleep::kKillable);
  if (!thread.must_exit.load() && !state.stopped.load() && state.continued.exchange(false))
    report_continued(thread.process());
}

void detach(Thread& thread) {
  SignalState& state = *thread.process().signals;
  Set given = 0;
  {
    LockGuard guard(state.lock);
    drop(state, thread.pending, ~Set{0});
    given = ~thread.blocked;
    thread.blocked = ~Set{0};
  }
  if (!thread.process().exiting()) retarget(thread.process(), thread, given);
}

void reset_for_exec(Thread& thread) {
  SignalState& state = *thread.process().signals;
  RefPtr<SignalState> lender;
  LockGuard guard(state.lock);
  for (int i = 0; i < kCount; ++i) {
    const u64 handler = state.actions[i].handler == kHandlerIgnore ? kHandlerIgnore : kHandlerDefault;
    state.own_actions[i] = Action{};
    state.own_actions[i].handler = handler;
  }
  state.actions = state.own_actions;
  swap(lender, state.lender);
  thread.alt_stack_base = thread.alt_stack_size = 0;
  thread.alt_stack_flags = 2;
}

void set_action(Process& process, int number, const Action& action) {
  SignalState& state = *process.signals;
  LockGuard process_guard(process.lock);
  LockGuard guard(state.lock);
  state.actions[number - 1] = action;
  if (!ignored(state, number)) return;
  drop(state, state.shared, bit(number));
  for (Thread& thread : process.threads)
    drop(state, thread.pending, bit(number));
}

void post_bare(Thread& thread, int number) {
  SignalState& state = *thread.process().signals;
  LockGuard guard(state.lock);
  thread.pending.set |= bit(number);
  call_attention(thread);
}

bool peek(Thread& thread, bool shared, u64 index, Info* out) {
  SignalState& state = *thread.process().signals;
  LockGuard guard(state.lock);
  for (Queued& item : (shared ? state.shared : thread.pending).queue) {
    if (index-- != 0) continue;
    *out = item.info;
    return true;
  }
  return false;
}

Set pending_set(Thread& thread) {
  SignalState& state = *thread.process().signals;
  LockGuard guard(state.lock);
  return (thread.pending.set | state.shared.set) & thread.blocked;
}

void set_blocked(Thread& thread, Set blocked) {
  Process& process = thread.process();
  SignalState& state = *process.signals;
  blocked &= ~kUnblockable;
  Set given = 0;
  {
    LockGuard guard(state.lock);
    given = state.shared.set & blocked & ~thread.blocked;
    thread.blocked = blocked;
    if (((thread.pending.set | state.shared.set) & ~blocked) != 0) thread.attention.store(true);
  }
  if (given != 0 && process.thread_count > 1) retarget(process, thread, given);
}

}  // namespace uni::signal

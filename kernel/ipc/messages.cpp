// SPDX-License-Identifier: Apache-2.0
#include "kernel/ipc/messages.hpp"

#include "kernel/ipc/limits.hpp"

namespace uni::ipc {

namespace {
constinit SpinLock lock{Rank::kPipe};
constinit TableOf<MessageQueue> table;
constinit MessageTotals totals{};

bool matches(const Message& m, const Wanted& w) {
  switch (w.selection) {
    case Selection::kEqual:
      return m.type == w.type;
    case Selection::kNotEqual:
      return m.type != w.type;
    case Selection::kAtMost:
      return m.type <= w.type;
    default:
      return true;
  }
}

Message* choose(const MessageQueue& queue, const Wanted& w) {
  Message* best = nullptr;
  i64 place = 0;
  for (Message* m = queue.messages.front(); m != nullptr; m = queue.messages.next(*m)) {
    if (w.selection == Selection::kNumber) {
      if (place++ == w.type) return m;
      continue;
    }
    if (!matches(*m, w)) continue;
    if (w.selection != Selection::kAtMost) return m;
    if (best == nullptr || m->type < best->type) best = m;  // the lowest type, the first of it
  }
  return best;
}

void finish(Receiver& r, int outcome) {
  List<Receiver, &Receiver::node>::remove(r);
  r.outcome.store(outcome, std::memory_order_release);
  r.queue.wake_all();
}

// Hands the message to a receiver that waits for it; false when nobody does.
bool hand_over(MessageQueue& queue, Message& message) {
  for (Receiver& r : queue.receivers) {
    if (!matches(message, r.wanted)) continue;
    if (message.text.size() > r.wanted.capacity && !r.wanted.truncate) {
      finish(r, static_cast<int>(Errno::TooBig));
      continue;
    }
    r.message = &message;
    queue.last_receiver = r.pid;
    queue.received = now_seconds();
    finish(r, 0);
    return true;
  }
  return false;
}

Result<OwnPtr<Message>> copy_of(const Message& m) {
  auto copy = TRY(make_own<Message>());
  copy->type = m.type;
  TRY(copy->text.resize(m.text.size()));
  __builtin_memcpy(copy->text.data(), m.text.data(), m.text.size());
  return copy;
}

// What is there already. Null: nothing that is wanted.
Result<OwnPtr<Message>> take(MessageQueue& queue, const Wanted& wanted, u32 pid) {
  Message* m = choose(queue, wanted);
  if (m == nullptr) return OwnPtr<Message>();
  if (m->text.size() > wanted.capacity && !wanted.truncate) return Errno::TooBig;
  if (wanted.selection == Selection::kNumber) return copy_of(*m);
  List<Message, &Message::node>::remove(*m);
  queue.bytes -= m->text.size();
  --queue.count;
  totals.bytes -= m->text.size();
  --totals.messages;
  queue.received = now_seconds();
  queue.last_receiver = pid;
  queue.wake_senders(false);
  return OwnPtr<Message>(m);
}
}  // namespace

MessageQueue::~MessageQueue() {
  while (Message* m = messages.pop_front())
    delete m;
}

void MessageQueue::wake_senders(bool all) {
  for (Sender& s : senders) {
    if (!all && !fits(s.size)) continue;
    List<Sender, &Sender::node>::remove(s);
    s.woken.store(true, std::memory_order_release);
    s.queue.wake_all();
  }
}

void MessageQueue::wake_receivers(Errno outcome) {
  while (Receiver* r = receivers.front())
    finish(*r, static_cast<int>(outcome));
}

SpinLock& message_lock() {
  return lock;
}
TableOf<MessageQueue>& message_table() {
  return table;
}
MessageTotals message_totals() {
  return totals;
}

Result<i32> get_messages(i32 key, u32 flags) {
  LockGuard guard(lock);
  return get(
      table, key, flags, Process::current().credentials, [](MessageQueue&) { return Result<void>(); },
      []() -> Result<RefPtr<MessageQueue>> {
        if (table.count() >= limits.message_queues) return Errno::NoSpace;
        auto made = TRY(make_ref<MessageQueue>());
        made->limit = limits.message_queue_bytes;
        return made;
      });
}

Result<void> send(i32 id, OwnPtr<Message> message, bool no_wait) {
  const Process& process = Process::current();
  const usize size = message->text.size();
  RefPtr<MessageQueue> queue;
  Sender self;
  self.size = size;
  Wake woken = Wake::kReady;
  while (true) {
    {
      LockGuard guard(lock);
      if (!queue) queue = RefPtr<MessageQueue>(TRY(named(table, id, Name::kId)));
      if (self.node.linked()) List<Sender, &Sender::node>::remove(self);
      if (queue->removed) return Errno::IdentifierRemoved;
      if (woken == Wake::kSignal) return Errno::RestartNoHand;
      if (!permitted(*queue, process.credentials, kMayWrite)) return Errno::Access;
      if (queue->fits(size)) {
        queue->last_sender = raw(process.pid());
        queue->sent = now_seconds();
        Message& given = *message.release();
        if (hand_over(*queue, given)) return {};
        queue->messages.push_back(given);
        queue->bytes += size;
        ++queue->count;
        totals.bytes += size;
        ++totals.messages;
        return {};
      }
      if (no_wait) return Errno::Again;
      self.woken.store(false, std::memory_order_relaxed);
      queue->senders.push_back(self);
    }
    woken = self.queue.wait([&] { return self.woken.load(std::memory_order_acquire); });
  }
}

Result<OwnPtr<Message>> receive(i32 id, const Wanted& wanted) {
  const Process& process = Process::current();
  RefPtr<MessageQueue> queue;
  Receiver self;
  self.wanted = wanted;
  self.pid = raw(process.pid());
  while (true) {
    {
      LockGuard guard(lock);
      if (!queue) queue = RefPtr<MessageQueue>(TRY(named(table, id, Name::kId)));
      if (queue->removed) return Errno::IdentifierRemoved;
      if (!permitted(*queue, process.credentials, kMayRead)) return Errno::Access;
      auto there = TRY(take(*queue, wanted, self.pid));
      if (there) return there;
      if (wanted.no_wait) return Errno::NoMessage;
      self.outcome.store(Receiver::kWaiting, std::memory_order_relaxed);
      queue->receivers.push_back(self);
    }
    const auto finished = [&] { return self.outcome.load(std::memory_order_acquire) != Receiver::kWaiting; };
    (void)self.queue.wait(finished);
    LockGuard guard(lock);
    if (!finished()) {
      List<Receiver, &Receiver::node>::remove(self);
      return Errno::RestartNoHand;
    }
    const int outcome = self.outcome.load(std::memory_order_relaxed);
    if (outcome == 0) return OwnPtr<Message>(self.message);
    // Again: IPC_SET changed the permissions or the size; look anew.
    if (outcome != static_cast<int>(Errno::Again)) return static_cast<Errno>(outcome);
  }
}

Result<void> remove_messages(i32 id) {
  RefPtr<MessageQueue> gone;
  LockGuard guard(lock);
  MessageQueue* queue = TRY(named(table, id, Name::kId));
  if (!owned_by(*queue, Process::current().credentials)) return Errno::NotPermitted;
  table.remove(*queue);
  gone = RefPtr<MessageQueue>::adopt(queue);
  totals.bytes -= queue->bytes;
  totals.messages -= queue->count;
  queue->wake_receivers(Errno::IdentifierRemoved);
  queue->wake_senders(true);
  return {};
}

}  // namespace uni::ipc

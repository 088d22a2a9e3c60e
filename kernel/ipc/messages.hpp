// SPDX-License-Identifier: Apache-2.0
// System V message queues (msgop(2)). A sender hands its message to the first waiting receiver that wants it; only what
// nobody waits for is queued.
#pragma once

#include "kernel/base/list.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/ipc/object.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::ipc {

struct Message {
  ListNode node;
  i64 type = 0;
  Vector<char> text;
};

enum class Selection : u8 { kAny, kEqual, kNotEqual, kAtMost, kNumber };

// Which message a receiver wants: MSG_EXCEPT, MSG_NOERROR and MSG_COPY are in it.
struct Wanted {
  Selection selection = Selection::kAny;
  i64 type = 0;  // or the place in the queue (kNumber)
  usize capacity = 0;
  bool truncate = false;
  bool no_wait = false;
};

struct Receiver {
  static constexpr int kWaiting = -1;
  ListNode node;
  Wanted wanted;
  u32 pid = 0;
  Message* message = nullptr;
  std::atomic<int> outcome{kWaiting};  // then 0, or an Errno's number
  WaitQueue queue;
};

struct Sender {
  ListNode node;  // unlinked by who wakes it
  usize size = 0;
  std::atomic<bool> woken{false};
  WaitQueue queue;
};

struct MessageQueue final : Object {
  ~MessageQueue() override;
  List<Message, &Message::node> messages;
  List<Receiver, &Receiver::node> receivers;
  List<Sender, &Sender::node> senders;
  u64 bytes = 0, count = 0, limit = 0;
  i64 sent = 0, received = 0;
  u32 last_sender = 0, last_receiver = 0;

  bool fits(usize size) const { return bytes + size <= limit && count < limit; }
  // These need the lock.
  void wake_senders(bool all);
  void wake_receivers(Errno outcome);
};

SpinLock& message_lock();
TableOf<MessageQueue>& message_table();
struct MessageTotals {
  u64 messages, bytes;
};
MessageTotals message_totals();  // needs the lock

Result<i32> get_messages(i32 key, u32 flags);
// May block. Errors: Invalid, Access, Again, IdentifierRemoved, RestartNoHand.
Result<void> send(i32 id, OwnPtr<Message> message, bool no_wait);
// The message, taken out unless it is chosen by its number (then a copy). May block. Errors: Invalid, Access, TooBig,
// NoMessage, IdentifierRemoved, RestartNoHand, NoMemory.
Result<OwnPtr<Message>> receive(i32 id, const Wanted& wanted);
// IPC_RMID. Errors: Invalid, NotPermitted.
Result<void> remove_messages(i32 id);

}  // namespace uni::ipc

// SPDX-License-Identifier: Apache-2.0
// msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
#include "kernel/ipc/limits.hpp"
#include "kernel/ipc/messages.hpp"
#include "syscall-shim/linux/ipc.hpp"

namespace uni::shim {

namespace {
constexpr unsigned kCapSysResource = 24;

Result<i64> information(i32 command, UserPtr<u8> out) {
  abi::MsgInfo info{};
  i32 highest = 0;
  {
    LockGuard guard(ipc::message_lock());
    auto& table = ipc::message_table();
    info.msgmax = static_cast<i32>(ipc::limits.message_size);
    info.msgmnb = static_cast<i32>(ipc::limits.message_queue_bytes);
    info.msgmni = static_cast<i32>(ipc::limits.message_queues);
    info.msgssz = 16;       // MSGSSZ
    info.msgseg = 0xffff;   // MSGSEG
    info.msgmap = 16384;    // MSGMAP
    info.msgpool = 512000;  // MSGPOOL
    info.msgtql = 16384;    // MSGTQL
    if (command == abi::kMsgInfo) {
      const ipc::MessageTotals totals = ipc::message_totals();
      info.msgpool = static_cast<i32>(table.count());
      info.msgmap = static_cast<i32>(totals.messages);
      info.msgtql = static_cast<i32>(totals.bytes);
    }
    highest = table.highest();
  }
  TRY(copy_to_user(out.address(), &info, sizeof info));
  return highest;
}

Result<i64> stat(i32 number, i32 command, UserPtr<u8> out) {
  abi::MsqidDs data{};
  i64 result = 0;
  {
    LockGuard guard(ipc::message_lock());
    const auto name = command == abi::kIpcStat ? ipc::Name::kId : ipc::Name::kIndex;
    const ipc::MessageQueue* q = TRY(ipc::named(ipc::message_table(), number, name));
    if (command != abi::kMsgStatAny && !ipc::permitted(*q, Process::current().credentials, ipc::kMayRead))
      return Errno::Access;
    data.perm = to_perm(*q);
    data.stime = q->sent;
    data.rtime = q->received;
    data.ctime = q->changed;
    data.cbytes = q->bytes;
    data.qnum = q->count;
    data.qbytes = q->limit;
    data.lspid = static_cast<i32>(q->last_sender);
    data.lrpid = static_cast<i32>(q->last_receiver);
    if (command != abi::kIpcStat) result = q->id;
  }
  TRY(copy_to_user(out.address(), &data, sizeof data));
  return result;
}

Result<i64> set(i32 id, UserPtr<u8> from) {
  abi::MsqidDs data;
  TRY(copy_from_user(&data, from.address(), sizeof data));
  const Credentials& who = Process::current().credentials;
  LockGuard guard(ipc::message_lock());
  ipc::MessageQueue* q = TRY(ipc::named(ipc::message_table(), id, ipc::Name::kId));
  if (!ipc::owned_by(*q, who)) return Errno::NotPermitted;
  if (data.qbytes > ipc::limits.message_queue_bytes && !who.capable(kCapSysResource)) return Errno::NotPermitted;
  TRY(ipc::change_owner(*q, to_ownership(data.perm)));
  q->limit = data.qbytes;
  // Who waits may have lost the right to, or may now find room.
  q->wake_receivers(Errno::Again);
  q->wake_senders(true);
  return 0;
}
}  // namespace

Result<i64> sys_msgget(i32 key, u32 flags) {
  return TRY(ipc::get_messages(key, flags));
}

Result<i64> sys_msgsnd(i32 id, UserPtr<u8> message, u64 size, u32 flags) {
  const i64 type = TRY(UserPtr<i64>(message.address()).read());
  if (size > ipc::limits.message_size || id < 0) return Errno::Invalid;
  if (type < 1) return Errno::Invalid;
  auto made = TRY(make_own<ipc::Message>());
  made->type = type;
  TRY(made->text.resize(size));
  TRY(copy_from_user(made->text.data(), message.address() + sizeof type, size));
  TRY(ipc::send(id, uni::move(made), (flags & ipc::kNoWait) != 0));
  return 0;
}

Result<i64> sys_msgrcv(i32 id, UserPtr<u8> message, u64 size, i64 type, u32 flags) {
  if (id < 0 || static_cast<i64>(size) < 0) return Errno::Invalid;
  ipc::Wanted wanted;
  wanted.type = type;
  wanted.capacity = size;
  wanted.truncate = (flags & abi::kMsgNoError) != 0;
  wanted.no_wait = (flags & ipc::kNoWait) != 0;
  if ((flags & abi::kMsgCopy) != 0) {
    if ((flags & abi::kMsgExcept) != 0 || !wanted.no_wait) return Errno::Invalid;
    wanted.selection = ipc::Selection::kNumber;
  } else if (type < 0) {
    wanted.selection = ipc::Selection::kAtMost;
    constexpr i64 kLowest = -0x7fffffffffffffff - 1;
    wanted.type = type == kLowest ? 0x7fffffffffffffff : -type;
  } else if (type > 0) {
    wanted.selection = (flags & abi::kMsgExcept) != 0 ? ipc::Selection::kNotEqual : ipc::Selection::kEqual;
  }
  const OwnPtr<ipc::Message> got = TRY(ipc::receive(id, wanted));
  TRY(UserPtr<i64>(message.address()).write(got->type));
  const usize given = min<usize>(got->text.size(), size);
  TRY(copy_to_user(message.address() + sizeof(i64), got->text.data(), given));
  return static_cast<i64>(given);
}

Result<i64> sys_msgctl(i32 id, i32 command, UserPtr<u8> argument) {
  if (id < 0 || command < 0) return Errno::Invalid;
  switch (command) {
    case abi::kIpcInfo:
    case abi::kMsgInfo:
      return information(command, argument);
    case abi::kIpcStat:
    case abi::kMsgStat:
    case abi::kMsgStatAny:
      return stat(id, command, argument);
    case abi::kIpcSet:
      return set(id, argument);
    case abi::kIpcRmid:
      TRY(ipc::remove_messages(id));
      return 0;
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim

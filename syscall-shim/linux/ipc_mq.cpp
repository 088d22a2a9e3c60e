// SPDX-License-Identifier: Apache-2.0
// mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2).
#include "kernel/ipc/mqueue.hpp"
#include "syscall-shim/abi/mqueue.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/ipc.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {
constexpr i32 kRealtime = 0;  // CLOCK_REALTIME

// mq_timedsend's absolute time. Errors: Fault, Invalid.
Result<u64> deadline_of(UserPtr<abi::Timespec> timeout) {
  if (!timeout) return time::kNever;
  const abi::Timespec value = TRY(timeout.read());
  const u64 at = TRY(duration_ns(value));
  return absolute_deadline(kRealtime, at);
}

Result<String> read_name(UserText name) {
  PathArgument argument;
  TRY(argument.read(abi::kAtCwd, name));
  if (argument.text().empty()) return Errno::NoEntry;
  return String::copy(argument.text());
}

struct OpenQueue {
  RefPtr<fs::File> file;
  ipc::PosixQueue* queue;
};
Result<OpenQueue> queue_at(i32 fd) {
  OpenQueue open;
  open.file = TRY(file_of(fd));
  open.queue = TRY(ipc::queue_of(*open.file));
  return open;
}
}  // namespace

Result<i64> sys_mq_open(UserText name, i32 flags, u32 mode, UserPtr<abi::MqAttr> attributes) {
  ipc::QueueShape shape{};
  const auto wanted = static_cast<u32>(flags);
  const bool shaped = static_cast<bool>(attributes);
  if (shaped) {
    const abi::MqAttr a = TRY(attributes.read());
    shape = {a.maxmsg, a.msgsize};
  }
  const String text = TRY(read_name(name));
  RefPtr<fs::File> file =
      TRY(ipc::open_queue(text.view(), wanted & (fs::kOpenAccessMask | fs::kOpenCreate | fs::kOpenExclusive), mode,
                          shaped ? &shape : nullptr));
  file->set_flags(wanted & (fs::kOpenAccessMask | fs::kOpenNonBlock));
  return TRY(Process::current().files->install(uni::move(file), true));
}

Result<i64> sys_mq_unlink(UserText name) {
  const String text = TRY(read_name(name));
  TRY(ipc::unlink_queue(text.view()));
  return 0;
}

Result<i64> sys_mq_timedsend(i32 fd, UserPtr<u8> text, u64 size, u32 priority, UserPtr<abi::Timespec> timeout) {
  const u64 deadline = TRY(deadline_of(timeout));
  if (priority >= ipc::kPriorityMost) return Errno::Invalid;
  const OpenQueue open = TRY(queue_at(fd));
  if (!open.file->writable()) return Errno::BadFd;
  if (size > static_cast<u64>(open.queue->shape().size)) return Errno::MessageSize;
  Vector<char> message;
  TRY(message.resize(size));
  TRY(copy_from_user(message.data(), text.address(), size));
  TRY(open.queue->send(uni::move(message), priority, deadline, open.file->nonblocking()));
  return 0;
}

Result<i64> sys_mq_timedreceive(i32 fd, UserPtr<u8> text, u64 size, UserPtr<u32> priority,
                                UserPtr<abi::Timespec> timeout) {
  const u64 deadline = TRY(deadline_of(timeout));
  const OpenQueue open = TRY(queue_at(fd));
  if (!open.file->readable()) return Errno::BadFd;
  if (size < static_cast<u64>(open.queue->shape().size)) return Errno::MessageSize;
  const ipc::PosixQueue::Received got = TRY(open.queue->receive(deadline, open.file->nonblocking()));
  if (priority) TRY(priority.write(got.priority));
  TRY(copy_to_user(text.address(), got.text.data(), got.text.size()));
  return static_cast<i64>(got.text.size());
}

// SIGEV_THREAD is the C library's: it reads the cookie from the netlink socket in sigev_signo, where it is put back.
Result<i64> sys_mq_notify(i32 fd, UserPtr<abi::Sigevent> event) {
  ipc::Notification wanted;
  Process& process = Process::current();
  if (event) {
    const abi::Sigevent e = TRY(event.read());
    wanted.value = e.sigev_value;
    wanted.signal = e.sigev_signo;
    if (e.sigev_notify == abi::kNotifySignal) {
      if (e.sigev_signo < 0 || e.sigev_signo > signal::kCount) return Errno::Invalid;
      wanted.how = ipc::Notification::How::kSignal;
    } else if (e.sigev_notify == abi::kNotifyThread) {
      wanted.how = ipc::Notification::How::kThread;
      TRY(copy_from_user(wanted.cookie, UserAddr{e.sigev_value}, sizeof wanted.cookie));
      const RefPtr<fs::File> file = TRY(file_of(e.sigev_signo));
      if (file->kind() != fs::FileKind::kSocket) return Errno::NotSocket;
      auto& socket = static_cast<net::Socket&>(*file);
      if (socket.family() != net::AddressFamily::kNetlink) return Errno::Invalid;
      wanted.socket = RefPtr<net::NetlinkSocket>(static_cast<net::NetlinkSocket*>(&socket));
    } else if (e.sigev_notify != abi::kNotifyNone) {
      return Errno::Invalid;
    }
  }
  const OpenQueue open = TRY(queue_at(fd));
  if (!event) {
    open.queue->forget_notification(nullptr);
    return 0;
  }
  wanted.owner = RefPtr<Process>(&process);
  wanted.files = process.files.get();
  TRY(open.queue->notify(uni::move(wanted)));
  return 0;
}

Result<i64> sys_mq_getsetattr(i32 fd, UserPtr<abi::MqAttr> fresh, UserPtr<abi::MqAttr> old) {
  abi::MqAttr wanted{};
  if (fresh) {
    wanted = TRY(fresh.read());
    if ((wanted.flags & ~i64{fs::kOpenNonBlock}) != 0) return Errno::Invalid;
  }
  const OpenQueue open = TRY(queue_at(fd));
  abi::MqAttr now{};
  now.flags = open.file->nonblocking() ? i64{fs::kOpenNonBlock} : 0;
  now.maxmsg = open.queue->shape().messages;
  now.msgsize = open.queue->shape().size;
  now.curmsgs = static_cast<i64>(open.queue->count());
  if (fresh) {
    const u32 others = open.file->flags() & ~u32{fs::kOpenNonBlock};
    open.file->set_flags(others | static_cast<u32>(wanted.flags));
  }
  if (old) TRY(old.write(now));
  return 0;
}

}  // namespace uni::shim

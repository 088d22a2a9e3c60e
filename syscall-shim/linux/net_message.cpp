// SPDX-License-Identifier: Apache-2.0
// send(2) and recv(2) in all their forms. Control messages are in net_control.cpp.
#include "syscall-shim/linux/net_control.hpp"

#include "kernel/base/vector.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/net.hpp"
#include "syscall-shim/linux/net_common.hpp"

namespace uni::shim {

namespace {

using net::Address;
using net::Message;

constexpr u64 kMaxTransfer = 0x7ffff000;  // MAX_RW_COUNT
constexpr u64 kMaxSegments = 1024;        // UIO_MAXIOV
constexpr usize kInlineSegments = 8;

// The iovec array of a message, in kernel memory.
class Segments {
 public:
  // Errors: MessageSize (too many), Fault, Invalid (a negative length), NoMemory.
  Result<void> read(const abi::Msghdr& header) {
    if (header.segment_count > kMaxSegments) return Errno::MessageSize;
    count_ = header.segment_count;
    if (count_ > kInlineSegments) TRY(many_.resize(count_));
    if (count_ > 0) TRY(copy_from_user(data(), UserAddr{header.segments}, count_ * sizeof(IoSegment)));
    u64 total = 0;
    for (usize i = 0; i < count_; ++i) {
      IoSegment& s = data()[i];
      if (static_cast<i64>(s.length) < 0) return Errno::Invalid;
      if (!user_range_ok(UserAddr{s.base}, s.length)) return Errno::Fault;
      s.length = min(s.length, kMaxTransfer - total);
      total += s.length;
    }
    return {};
  }
  IoCursor cursor() { return IoCursor(data(), count_); }

 private:
  IoSegment* data() { return count_ > kInlineSegments ? many_.data() : few_; }
  usize count_ = 0;
  IoSegment few_[kInlineSegments];
  Vector<IoSegment> many_;
};

// The user memory of one buffer. Errors: Fault.
Result<IoCursor> buffer_cursor(UserAddr data, u64 size) {
  size = min(size, kMaxTransfer);
  if (!user_range_ok(data, size)) return Errno::Fault;
  return IoCursor(data, size);
}

Result<i64> send_message(net::Socket& socket, const abi::Msghdr& header, u32 flags) {
  Address to;
  const bool named = header.name != 0 && header.name_size != 0;
  if (header.name_size < 0) return Errno::Invalid;
  if (named) {
    const i32 most = static_cast<i32>(sizeof(abi::SockaddrStorage));
    to = TRY(read_address(socket, UserAddr{header.name}, min(header.name_size, most)));
  }
  Segments segments;
  TRY(segments.read(header));
  IoCursor data = segments.cursor();
  Message message(data);
  message.flags = flags;
  if (named) message.to = &to;
  if (header.control != 0 && header.control_size > 0) TRY(read_control(socket, header, message));
  return static_cast<i64>(TRY(socket.send_with_signal(message)));
}

// Receives into what `header` describes and updates it; `at` is where the program keeps it.
Result<i64> receive_message(net::Socket& socket, UserPtr<abi::Msghdr> at, u32 flags) {
  abi::Msghdr header = TRY(at.read());
  if (header.name_size < 0) return Errno::Invalid;
  Segments segments;
  TRY(segments.read(header));
  IoCursor data = segments.cursor();
  Message message(data);
  message.flags = flags;
  Address from;
  if (header.name != 0) message.from = &from;
  const usize got = TRY(socket.receive(message));
  if (header.name != 0) {
    abi::SockaddrStorage raw;
    const u32 length = write_sockaddr(from, &raw);
    const u32 part = min(length, static_cast<u32>(header.name_size));
    if (part > 0) TRY(copy_to_user(UserAddr{header.name}, &raw, part));
    header.name_size = static_cast<i32>(length);
  }
  const u64 control_used = TRY(write_control(socket, header, message));
  header.flags = message.out_flags | (flags & net::kMsgCmsgCloexec);
  header.control_size = control_used;
  TRY(at.write(header));
  return static_cast<i64>(got);
}

}  // namespace

Result<i64> sys_sendto(i32 fd, UserAddr data, u64 size, u32 flags, UserAddr address, i32 address_size) {
  IoCursor cursor = TRY(buffer_cursor(data, size));
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  Message message(cursor);
  message.flags = flags;
  if (is_null(address)) return static_cast<i64>(TRY(socket->send_with_signal(message)));
  Address to = TRY(read_address(*socket, address, address_size));
  message.to = &to;
  return static_cast<i64>(TRY(socket->send_with_signal(message)));
}

Result<i64> sys_recvfrom(i32 fd, UserAddr data, u64 size, u32 flags, UserAddr address, UserPtr<i32> address_size) {
  IoCursor cursor = TRY(buffer_cursor(data, size));
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  Message message(cursor);
  message.flags = flags;
  if (is_null(address)) return static_cast<i64>(TRY(socket->receive(message)));
  Address from;
  message.from = &from;
  const usize got = TRY(socket->receive(message));
  TRY(put_address(from, address, address_size));
  return static_cast<i64>(got);
}

Result<i64> send_one_message(net::Socket& socket, UserPtr<abi::Msghdr> message, u32 flags) {
  const abi::Msghdr header = TRY(message.read());
  return send_message(socket, header, flags);
}

Result<i64> receive_one_message(net::Socket& socket, UserPtr<abi::Msghdr> message, u32 flags) {
  return receive_message(socket, message, flags);
}

Result<i64> sys_sendmsg(i32 fd, UserPtr<abi::Msghdr> message, u32 flags) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  const abi::Msghdr header = TRY(message.read());
  return send_message(*socket, header, flags);
}

Result<i64> sys_recvmsg(i32 fd, UserPtr<abi::Msghdr> message, u32 flags) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  return receive_message(*socket, message, flags);
}

Result<i64> sys_sendmmsg(i32 fd, UserPtr<abi::Mmsghdr> messages, u32 count, u32 flags) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  count = min<u32>(count, kMaxSegments);
  u32 done = 0;
  for (; done < count; ++done) {
    const UserPtr<abi::Mmsghdr> at = messages + done;
    Result<abi::Msghdr> header = UserPtr<abi::Msghdr>(at.address()).read();
    Errno failure = header.ok() ? Errno{} : header.error();
    if (header.ok()) {
      Result<i64> sent = send_message(*socket, header.value(), flags);
      failure = sent.ok() ? Errno{} : sent.error();
      const UserPtr<u32> size(at.address() + offsetof(abi::Mmsghdr, size));
      if (sent.ok()) failure = size.write(static_cast<u32>(sent.value())).error();
    }
    if (failure == Errno{}) continue;
    if (done > 0) break;
    return failure;
  }
  return i64{done};
}

Result<i64> sys_recvmmsg(i32 fd, UserPtr<abi::Mmsghdr> messages, u32 count, u32 flags, UserPtr<abi::Timespec> timeout) {
  u64 deadline = time::kNever;
  if (timeout) {
    const abi::Timespec t = TRY(timeout.read());
    if (t.tv_sec < 0 || t.tv_nsec < 0 || t.tv_nsec >= static_cast<i64>(time::kSecond)) return Errno::Invalid;
    deadline = time::deadline_after(static_cast<u64>(t.tv_sec) * time::kSecond + static_cast<u64>(t.tv_nsec));
  }
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  count = min<u32>(count, kMaxSegments);
  u32 done = 0;
  // As on Linux, the timeout is looked at between messages only (recvmmsg(2), BUGS).
  while (done < count && (done == 0 || time::monotonic_ns() < deadline)) {
    const UserPtr<abi::Mmsghdr> at = messages + done;
    Result<i64> got = receive_message(*socket, UserPtr<abi::Msghdr>(at.address()), flags & ~u32{net::kMsgWaitForOne});
    Errno failure = got.ok() ? Errno{} : got.error();
    if (got.ok()) {
      const UserPtr<u32> size(at.address() + offsetof(abi::Mmsghdr, size));
      const Result<void> told = size.write(static_cast<u32>(got.value()));
      if (!told.ok()) failure = told.error();
    }
    if (failure != Errno{}) {
      if (done > 0) break;
      return failure;
    }
    ++done;
    if ((flags & net::kMsgWaitForOne) != 0) flags |= net::kMsgDontWait;
  }
  return i64{done};
}

}  // namespace uni::shim

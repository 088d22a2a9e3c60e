// SPDX-License-Identifier: Apache-2.0
// Requests on sockets. Each try is made without waiting; EPIPE comes without SIGPIPE.
#include "syscall-shim/linux/landlock.hpp"
#include "syscall-shim/linux/net.hpp"
#include "syscall-shim/linux/net_common.hpp"
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm;

Result<net::Socket*> socket_of(UringRequest& request) {
  fs::File* file = TRY(uring_file(request));
  if (file->kind() != fs::FileKind::kSocket) return Errno::NotSocket;
  // SAFETY: only Sockets are of this kind.
  return static_cast<net::Socket*>(file);
}

// send and recv. With MSG_WAITALL what has come so far is kept in `progress`.
UringOutcome transfer(UringRequest& request, net::Socket& socket) {
  const abi::UringSqe& sqe = request.sqe;
  const bool sends = sqe.opcode == abi::kOpSend;
  const u64 size = min<u64>(sqe.length, abi::kMaxTransfer);
  if (!user_range_ok(UserAddr{sqe.address}, size)) return UringOutcome::failed(Errno::Fault);
  IoCursor cursor(UserAddr{sqe.address + request.progress}, size - request.progress);
  net::Message message(cursor);
  message.flags = (sqe.op_flags & ~u32{net::kMsgWaitAll}) | net::kMsgDontWait | net::kMsgNoSignal;
  net::Address to;
  if (sends && sqe.offset != 0) {
    const i32 to_size = static_cast<i32>(static_cast<u32>(sqe.splice_fd) & 0xffff);
    Result<net::Address> read = read_address(socket, UserAddr{sqe.offset}, to_size);
    if (!read.ok()) return uring_failure(read.error());
    to = read.take();
    message.to = &to;
  }
  const Result<usize> done = sends ? socket.send(message) : socket.receive(message);
  const bool may_wait = (sqe.op_flags & net::kMsgDontWait) == 0;
  const bool whole = (sqe.op_flags & net::kMsgWaitAll) != 0 && socket.type() == net::SocketType::kStream;
  if (done.ok()) {
    request.progress += done.value();
    const bool ended = done.value() == 0;
    if (whole && may_wait && !ended && request.progress < size)
      return UringOutcome::wait(sends ? kWriteBits : kReadBits);
    return whole ? UringOutcome::moved(request.progress, size) : UringOutcome::done(static_cast<i64>(request.progress));
  }
  if (done.error() == Errno::Again && may_wait) return UringOutcome::wait(sends ? kWriteBits : kReadBits);
  if (request.progress != 0) return UringOutcome::moved(request.progress, size);
  return uring_failure(done.error());
}

UringOutcome message(UringRequest& request, net::Socket& socket) {
  const abi::UringSqe& sqe = request.sqe;
  const bool sends = sqe.opcode == abi::kOpSendMsg;
  const u32 flags = sqe.op_flags | net::kMsgDontWait | net::kMsgNoSignal;
  const UserPtr<abi::Msghdr> header(sqe.address);
  const Result<i64> done = sends ? send_one_message(socket, header, flags) : receive_one_message(socket, header, flags);
  if (done.ok()) return UringOutcome::done(done.value());
  const bool may_wait = (sqe.op_flags & net::kMsgDontWait) == 0;
  if (done.error() == Errno::Again && may_wait) return UringOutcome::wait(sends ? kWriteBits : kReadBits);
  return uring_failure(done.error());
}

Result<i64> accept_one(UringRequest& request, net::Socket& socket) {
  const abi::UringSqe& sqe = request.sqe;
  const i32 fd = static_cast<i32>(TRY(accept_socket(socket, UserAddr{sqe.address}, UserPtr<i32>(sqe.offset),
                                                    static_cast<i32>(sqe.op_flags), net::Waiting::kRefused)));
  const u32 slot = static_cast<u32>(sqe.splice_fd);
  return slot == 0 ? Result<i64>(i64{fd}) : request.ring.install_file(slot, fd);
}

UringOutcome accept(UringRequest& request, net::Socket& socket) {
  const bool stays = (request.sqe.priority & abi::kAcceptMultishot) != 0;
  for (;;) {
    const Result<i64> fd = accept_one(request, socket);
    if (!fd.ok() && fd.error() == Errno::Again) return UringOutcome::wait(kReadBits);
    if (!fd.ok()) return uring_failure(fd.error());
    if (!stays) return UringOutcome::done(fd.value());
    request.ring.post(request.sqe.user_data, fd.value(), abi::kCqeMore);
  }
}

Result<i64> make_socket(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  const i32 fd = static_cast<i32>(TRY(sys_socket(sqe.fd, static_cast<i32>(sqe.offset), static_cast<i32>(sqe.length))));
  const u32 slot = static_cast<u32>(sqe.splice_fd);
  return slot == 0 ? Result<i64>(i64{fd}) : request.ring.install_file(slot, fd);
}

UringOutcome connect(UringRequest& request, net::Socket& socket) {
  if (!request.address) {
    const Result<net::Address> to =
        read_address(socket, UserAddr{request.sqe.address}, static_cast<i32>(request.sqe.offset));
    if (!to.ok()) return uring_failure(to.error());
    Result<OwnPtr<net::Address>> kept = make_own<net::Address>(to.value());
    if (!kept.ok()) return uring_failure(kept.error());
    request.address = kept.take();
  }
  Result<void> done = check_landlock_port(socket, *request.address, landlock::kConnectTcp);
  if (done.ok()) done = socket.connect(*request.address, net::Waiting::kRefused);
  if (done.ok()) return UringOutcome::done(0);
  const Errno error = done.error();
  if (error == Errno::InProgress || error == Errno::Already || error == Errno::Again)
    return UringOutcome::wait(kWriteBits);
  return uring_failure(error);
}

}  // namespace

bool execute_network(UringRequest& request, UringOutcome* out) {
  const abi::UringSqe& sqe = request.sqe;
  if (sqe.opcode == abi::kOpSocket) {
    const Result<i64> fd = make_socket(request);
    *out = fd.ok() ? UringOutcome::done(fd.value()) : uring_failure(fd.error());
    return true;
  }
  switch (sqe.opcode) {
    case abi::kOpSend:
    case abi::kOpRecv:
    case abi::kOpSendMsg:
    case abi::kOpRecvMsg:
    case abi::kOpAccept:
    case abi::kOpConnect:
    case abi::kOpShutdown:
      break;
    default:
      return false;
  }
  Result<net::Socket*> found = socket_of(request);
  if (!found.ok()) {
    *out = uring_failure(found.error());
    return true;
  }
  net::Socket& socket = *found.value();
  switch (sqe.opcode) {
    case abi::kOpSend:
    case abi::kOpRecv:
      *out = transfer(request, socket);
      return true;
    case abi::kOpAccept:
      *out = accept(request, socket);
      return true;
    case abi::kOpConnect:
      *out = connect(request, socket);
      return true;
    case abi::kOpShutdown: {
      const Result<void> done =
          sqe.length > 2 ? Result<void>(Errno::Invalid) : socket.shutdown(static_cast<net::ShutdownHow>(sqe.length));
      *out = done.ok() ? UringOutcome::done(0) : uring_failure(done.error());
      return true;
    }
    default:
      *out = message(request, socket);
      return true;
  }
}

}  // namespace uni::shim

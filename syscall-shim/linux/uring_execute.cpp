// SPDX-License-Identifier: Apache-2.0
// One try of a request: transfers, polls, timeouts, cancellation. Sockets are in uring_network.cpp, what is a call by
// names or descriptors in uring_names.cpp. A file by name may block here, as the disk does; all else is asked not to.
#include "kernel/fs/pipe.hpp"
#include "syscall-shim/linux/fs_copy.hpp"
#include "syscall-shim/linux/time.hpp"
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm;

bool is_read(u8 op) {
  return op == abi::kOpRead || op == abi::kOpReadV || op == abi::kOpReadFixed;
}

UringOutcome transfer(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  Result<fs::File*> found = uring_file(request);
  if (!found.ok()) return uring_failure(found.error());
  fs::File& file = *found.value();
  const bool reads = is_read(sqe.opcode);
  if (!(reads ? file.readable() : file.writable())) return UringOutcome::failed(Errno::BadFd);
  const bool vectored = sqe.opcode == abi::kOpReadV || sqe.opcode == abi::kOpWriteV;
  if (vectored && !request.vector) {
    Result<OwnPtr<IoVector>> made = make_own<IoVector>();
    if (!made.ok()) return uring_failure(made.error());
    const Result<void> read = made.value()->read(UserPtr<IoSegment>(sqe.address), sqe.length);
    if (!read.ok()) return uring_failure(read.error());
    request.vector = made.take();
  }
  if (sqe.opcode == abi::kOpReadFixed || sqe.opcode == abi::kOpWriteFixed) {
    const Result<void> inside = request.ring.check_fixed_buffer(sqe.buffer_index, sqe.address, sqe.length);
    if (!inside.ok()) return uring_failure(inside.error());
  }
  if (!vectored && !user_range_ok(UserAddr{sqe.address}, sqe.length)) return UringOutcome::failed(Errno::Fault);
  IoCursor cursor =
      vectored ? request.vector->cursor() : IoCursor(UserAddr{sqe.address}, min<u64>(sqe.length, abi::kMaxTransfer));
  const Result<void> flags = apply_rw_flags(file, cursor, sqe.op_flags, reads ? Transfer::kRead : Transfer::kWrite);
  if (!flags.ok()) return uring_failure(flags.error());
  const bool by_name = file.kind() == fs::FileKind::kInode;
  const bool may_wait = !cursor.no_wait() && file.poll_queue() != nullptr;
  if (!by_name && may_wait) cursor.set_no_wait();
  const usize wanted = cursor.remaining();
  const bool here = sqe.offset == ~u64{0} && file.seekable();
  const u64 offset = file.seekable() ? sqe.offset : 0;
  if (!here && static_cast<i64>(offset) < 0) return UringOutcome::failed(Errno::Invalid);
  Result<usize> done = here ? (reads ? read_here(file, cursor) : write_here(file, cursor))
                            : (reads ? file.read(cursor, offset) : file.write(cursor, offset));
  if (!done.ok() && done.error() == Errno::Again && may_wait) return UringOutcome::wait(reads ? kReadBits : kWriteBits);
  if (!done.ok()) return uring_failure(done.error());
  if (!reads && (sqe.op_flags & (abi::kRwDsync | abi::kRwSync)) != 0) {
    const Result<void> synced = file.sync((sqe.op_flags & abi::kRwSync) == 0);
    if (!synced.ok()) return uring_failure(synced.error());
  }
  return UringOutcome::moved(done.value(), wanted);
}

UringOutcome sync(UringRequest& request) {
  Result<fs::File*> file = uring_file(request);
  if (!file.ok()) return uring_failure(file.error());
  if ((request.sqe.op_flags & ~abi::kFsyncDatasync) != 0) return UringOutcome::failed(Errno::Invalid);
  if (file.value()->kind() != fs::FileKind::kInode) return UringOutcome::failed(Errno::Invalid);
  const Result<void> done = file.value()->sync((request.sqe.op_flags & abi::kFsyncDatasync) != 0);
  return done.ok() ? UringOutcome::done(0) : uring_failure(done.error());
}

UringOutcome poll_add(UringRequest& request) {
  constexpr u32 kAlways = fs::kPollErr | fs::kPollHup;
  if ((request.sqe.length & ~u32{abi::kPollAddMulti}) != 0) return UringOutcome::failed(Errno::Invalid);
  Result<fs::File*> file = uring_file(request);
  if (!file.ok()) return uring_failure(file.error());
  const u32 wanted = (request.sqe.op_flags & 0xffff) | kAlways;
  const u32 found = file.value()->poll() & wanted;
  const bool stays = (request.sqe.length & abi::kPollAddMulti) != 0;
  if (found != 0 && !stays) return UringOutcome::done(i64{found});
  if (found != 0) request.ring.post(request.sqe.user_data, i64{found}, abi::kCqeMore);
  if (file.value()->poll_queue() == nullptr) return UringOutcome::done(i64{found});
  return UringOutcome::wait(wanted);
}

// The deadline of a timeout's struct timespec.
Result<u64> deadline_of(u64 address, u32 flags) {
  constexpr u32 kKnown = abi::kTimeoutAbsolute | abi::kTimeoutUpdate | abi::kTimeoutBoottime | abi::kTimeoutRealtime |
                         abi::kLinkTimeoutUpdate | abi::kTimeoutEtimeSuccess;
  constexpr u32 kClocks = abi::kTimeoutBoottime | abi::kTimeoutRealtime;
  if ((flags & ~kKnown) != 0 || (flags & kClocks) == kClocks) return Errno::Invalid;
  const abi::Timespec given = TRY(UserPtr<abi::Timespec>(address).read());
  const u64 ns = TRY(duration_ns(given));
  if ((flags & abi::kTimeoutAbsolute) == 0) return time::deadline_after(ns);
  const bool realtime = (flags & abi::kTimeoutRealtime) != 0;
  return absolute_deadline(realtime ? abi::kClockRealtime : abi::kClockMonotonic, ns);
}

UringOutcome timeout(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  const bool linked = sqe.opcode == abi::kOpLinkTimeout;
  if (request.deadline == time::kNever) {
    if (sqe.length != 1 || (linked && (sqe.offset != 0 || request.watched == nullptr)))
      return UringOutcome::failed(Errno::Invalid);
    Result<u64> deadline = deadline_of(sqe.address, sqe.op_flags);
    if (!deadline.ok()) return uring_failure(deadline.error());
    request.deadline = min(deadline.value(), time::kNever - 1);
    if (!linked && sqe.offset != 0) {
      request.target = request.ring.posted() + static_cast<u32>(sqe.offset);
      request.ring.note_counted_timeout();
    }
  }
  if (!request.fired.load()) return UringOutcome::wait(0);
  if (linked) return UringOutcome::done(request.ring.cancel_watched(request));
  UringOutcome ended = UringOutcome::failed(Errno::TimerExpired);
  if ((sqe.op_flags & abi::kTimeoutEtimeSuccess) != 0) ended.breaks_chain = false;
  return ended;
}

UringOutcome timeout_remove(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  constexpr u32 kUpdates = abi::kTimeoutUpdate | abi::kLinkTimeoutUpdate;
  if ((sqe.op_flags & kUpdates) != 0) {
    Result<u64> deadline = deadline_of(sqe.offset, sqe.op_flags);
    if (!deadline.ok()) return uring_failure(deadline.error());
    const bool linked = (sqe.op_flags & abi::kLinkTimeoutUpdate) != 0;
    return UringOutcome::done(
        request.ring.update_timeout(sqe.address, deadline.value(), linked ? abi::kOpLinkTimeout : abi::kOpTimeout));
  }
  if (sqe.op_flags != 0) return UringOutcome::failed(Errno::Invalid);
  Uring::Match match;
  match.user_data = sqe.address;
  match.only_op = abi::kOpTimeout;
  return UringOutcome::done(request.ring.cancel(request, match));
}

UringOutcome poll_remove(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  constexpr u32 kUpdates = abi::kPollUpdateEvents | abi::kPollUpdateUserData;
  if ((sqe.length & kUpdates) != 0) return UringOutcome::done(request.ring.update_poll(sqe.address, sqe));
  Uring::Match match;
  match.user_data = sqe.address;
  match.only_op = abi::kOpPollAdd;
  return UringOutcome::done(request.ring.cancel(request, match));
}

UringOutcome async_cancel(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  constexpr u32 kKnown = abi::kCancelAll | abi::kCancelFd | abi::kCancelAny | abi::kCancelFdFixed;
  if ((sqe.op_flags & ~kKnown) != 0) return UringOutcome::failed(Errno::Invalid);
  Uring::Match match;
  match.user_data = sqe.address;
  match.flags = sqe.op_flags;
  RefPtr<fs::File> file;
  if ((sqe.op_flags & abi::kCancelFd) != 0) {
    Result<RefPtr<fs::File>> found =
        (sqe.op_flags & abi::kCancelFdFixed) != 0 ? request.ring.fixed_file(static_cast<u32>(sqe.fd)) : file_of(sqe.fd);
    if (!found.ok()) return uring_failure(found.error());
    file = found.take();
    match.file = file.get();
  }
  return UringOutcome::done(request.ring.cancel(request, match));
}

// Arms on one of two files: what the waiter was on before is left.
UringOutcome wait_on(UringRequest& request, RefPtr<fs::File> file, u32 bits) {
  if (request.file.get() != file.get() && request.waiter.queue != nullptr) request.waiter.queue->remove(request.waiter);
  request.file = uni::move(file);
  return UringOutcome::wait(bits);
}

// splice and tee: tried without waiting, then armed on the side that is not ready.
UringOutcome splice(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  constexpr u32 kNonBlock = 2;
  Result<RefPtr<fs::File>> out =
      (sqe.flags & abi::kSqeFixedFile) != 0 ? request.ring.fixed_file(static_cast<u32>(sqe.fd)) : file_of(sqe.fd);
  if (!out.ok()) return uring_failure(out.error());
  Result<RefPtr<fs::File>> in = (sqe.op_flags & abi::kSpliceFdInFixed) != 0
                                    ? request.ring.fixed_file(static_cast<u32>(sqe.splice_fd))
                                    : file_of(sqe.splice_fd);
  if (!in.ok()) return uring_failure(in.error());
  const u32 flags = (sqe.op_flags & ~abi::kSpliceFdInFixed) | kNonBlock;
  const bool waits = (sqe.op_flags & kNonBlock) == 0;
  fs::File& source = *in.value();
  if (waits && source.poll_queue() != nullptr && (source.poll() & (kReadBits | fs::kPollHup)) == 0)
    return wait_on(request, in.take(), kReadBits);
  i64 in_offset = static_cast<i64>(sqe.address);
  i64 out_offset = static_cast<i64>(sqe.offset);
  Result<usize> done = sqe.opcode == abi::kOpTee
                           ? tee_files(source, *out.value(), sqe.length, flags)
                           : splice_files(source, in_offset == -1 ? nullptr : &in_offset, *out.value(),
                                          out_offset == -1 ? nullptr : &out_offset, sqe.length, flags);
  if (!done.ok() && done.error() == Errno::Again && waits && out.value()->poll_queue() != nullptr)
    return wait_on(request, out.take(), kWriteBits);
  if (!done.ok()) return uring_failure(done.error());
  return UringOutcome::moved(done.value(), sqe.length);
}

}  // namespace

UringOutcome uring_failure(Errno error) {
  const bool restart = error == Errno::RestartSys || error == Errno::RestartNoHand || error == Errno::RestartNoIntr ||
                       error == Errno::RestartBlock;
  return UringOutcome::failed(restart ? Errno::Interrupted : error);
}

Result<fs::File*> uring_file(UringRequest& request) {
  if (!request.file) {
    const abi::UringSqe& sqe = request.sqe;
    request.file = TRY((sqe.flags & abi::kSqeFixedFile) != 0 ? request.ring.fixed_file(static_cast<u32>(sqe.fd))
                                                             : file_of(sqe.fd));
  }
  return request.file.get();
}

UringOutcome Uring::execute(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  if (sqe.opcode >= abi::kOpLast || (sqe.flags & 0x80) != 0 || sqe.personality != 0)
    return UringOutcome::failed(Errno::Invalid);
  if ((sqe.flags & abi::kSqeBufferSelect) != 0) return UringOutcome::failed(Errno::NotSupported);
  switch (sqe.opcode) {
    case abi::kOpNop:
      return UringOutcome::done(0);
    case abi::kOpReadV:
    case abi::kOpWriteV:
    case abi::kOpReadFixed:
    case abi::kOpWriteFixed:
    case abi::kOpRead:
    case abi::kOpWrite:
      return transfer(request);
    case abi::kOpFsync:
      return sync(request);
    case abi::kOpPollAdd:
      return poll_add(request);
    case abi::kOpPollRemove:
      return poll_remove(request);
    case abi::kOpTimeout:
    case abi::kOpLinkTimeout:
      return timeout(request);
    case abi::kOpTimeoutRemove:
      return timeout_remove(request);
    case abi::kOpAsyncCancel:
      return async_cancel(request);
    case abi::kOpSplice:
    case abi::kOpTee:
      return splice(request);
    default:
      break;
  }
  UringOutcome outcome;
  if (execute_network(request, &outcome) || execute_names(request, &outcome)) return outcome;
  return UringOutcome::failed(Errno::Invalid);
}

}  // namespace uni::shim

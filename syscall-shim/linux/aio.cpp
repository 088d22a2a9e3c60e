// SPDX-License-Identifier: Apache-2.0
// io_setup(2), io_submit(2), io_getevents(2) and their family. Transfers and syncs are done within io_submit, which may
// block, as Linux does for what goes through the page cache; only a poll ends later. The page at a context's address
// holds no ring: its magic number is 0, so that libaio asks the kernel.
#include "syscall-shim/linux/aio_context.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/io.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {

constexpr i64 kMostSubmitted = i64{1} << 28;

Result<RefPtr<AioContext>> context_of(u64 id) {
  AioTable& table = *TRY(AioTable::of(*Process::current().space));
  return table.find(UserAddr{id});
}

// A failed transfer is the request's result; signals do not restart it.
i64 result_of(const Result<usize>& done) {
  if (done.ok()) return static_cast<i64>(done.value());
  const Errno error = done.error();
  const bool restart = error == Errno::RestartSys || error == Errno::RestartNoHand || error == Errno::RestartNoIntr;
  return -static_cast<i64>(restart ? Errno::Interrupted : error);
}

// Reads and writes. What is wrong with the request itself fails the submission.
Result<i64> transfer(fs::File& file, const abi::Iocb& request) {
  const bool reads = request.opcode == abi::kAioRead || request.opcode == abi::kAioReadVector;
  const bool vectored = request.opcode == abi::kAioReadVector || request.opcode == abi::kAioWriteVector;
  if (!(reads ? file.readable() : file.writable())) return Errno::BadFd;
  if (file.kind() == fs::FileKind::kEpoll) return Errno::Invalid;
  IoVector vector;
  if (vectored)
    TRY(vector.read(UserPtr<IoSegment>(request.buffer), request.size));
  else if (!user_range_ok(UserAddr{request.buffer}, request.size))
    return Errno::Fault;
  if (file.seekable() && request.offset < 0) return Errno::Invalid;
  IoCursor cursor =
      vectored ? vector.cursor() : IoCursor(UserAddr{request.buffer}, min(request.size, abi::kMaxTransfer));
  TRY(apply_rw_flags(file, cursor, static_cast<u32>(request.rw_flags), reads ? Transfer::kRead : Transfer::kWrite));
  const u64 offset = file.seekable() ? static_cast<u64>(request.offset) : 0;
  const Result<usize> done = reads ? file.read(cursor, offset) : file.write(cursor, offset);
  if (!done.ok() || reads) return result_of(done);
  const u32 flags = static_cast<u32>(request.rw_flags);
  if ((flags & (abi::kRwDsync | abi::kRwSync)) != 0) TRY(file.sync((flags & abi::kRwSync) == 0));
  return result_of(done);
}

Result<i64> sync(fs::File& file, const abi::Iocb& request) {
  if (request.buffer != 0 || request.offset != 0 || request.size != 0 || request.rw_flags != 0) return Errno::Invalid;
  if (file.kind() != fs::FileKind::kInode) return Errno::Invalid;
  const Result<void> done = file.sync(request.opcode == abi::kAioFdatasync);
  return done.ok() ? i64{0} : -static_cast<i64>(done.error());
}

// Arms a poll. It holds a reference of its own until it ends.
Result<void> arm_poll(AioContext& context, RefPtr<fs::File> file, const abi::Iocb& request, UserAddr object,
                      RefPtr<fs::File> eventfd) {
  if (static_cast<u16>(request.buffer) != request.buffer) return Errno::Invalid;
  if (request.offset != 0 || request.size != 0 || request.rw_flags != 0) return Errno::Invalid;
  TRY(sched::prepare_deferred_work());
  WaitQueue* queue = file->poll_queue();
  RefPtr<AioPoll> poll = TRY(make_ref<AioPoll>(context, uni::move(file), static_cast<u32>(request.buffer), request,
                                               object, uni::move(eventfd)));
  poll->ref();
  context.add_poll(*poll);
  if (queue != nullptr) queue->add(poll->waiter);
  (void)poll->try_finish(queue == nullptr);
  return {};
}

Result<void> submit_one(AioContext& context, UserAddr object) {
  const abi::Iocb request = TRY(UserPtr<abi::Iocb>(object).read());
  if (request.reserved != 0 || static_cast<i64>(request.size) < 0) return Errno::Invalid;
  TRY(context.reserve());
  ScopeGuard release([&] { context.unreserve(); });
  RefPtr<fs::File> file = TRY(file_of(static_cast<i32>(request.fd)));
  RefPtr<fs::File> eventfd;
  if ((request.flags & abi::kAioResultFd) != 0) {
    eventfd = TRY(file_of(static_cast<i32>(request.result_fd)));
    if (eventfd->kind() != fs::FileKind::kEventFd) return Errno::Invalid;
  }
  constexpr u32 kKey = 0;
  TRY(copy_to_user(object + __builtin_offsetof(abi::Iocb, key), &kKey, sizeof kKey));
  i64 result = 0;
  switch (request.opcode) {
    case abi::kAioRead:
    case abi::kAioWrite:
    case abi::kAioReadVector:
    case abi::kAioWriteVector:
      result = TRY(transfer(*file, request));
      break;
    case abi::kAioFsync:
    case abi::kAioFdatasync:
      result = TRY(sync(*file, request));
      break;
    case abi::kAioPoll:
      TRY(arm_poll(context, uni::move(file), request, object, uni::move(eventfd)));
      release.dismiss();
      return {};
    default:
      return Errno::Invalid;
  }
  release.dismiss();
  context.finish(request.data, object, result, eventfd.get());
  return {};
}

Result<i64> take_events(u64 id, i64 least, i64 most, UserPtr<abi::IoEvent> events, UserPtr<abi::Timespec> timeout) {
  u64 deadline = time::kNever;
  if (timeout) {
    const abi::Timespec given = TRY(timeout.read());
    const u64 wait =
        given.tv_sec < 0 ? 0 : static_cast<u64>(given.tv_sec) * time::kSecond + static_cast<u64>(given.tv_nsec);
    deadline = wait == 0 ? 0 : time::deadline_after(wait);
  }
  const RefPtr<AioContext> context = TRY(context_of(id));
  if (least < 0 || least > most) return Errno::Invalid;
  return context->take(least, most, events, deadline);
}

}  // namespace

// io_setup(2).
Result<i64> sys_io_setup(u32 events, UserPtr<u64> id) {
  if (TRY(id.read()) != 0 || events == 0) return Errno::Invalid;
  mm::AddressSpace& space = *Process::current().space;
  AioTable& table = *TRY(AioTable::of(space));
  mm::MapRequest request;
  request.length = kPageSize;
  request.protection = mm::kProtRead | mm::kProtWrite;
  const u64 address = TRY(space.map(uni::move(request)));
  ScopeGuard unmap([&] { (void)space.unmap(address, kPageSize).ok(); });
  RefPtr<AioContext> context = TRY(AioContext::create(events, UserAddr{address}, kPageSize));
  TRY(id.write(address));
  TRY(table.add(uni::move(context)));
  unmap.dismiss();
  return 0;
}

// io_destroy(2): waits for nothing but polls, which it ends.
Result<i64> sys_io_destroy(u64 id) {
  mm::AddressSpace& space = *Process::current().space;
  AioTable& table = *TRY(AioTable::of(space));
  const RefPtr<AioContext> context = TRY(table.find(UserAddr{id}, true));
  context->close();
  (void)space.unmap(id, context->id_size()).ok();
  return 0;
}

// io_submit(2).
Result<i64> sys_io_submit(u64 id, i64 count, UserPtr<u64> requests) {
  if (count < 0) return Errno::Invalid;
  const RefPtr<AioContext> context = TRY(context_of(id));
  count = min(count, kMostSubmitted);
  for (i64 i = 0; i < count; ++i) {
    Result<u64> object = (requests + static_cast<usize>(i)).read();
    Result<void> done = object.ok() ? submit_one(*context, UserAddr{object.value()}) : Result<void>(object.error());
    if (!done.ok()) return i != 0 ? Result<i64>(i) : Result<i64>(done.error());
  }
  return count;
}

// io_cancel(2): what was cancelled comes by io_getevents, hence EINPROGRESS.
Result<i64> sys_io_cancel(u64 id, UserPtr<abi::Iocb> request, UserAddr) {
  if (TRY(UserPtr<u32>(request.address() + __builtin_offsetof(abi::Iocb, key)).read()) != 0) return Errno::Invalid;
  const RefPtr<AioContext> context = TRY(context_of(id));
  TRY(context->cancel(request.address()));
  return Errno::InProgress;
}

// io_getevents(2).
Result<i64> sys_io_getevents(u64 id, i64 least, i64 most, UserPtr<abi::IoEvent> events,
                             UserPtr<abi::Timespec> timeout) {
  return take_events(id, least, most, events, timeout);
}

// io_pgetevents(2).
Result<i64> sys_io_pgetevents(u64 id, i64 least, i64 most, UserPtr<abi::IoEvent> events, UserPtr<abi::Timespec> timeout,
                              UserPtr<abi::SigSetArgument> mask) {
  abi::SigSetArgument argument{};
  if (mask) argument = TRY(mask.read());
  TemporaryMask temporary;
  TRY(temporary.apply(UserPtr<u64>(argument.set), argument.size));
  Result<i64> done = take_events(id, least, most, events, timeout);
  if (done.ok() || done.error() != Errno::Interrupted) return done;
  temporary.keep_for_handler();
  return Errno::RestartNoHand;
}

}  // namespace uni::shim

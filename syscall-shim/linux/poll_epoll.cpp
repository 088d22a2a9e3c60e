// SPDX-License-Identifier: Apache-2.0
// epoll_create(2), epoll_ctl(2), epoll_wait(2) and its two variants.
#include "syscall-shim/linux/poll.hpp"
#include "kernel/fs/epoll.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {

constexpr i32 kMostEvents = 0x7fffffff / static_cast<i32>(sizeof(abi::EpollEvent));
// EPOLLEXCLUSIVE goes only with these (epoll_ctl(2)).
constexpr u32 kExclusiveAllowed =
    fs::kPollIn | fs::kPollOut | fs::kPollErr | fs::kPollHup | fs::kEpollWakeUp | fs::kEpollEdge | fs::kEpollExclusive;

// The instance behind a descriptor. Errors: BadFd, Invalid (something else).
Result<RefPtr<fs::File>> get_epoll(i32 fd) {
  RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
  if (file->kind() != fs::FileKind::kEpoll) return Errno::Invalid;
  return file;
}

Result<i64> create(i32 flags) {
  auto ep = TRY(make_ref<fs::Epoll>(fs::kOpenReadWrite));
  return i64 {
    TRY(Process::current().files->install(move(ep), (flags & abi::kCloexec) != 0))
  };
}

// Copies one piece of what is ready behind the pieces before it.
struct Output {
  UserPtr<abi::EpollEvent> next;
};
Result<void> take_events(void* context, const fs::EpollEvent* events, usize count) {
  Output& out = *static_cast<Output*>(context);
  if (count == 1) {
    TRY(out.next.write({events->events, events->data}));
    out.next = out.next + 1;
    return {};
  }
  abi::EpollEvent packed[32];
  for (usize at = 0; at < count;) {
    const usize piece = min<usize>(count - at, 32);
    for (usize i = 0; i < piece; ++i)
      packed[i] = {events[at + i].events, events[at + i].data};
    TRY(copy_to_user(out.next.address(), packed, piece * sizeof(abi::EpollEvent)));
    out.next = out.next + piece;
    at += piece;
  }
  return {};
}

Result<i64> wait(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity, u64 deadline) {
  if (capacity <= 0 || capacity > kMostEvents) return Errno::Invalid;
  if (!user_range_ok(events.address(), static_cast<u64>(capacity) * sizeof(abi::EpollEvent))) return Errno::Fault;
  RefPtr<fs::File> file = TRY(get_epoll(epoll_fd));
  Output out{events};
  return static_cast<i64>(
      TRY(static_cast<fs::Epoll&>(*file).wait(static_cast<usize>(capacity), deadline, take_events, &out)));
}

u64 deadline_of_ms(i32 timeout_ms) {
  if (timeout_ms < 0) return time::kNever;
  return timeout_ms == 0 ? 0 : time::deadline_after(static_cast<u64>(timeout_ms) * time::kMillisecond);
}

Result<i64> wait_masked(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity, u64 deadline, UserPtr<u64> mask,
                        u64 mask_size) {
  TemporaryMask temporary;
  TRY(temporary.apply(mask, mask_size));
  auto done = wait(epoll_fd, events, capacity, deadline);
  if (!done.ok() && done.error() == Errno::Interrupted) temporary.keep_for_handler();
  return done;
}

}  // namespace

// epoll_create(2). The size is only checked.
Result<i64> sys_epoll_create(i32 size) {
  if (size <= 0) return Errno::Invalid;
  return create(0);
}

// epoll_create1(2).
Result<i64> sys_epoll_create1(i32 flags) {
  if ((flags & ~abi::kCloexec) != 0) return Errno::Invalid;
  return create(flags);
}

// epoll_ctl(2).
Result<i64> sys_epoll_ctl(i32 epoll_fd, i32 operation, i32 fd, UserPtr<abi::EpollEvent> event) {
  abi::EpollEvent wanted{};
  if (operation != abi::kEpollCtlDel) wanted = TRY(event.read());
  RefPtr<fs::File> watching = TRY(Process::current().files->get(epoll_fd));
  RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
  if (file->poll_queue() == nullptr) return Errno::NotPermitted;
  if (watching->kind() != fs::FileKind::kEpoll || watching == file) return Errno::Invalid;
  u32 events = wanted.events;
  events &= ~fs::kEpollWakeUp;  // nothing here suspends the machine
  auto& ep = static_cast<fs::Epoll&>(*watching);
  switch (operation) {
    case abi::kEpollCtlAdd:
      if ((events & fs::kEpollExclusive) != 0 &&
          ((events & ~kExclusiveAllowed) != 0 || file->kind() == fs::FileKind::kEpoll))
        return Errno::Invalid;
      TRY(ep.add(*file, fd, events, wanted.data));
      return 0;
    case abi::kEpollCtlMod:
      if ((events & fs::kEpollExclusive) != 0) return Errno::Invalid;
      TRY(ep.modify(*file, fd, events, wanted.data));
      return 0;
    case abi::kEpollCtlDel:
      TRY(ep.remove(*file, fd));
      return 0;
    default:
      return Errno::Invalid;
  }
}

// epoll_wait(2).
Result<i64> sys_epoll_wait(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity, i32 timeout_ms) {
  return wait(epoll_fd, events, capacity, deadline_of_ms(timeout_ms));
}

// epoll_pwait(2).
Result<i64> sys_epoll_pwait(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity, i32 timeout_ms,
                            UserPtr<u64> mask, u64 mask_size) {
  return wait_masked(epoll_fd, events, capacity, deadline_of_ms(timeout_ms), mask, mask_size);
}

// epoll_pwait2(2).
Result<i64> sys_epoll_pwait2(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity,
                             UserPtr<abi::Timespec> timeout, UserPtr<u64> mask, u64 mask_size) {
  const u64 deadline = TRY(read_deadline(timeout));
  return wait_masked(epoll_fd, events, capacity, deadline, mask, mask_size);
}

}  // namespace uni::shim

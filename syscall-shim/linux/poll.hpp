// SPDX-License-Identifier: Apache-2.0
// Handlers of the poll family: poll, select, epoll and the descriptors made for them.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/poll.hpp"
#include "syscall-shim/abi/signal.hpp"
#include "syscall-shim/abi/time.hpp"

namespace uni::shim {

Result<i64> sys_poll(UserPtr<abi::PollFd> fds, u32 count, i32 timeout_ms);
Result<i64> sys_ppoll(UserPtr<abi::PollFd> fds, u32 count, UserPtr<abi::Timespec> timeout, UserPtr<u64> mask,
                      u64 mask_size);
Result<i64> sys_select(i32 count, UserPtr<u64> in, UserPtr<u64> out, UserPtr<u64> except,
                       UserPtr<abi::Timeval> timeout);
Result<i64> sys_pselect6(i32 count, UserPtr<u64> in, UserPtr<u64> out, UserPtr<u64> except,
                         UserPtr<abi::Timespec> timeout, UserPtr<abi::SigSetArgument> mask);

Result<i64> sys_epoll_create(i32 size);
Result<i64> sys_epoll_create1(i32 flags);
Result<i64> sys_epoll_ctl(i32 epoll_fd, i32 operation, i32 fd, UserPtr<abi::EpollEvent> event);
Result<i64> sys_epoll_wait(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity, i32 timeout_ms);
Result<i64> sys_epoll_pwait(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity, i32 timeout_ms,
                            UserPtr<u64> mask, u64 mask_size);
Result<i64> sys_epoll_pwait2(i32 epoll_fd, UserPtr<abi::EpollEvent> events, i32 capacity,
                             UserPtr<abi::Timespec> timeout, UserPtr<u64> mask, u64 mask_size);

Result<i64> sys_eventfd(u32 initial);
Result<i64> sys_eventfd2(u32 initial, i32 flags);
Result<i64> sys_signalfd(i32 fd, UserPtr<u64> mask, u64 mask_size);
Result<i64> sys_signalfd4(i32 fd, UserPtr<u64> mask, u64 mask_size, i32 flags);
Result<i64> sys_timerfd_create(i32 clock, i32 flags);
Result<i64> sys_timerfd_settime(i32 fd, i32 flags, UserPtr<abi::Itimerspec> value, UserPtr<abi::Itimerspec> old);
Result<i64> sys_timerfd_gettime(i32 fd, UserPtr<abi::Itimerspec> value);

}  // namespace uni::shim

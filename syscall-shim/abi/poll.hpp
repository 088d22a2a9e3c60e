// SPDX-License-Identifier: Apache-2.0
// Linux's poll, select and epoll structures, x86-64 layout.
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct PollFd {
  i32 fd;
  i16 events;
  i16 revents;
};
static_assert(sizeof(PollFd) == 8);

// Packed on x86-64 only, so that 32-bit programs see the same layout.
struct [[gnu::packed]] EpollEvent {
  u32 events;
  u64 data;
};
static_assert(sizeof(EpollEvent) == 12);

inline constexpr i32 kEpollCtlAdd = 1;
inline constexpr i32 kEpollCtlDel = 2;
inline constexpr i32 kEpollCtlMod = 3;

// The sixth argument of pselect6(2): a mask and its size.
struct SigSetArgument {
  u64 set;
  u64 size;
};

inline constexpr i32 kCloexec = 0x80000;  // EFD_, TFD_, SFD_, EPOLL_CLOEXEC
inline constexpr i32 kNonblock = 0x800;   // EFD_, TFD_, SFD_NONBLOCK
inline constexpr i32 kEventFdSemaphore = 1;

}  // namespace uni::abi

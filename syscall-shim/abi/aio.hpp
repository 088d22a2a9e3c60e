// SPDX-License-Identifier: Apache-2.0
// Linux's asynchronous I/O structures (linux/aio_abi.h), x86-64 layout.
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct Iocb {
  u64 data;
  u32 key;
  i32 rw_flags;
  u16 opcode;
  i16 priority;
  u32 fd;
  u64 buffer;
  u64 size;
  i64 offset;
  u64 reserved;
  u32 flags;
  u32 result_fd;
};
static_assert(sizeof(Iocb) == 64);

struct IoEvent {
  u64 data;
  u64 object;
  i64 result;
  i64 result2;
};
static_assert(sizeof(IoEvent) == 32);

enum AioOpcode : u16 {
  kAioRead = 0,
  kAioWrite = 1,
  kAioFsync = 2,
  kAioFdatasync = 3,
  kAioPoll = 5,
  kAioReadVector = 7,
  kAioWriteVector = 8,
};

enum AioFlag : u32 { kAioResultFd = 1, kAioPriority = 2 };

}  // namespace uni::abi

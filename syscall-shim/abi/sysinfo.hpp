// SPDX-License-Identifier: Apache-2.0
// Linux's system information structures, x86-64 layout.
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct Utsname {
  char sysname[65];
  char nodename[65];
  char release[65];
  char version[65];
  char machine[65];
  char domainname[65];
};
static_assert(sizeof(Utsname) == 390);

struct Sysinfo {
  i64 uptime;
  u64 loads[3];  // fixed point, 16 bits of fraction
  u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
  u16 procs;
  u16 pad;
  u32 pad2;
  u64 totalhigh, freehigh;
  u32 mem_unit;
  u32 pad3;
};
static_assert(sizeof(Sysinfo) == 112);

// struct lsm_ctx; the context's bytes follow.
struct LsmContext {
  u64 id, flags, length, context_length;
};
static_assert(sizeof(LsmContext) == 32);

inline constexpr u32 kGrndNonblock = 1;
inline constexpr u32 kGrndRandom = 2;
inline constexpr u32 kGrndInsecure = 4;

}  // namespace uni::abi

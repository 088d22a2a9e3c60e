// SPDX-License-Identifier: Apache-2.0
// Linux's process structures and constants, x86-64 layout.
#pragma once

#include "syscall-shim/abi/time.hpp"
#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct Rlimit {
  u64 rlim_cur;
  u64 rlim_max;
};

struct Rusage {
  Timeval ru_utime, ru_stime;
  i64 ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap, ru_inblock, ru_oublock, ru_msgsnd,
      ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};
static_assert(sizeof(Rusage) == 144);

struct CapHeader {
  u32 version;
  i32 pid;
};
struct CapData {
  u32 effective;
  u32 permitted;
  u32 inheritable;
};
inline constexpr u32 kCapVersion1 = 0x19980330;
inline constexpr u32 kCapVersion2 = 0x20071026;
inline constexpr u32 kCapVersion3 = 0x20080522;
inline constexpr u32 kCapLast = 40;  // CAP_CHECKPOINT_RESTORE
inline constexpr u32 kCapChown = 0;
inline constexpr u32 kCapKill = 5;
inline constexpr u32 kCapSetgid = 6;
inline constexpr u32 kCapSetuid = 7;
inline constexpr u32 kCapSetpcap = 8;
inline constexpr u32 kCapSysPtrace = 19;
inline constexpr u32 kCapSysAdmin = 21;
inline constexpr u32 kCapSysBoot = 22;
inline constexpr u32 kCapSysNice = 23;
inline constexpr u32 kCapSysResource = 24;
inline constexpr u32 kCapSysTime = 25;

// prctl(2) options that are answered.
inline constexpr i32 kPrSetPdeathsig = 1;
inline constexpr i32 kPrGetPdeathsig = 2;
inline constexpr i32 kPrGetDumpable = 3;
inline constexpr i32 kPrSetDumpable = 4;
inline constexpr i32 kPrGetKeepcaps = 7;
inline constexpr i32 kPrSetKeepcaps = 8;
inline constexpr i32 kPrGetTiming = 13;
inline constexpr i32 kPrSetTiming = 14;
inline constexpr i32 kPrSetName = 15;
inline constexpr i32 kPrGetName = 16;
inline constexpr i32 kPrGetSeccomp = 21;
inline constexpr i32 kPrSetSeccomp = 22;
inline constexpr i32 kPrCapbsetRead = 23;
inline constexpr i32 kPrCapbsetDrop = 24;
inline constexpr i32 kPrGetSecurebits = 27;
inline constexpr i32 kPrSetSecurebits = 28;
inline constexpr i32 kPrSetTimerslack = 29;
inline constexpr i32 kPrGetTimerslack = 30;
inline constexpr i32 kPrSetChildSubreaper = 36;
inline constexpr i32 kPrGetChildSubreaper = 37;
inline constexpr i32 kPrSetNoNewPrivs = 38;
inline constexpr i32 kPrGetNoNewPrivs = 39;
inline constexpr i32 kPrGetTidAddress = 40;
inline constexpr i32 kPrSetThpDisable = 41;
inline constexpr i32 kPrGetThpDisable = 42;
inline constexpr i32 kPrCapAmbient = 47;
inline constexpr i32 kPrSetPtracer = 0x59616d61;
inline constexpr i32 kPrSetVma = 0x53564d41;

}  // namespace uni::abi

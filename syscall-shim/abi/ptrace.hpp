// SPDX-License-Identifier: Apache-2.0
// Linux's ptrace requests and structures, x86-64 (include/uapi/linux/ptrace.h).
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

enum PtraceRequest : i64 {
  kPtraceTraceMe = 0,
  kPtracePeekText = 1,
  kPtracePeekData = 2,
  kPtracePeekUser = 3,
  kPtracePokeText = 4,
  kPtracePokeData = 5,
  kPtracePokeUser = 6,
  kPtraceCont = 7,
  kPtraceKill = 8,
  kPtraceSingleStep = 9,
  kPtraceGetRegs = 12,
  kPtraceSetRegs = 13,
  kPtraceGetFpRegs = 14,
  kPtraceSetFpRegs = 15,
  kPtraceAttach = 16,
  kPtraceDetach = 17,
  kPtraceOldSetOptions = 21,
  kPtraceSyscall = 24,
  kPtraceArchPrctl = 30,
  kPtraceSysEmu = 31,
  kPtraceSysEmuSingleStep = 32,
  kPtraceSetOptions = 0x4200,
  kPtraceGetEventMsg = 0x4201,
  kPtraceGetSigInfo = 0x4202,
  kPtraceSetSigInfo = 0x4203,
  kPtraceGetRegSet = 0x4204,
  kPtraceSetRegSet = 0x4205,
  kPtraceSeize = 0x4206,
  kPtraceInterrupt = 0x4207,
  kPtraceListen = 0x4208,
  kPtracePeekSigInfo = 0x4209,
  kPtraceGetSigMask = 0x420a,
  kPtraceSetSigMask = 0x420b,
  kPtraceSeccompGetFilter = 0x420c,
  kPtraceSeccompGetMetadata = 0x420d,
  kPtraceGetSyscallInfo = 0x420e,
  kPtraceGetRseqConfiguration = 0x420f,
};

inline constexpr u32 kAuditArchX86_64 = 0xc000003e;

struct PeekSigInfo {  // struct ptrace_peeksiginfo_args
  u64 offset;
  u32 flags;
  i32 count;
};
static_assert(sizeof(PeekSigInfo) == 16);

enum CallOperation : u8 { kCallNone, kCallEntry, kCallExit, kCallSeccomp };
struct CallInfo {  // struct ptrace_syscall_info
  u8 operation;
  u8 pad[3];
  u32 arch;
  u64 instruction_pointer;
  u64 stack_pointer;
  union {
    struct {
      u64 number;
      u64 arguments[6];
      u32 seccomp_data;
    } entry;
    struct {
      i64 value;
      u8 is_error;
    } exit;
  };
};
static_assert(sizeof(CallInfo) == 88);

struct RseqConfiguration {  // struct ptrace_rseq_configuration
  u64 address;
  u32 length;
  u32 signature;
  u32 flags;
  u32 pad;
};
static_assert(sizeof(RseqConfiguration) == 24);

}  // namespace uni::abi

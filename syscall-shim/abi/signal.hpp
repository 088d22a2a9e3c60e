// SPDX-License-Identifier: Apache-2.0
// Linux's signal structures, x86-64 layout (include/uapi/asm-generic/siginfo.h,
// arch/x86/include/uapi/asm/sigcontext.h).
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct SigAction {
  u64 handler;
  u64 flags;
  u64 restorer;
  u64 mask;
};
static_assert(sizeof(SigAction) == 32);

struct SigStack {
  u64 ss_sp;
  i32 ss_flags;
  u32 pad;
  u64 ss_size;
};
static_assert(sizeof(SigStack) == 24);

inline constexpr u32 kSsOnStack = 1;
inline constexpr u32 kSsDisable = 2;
inline constexpr u32 kSsAutoDisarm = 1u << 31;
inline constexpr u64 kMinSigStackSize = 2048;

// siginfo_t. One array of words; which word means what depends on the code (signal_info.cpp).
struct SigInfo {
  i32 si_signo;
  i32 si_errno;
  i32 si_code;
  u32 pad;
  union {
    u32 words[28];
    struct {
      u32 pid;
      u32 uid;
      u64 value;
    } rt;
    struct {
      i32 timer_id;
      i32 overrun;
      u64 value;
    } timer;
    struct {
      u32 pid;
      u32 uid;
      i32 status;
      u32 pad;
      i64 user_time;
      i64 system_time;
    } child;
    struct {
      u64 address;
    } fault;
    struct {
      i64 band;
      i32 fd;
    } poll;
    struct {
      u64 call_address;
      i32 call_number;
      u32 arch;
    } call;
  };
};
static_assert(sizeof(SigInfo) == 128);

// si_code
inline constexpr i32 kSiUser = 0;
inline constexpr i32 kSiKernel = 0x80;
inline constexpr i32 kSiQueue = -1;
inline constexpr i32 kSiTimer = -2;
inline constexpr i32 kSiMesgq = -3;
inline constexpr i32 kSiAsyncIo = -4;
inline constexpr i32 kSiSigIo = -5;
inline constexpr i32 kSiTkill = -6;
inline constexpr i32 kSysSeccomp = 1;  // of SIGSYS

struct SigContext {
  u64 r8, r9, r10, r11, r12, r13, r14, r15;
  u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
  u16 cs, gs, fs, ss;
  u64 err, trapno, oldmask, cr2;
  u64 fpstate;
  u64 reserved[8];
};
static_assert(sizeof(SigContext) == 256);

struct UContext {
  u64 uc_flags;
  u64 uc_link;
  SigStack uc_stack;
  SigContext uc_mcontext;
  u64 uc_sigmask;
};
static_assert(sizeof(UContext) == 304);

inline constexpr u64 kUcFpXstate = 1;
inline constexpr u64 kUcSigContextSs = 2;
inline constexpr u64 kUcStrictRestoreSs = 4;

struct RtSigFrame {
  u64 return_address;
  UContext uc;
  SigInfo info;
};
static_assert(sizeof(RtSigFrame) == 440);

// The software-reserved bytes of an FXSAVE image (offset 464): how much XSAVE state follows.
struct FpSoftwareBytes {
  u32 magic1;
  u32 extended_size;
  u64 xfeatures;
  u32 xstate_size;
  u32 padding[7];
};
static_assert(sizeof(FpSoftwareBytes) == 48);
inline constexpr u64 kFpSoftwareOffset = 464;
inline constexpr u32 kFpMagic1 = 0x46505853;
inline constexpr u32 kFpMagic2 = 0x46505845;

struct SignalfdSigInfo {
  u32 ssi_signo;
  i32 ssi_errno;
  i32 ssi_code;
  u32 ssi_pid;
  u32 ssi_uid;
  i32 ssi_fd;
  u32 ssi_tid;
  u32 ssi_band;
  u32 ssi_overrun;
  u32 ssi_trapno;
  i32 ssi_status;
  i32 ssi_int;
  u64 ssi_ptr;
  u64 ssi_utime;
  u64 ssi_stime;
  u64 ssi_addr;
  u16 ssi_addr_lsb;
  u16 pad2;
  i32 ssi_syscall;
  u64 ssi_call_addr;
  u32 ssi_arch;
  u32 pad[7];
};
static_assert(sizeof(SignalfdSigInfo) == 128);

// rt_sigprocmask(2)
inline constexpr i32 kSigBlock = 0;
inline constexpr i32 kSigUnblock = 1;
inline constexpr i32 kSigSetMask = 2;

}  // namespace uni::abi

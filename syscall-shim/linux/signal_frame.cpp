// SPDX-License-Identifier: Apache-2.0
// Layout of a frame, from high addresses to low: the interrupted stack, 128 bytes of red zone (psABI 3.2.2), the XSAVE
// area with the second magic word behind it (64-byte aligned), the RtSigFrame, whose first word is the return address.
// Programs (debuggers, Go, JVMs, unwinders) read and change all of it, so it is Linux's layout to the byte.
#include "syscall-shim/linux/signal_frame.hpp"

#include "kernel/arch/fpu.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/trace.hpp"
#include "syscall-shim/abi/signal.hpp"
#include "syscall-shim/linux/signal.hpp"

namespace uni::shim {

namespace {

constexpr u64 kRedZone = 128;
constexpr u64 kUserCs = 0x33;
constexpr u64 kUserSs = 0x2b;
constexpr u64 kFxsaveSize = 512;
constexpr u64 kXsaveMinimum = 576;  // the FXSAVE image and the XSAVE header (SDM volume 1, 13.4)
// What a frame may set of RFLAGS: the arithmetic flags, DF, TF, RF, AC.
constexpr u64 kFrameFlags = 0x50dd5;
constexpr u64 kHandlerClearsFlags = 0x10500;  // TF, DF, RF

bool on_alt_stack(const Thread& t, u64 sp) {
  return sp > t.alt_stack_base && sp - t.alt_stack_base <= t.alt_stack_size;
}

// Where the frame goes. 0 where it would leave the alternate stack that it must be on.
struct Places {
  u64 fpstate;
  u64 frame;
};
Places place(const Thread& t, const TrapFrame& frame, u64 action_flags, u64 fp_size) {
  u64 sp = frame.rsp - kRedZone;
  const bool disarms = (t.alt_stack_flags & abi::kSsAutoDisarm) != 0;
  bool must_fit = !disarms && t.alt_stack_size != 0 && on_alt_stack(t, sp);
  if ((action_flags & signal::kOnStack) != 0 && alt_stack_state(t, frame.rsp) == 0) {
    sp = t.alt_stack_base + t.alt_stack_size;
    must_fit = true;
  }
  Places places{};
  places.fpstate = align_down(sp - fp_size - sizeof(u32), 64);
  // On entry to a function the stack is 8 below a multiple of 16: a call has pushed the return address.
  places.frame = align_down(places.fpstate - sizeof(abi::RtSigFrame), 16) - 8;
  if (must_fit && !on_alt_stack(t, places.frame)) return {0, 0};
  return places;
}

void save_registers(abi::SigContext& to, const Thread& t, const TrapFrame& f) {
  to.r8 = f.r8;
  to.r9 = f.r9;
  to.r10 = f.r10;
  to.r11 = f.r11;
  to.r12 = f.r12;
  to.r13 = f.r13;
  to.r14 = f.r14;
  to.r15 = f.r15;
  to.rdi = f.rdi;
  to.rsi = f.rsi;
  to.rbp = f.rbp;
  to.rbx = f.rbx;
  to.rdx = f.rdx;
  to.rax = f.rax;
  to.rcx = f.rcx;
  to.rsp = f.rsp;
  to.rip = f.rip;
  to.rflags = f.rflags;
  to.cs = kUserCs;
  to.ss = kUserSs;
  to.err = t.trap_error;
  to.trapno = t.trap_number;
  to.oldmask = t.blocked;
  to.cr2 = t.fault_address;
}

void load_registers(TrapFrame& f, const abi::SigContext& from) {
  f.r8 = from.r8;
  f.r9 = from.r9;
  f.r10 = from.r10;
  f.r11 = from.r11;
  f.r12 = from.r12;
  f.r13 = from.r13;
  f.r14 = from.r14;
  f.r15 = from.r15;
  f.rdi = from.rdi;
  f.rsi = from.rsi;
  f.rbp = from.rbp;
  f.rbx = from.rbx;
  f.rdx = from.rdx;
  f.rax = from.rax;
  f.rcx = from.rcx;
  f.rsp = from.rsp;
  f.rip = from.rip;
  f.rflags = (f.rflags & ~kFrameFlags) | (from.rflags & kFrameFlags);
  f.cs = kUserCs;
  f.ss = kUserSs;
}

// The thread's own save area is free while it runs, and a switch during the copy writes the same content again. Its
// bytes 464 to 511 are software's (SDM volume 1, 10.5.1), so the description goes there.
Result<void> write_fpstate(Thread& t, u64 at) {
  const usize size = arch::fpu_area_size();
  arch::fpu_save(t.fpu);
  abi::FpSoftwareBytes software{};
  software.magic1 = abi::kFpMagic1;
  software.extended_size = static_cast<u32>(size + sizeof(u32));
  software.xfeatures = arch::fpu_features();
  software.xstate_size = static_cast<u32>(size);
  __builtin_memcpy(static_cast<u8*>(t.fpu) + abi::kFpSoftwareOffset, &software, sizeof software);
  TRY(copy_to_user(UserAddr{at}, t.fpu, size));
  return copy_to_user(UserAddr{at + size}, &abi::kFpMagic2, sizeof abi::kFpMagic2);
}

// Loads the vector state from a copy in `area`, which has room for `size` bytes.
Result<void> load_fpstate(u8* area, usize size, u64 at) {
  TRY(copy_from_user(area, UserAddr{at}, kFxsaveSize));
  abi::FpSoftwareBytes software;
  __builtin_memcpy(&software, area + abi::kFpSoftwareOffset, sizeof software);
  bool extended = software.magic1 == abi::kFpMagic1 && software.xstate_size >= kXsaveMinimum &&
                  software.xstate_size <= size && software.xstate_size < software.extended_size;
  if (extended) {
    u32 magic2 = 0;
    TRY(copy_from_user(&magic2, UserAddr{at + software.xstate_size}, sizeof magic2));
    extended = magic2 == abi::kFpMagic2;
  }
  u64 present = 3;  // a plain FXSAVE image: x87 and SSE
  if (extended) {
    TRY(copy_from_user(area + kFxsaveSize, UserAddr{at + kFxsaveSize}, software.xstate_size - kFxsaveSize));
    __builtin_memset(area + software.xstate_size, 0, size - software.xstate_size);
    __builtin_memcpy(&present, area + kFxsaveSize, sizeof present);
    present &= software.xfeatures & arch::fpu_features();
  } else {
    __builtin_memset(area + kFxsaveSize, 0, size - kFxsaveSize);
  }
  __builtin_memcpy(area + kFxsaveSize, &present, sizeof present);
  if (!arch::fpu_load_untrusted(area).ok()) return Errno::Fault;
  return {};
}

// Not the thread's own area: a switch during the copy from the program's memory would write over it.
[[gnu::noinline]] Result<void> read_fpstate(u64 at) {
  if (at == 0) {
    arch::fpu_reset();
    return {};
  }
  if (at % 64 != 0) return Errno::Fault;
  const usize size = arch::fpu_area_size();
  if (size <= 1024) {
    alignas(64) u8 area[1024];
    return load_fpstate(area, size, at);
  }
  void* area = ::operator new (size, std::align_val_t{64}, std::nothrow);
  if (area == nullptr) return Errno::NoMemory;
  const Result<void> done = load_fpstate(static_cast<u8*>(area), size, at);
  ::operator delete (area, std::align_val_t{64});
  return done.error() == Errno{} ? Result<void>() : Result<void>(done.error());
}

}  // namespace

u32 alt_stack_state(const Thread& t, u64 stack_pointer) {
  if (t.alt_stack_size == 0) return abi::kSsDisable;
  const bool disarms = (t.alt_stack_flags & abi::kSsAutoDisarm) != 0;
  return !disarms && on_alt_stack(t, stack_pointer) ? abi::kSsOnStack : 0;
}

Result<void> enter_handler(Thread& t, TrapFrame& frame, const signal::Info& info, const signal::Action& action) {
  // Without a restorer there is no way back; Linux on x86-64 refuses it too.
  if ((action.flags & signal::kRestorer) == 0) return Errno::Fault;
  // A tracer's step is not the program's affair.
  if (trace::Tracee* tracee = trace::of(t); tracee != nullptr && exchange(tracee->forced_step, false))
    arch::set_single_step(frame, false);
  const Places places = place(t, frame, action.flags, arch::fpu_area_size());
  if (places.frame == 0) return Errno::Fault;
  TRY(write_fpstate(t, places.fpstate));

  abi::RtSigFrame out;
  out.return_address = action.restorer;
  out.uc.uc_flags = abi::kUcFpXstate | abi::kUcSigContextSs | abi::kUcStrictRestoreSs;
  out.uc.uc_link = 0;
  out.uc.uc_stack = {t.alt_stack_base, static_cast<i32>(t.alt_stack_flags), 0, t.alt_stack_size};
  save_registers(out.uc.uc_mcontext, t, frame);
  out.uc.uc_mcontext.fpstate = places.fpstate;
  __builtin_memset(out.uc.uc_mcontext.reserved, 0, sizeof out.uc.uc_mcontext.reserved);
  out.uc.uc_mcontext.gs = out.uc.uc_mcontext.fs = 0;
  out.uc.uc_sigmask = t.restore_saved_blocked ? t.saved_blocked : t.blocked;
  out.info = to_abi(info);
  TRY(copy_to_user(UserAddr{places.frame}, &out, sizeof out));

  if ((t.alt_stack_flags & abi::kSsAutoDisarm) != 0) {
    t.alt_stack_base = t.alt_stack_size = 0;
    t.alt_stack_flags = abi::kSsDisable;
  }
  t.restore_saved_blocked = false;
  frame.rdi = static_cast<u64>(info.number);
  frame.rsi = places.frame + __builtin_offsetof(abi::RtSigFrame, info);
  frame.rdx = places.frame + __builtin_offsetof(abi::RtSigFrame, uc);
  frame.rax = 0;
  frame.rsp = places.frame;
  frame.rip = action.handler;
  frame.cs = kUserCs;
  frame.ss = kUserSs;
  frame.rflags &= ~kHandlerClearsFlags;
  arch::fpu_reset();
  signal::Set blocked = t.blocked | action.mask;
  if ((action.flags & signal::kNoDefer) == 0) blocked |= signal::bit(info.number);
  signal::set_blocked(t, blocked);
  return {};
}

Result<void> leave_handler(Thread& t, TrapFrame& frame) {
  abi::UContext uc;
  // The handler's return took the first word off the stack.
  TRY(copy_from_user(&uc, UserAddr{frame.rsp}, sizeof uc));
  TRY(read_fpstate(uc.uc_mcontext.fpstate));
  load_registers(frame, uc.uc_mcontext);
  signal::set_blocked(t, uc.uc_sigmask);
  // As Linux does, a stack that sigaltstack(2) would refuse is passed over.
  const u32 flags = static_cast<u32>(uc.uc_stack.ss_flags);
  if (alt_stack_state(t, frame.rsp) != abi::kSsOnStack) {
    if ((flags & ~abi::kSsAutoDisarm) == abi::kSsDisable) {
      t.alt_stack_base = t.alt_stack_size = 0;
      t.alt_stack_flags = flags;
    } else if ((flags & ~abi::kSsAutoDisarm & ~abi::kSsOnStack) == 0 && uc.uc_stack.ss_size >= abi::kMinSigStackSize) {
      t.alt_stack_base = uc.uc_stack.ss_sp;
      t.alt_stack_size = uc.uc_stack.ss_size;
      t.alt_stack_flags = flags & ~abi::kSsOnStack;
    }
  }
  // IRET to a non-canonical address would fault in the kernel (SDM volume 2, IRET).
  if (frame.rip >= kUserEnd) return Errno::Fault;
  return {};
}

}  // namespace uni::shim

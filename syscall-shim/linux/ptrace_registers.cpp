// SPDX-License-Identifier: Apache-2.0
// A stopped tracee's registers as ptrace(2) shows them: struct user_regs_struct, struct user, and the sets by their
// note types (arch/x86/kernel/ptrace.c). What a tracer writes is made harmless here: user mode's segments, no
// privileged flags, addresses of the lower half.
#include "kernel/arch/fpu.hpp"
#include "syscall-shim/linux/ptrace.hpp"

namespace uni::shim {
namespace {

constexpr u64 kUserCs = 0x33, kUserSs = 0x2b;
constexpr u64 kTrap = 0x100;
// The arithmetic flags, TF, DF, NT, RF, AC.
constexpr u64 kFlags = 0x54dd5;
constexpr u64 kWordsOfFrame = 21;
constexpr u64 kFloatSize = 512;
constexpr u64 kDebugOffset = 848, kUserSize = 912;  // struct user
constexpr u64 kXcr0Offset = 464;                    // software's bytes of an FXSAVE image

static_assert(sizeof(TrapFrame) == kWordsOfFrame * sizeof(u64));

u64 shown_flags(const trace::Tracee& t) {
  const u64 flags = t.thread.frame->rflags;
  return t.forced_step ? flags & ~kTrap : flags;
}

bool data_segment_ok(u64 value) {
  return value == 0 || value == kUserSs;
}

// Errors: Io.
Result<void> check(const UserRegisters& r) {
  if (r.cs != kUserCs || r.ss != kUserSs) return Errno::Io;
  if (r.fs_base >= kUserEnd || r.gs_base >= kUserEnd) return Errno::Io;
  if (!data_segment_ok(r.ds) || !data_segment_ok(r.es) || !data_segment_ok(r.fs) || !data_segment_ok(r.gs))
    return Errno::Io;
  return {};
}

}  // namespace

UserRegisters get_registers(const trace::Tracee& t) {
  UserRegisters r{};
  __builtin_memcpy(&r, t.thread.frame, sizeof(TrapFrame));
  r.rflags = shown_flags(t);
  r.fs_base = t.bases.fs;
  r.gs_base = t.bases.gs;
  return r;
}

Result<void> set_registers(trace::Tracee& t, const UserRegisters& r) {
  TRY(check(r));
  TrapFrame& frame = *t.thread.frame;
  const u64 old = frame.rflags;
  __builtin_memcpy(&frame, &r, sizeof frame);
  frame.rflags = (old & ~kFlags) | (r.rflags & kFlags);
  if ((r.rflags & kTrap) != 0)
    t.forced_step = false;  // it is the program's own now
  else if (t.forced_step)
    frame.rflags |= kTrap;
  t.bases = {r.fs_base, r.gs_base};
  t.bases_changed = true;
  return {};
}

Result<u64> peek_user(const trace::Tracee& t, u64 offset) {
  if (offset % 8 != 0 || offset >= kUserSize) return Errno::Io;
  if (offset < sizeof(UserRegisters)) {
    const UserRegisters r = get_registers(t);
    u64 value;
    __builtin_memcpy(&value, reinterpret_cast<const u8*>(&r) + offset, sizeof value);
    return value;
  }
  if (offset >= kDebugOffset) return arch::debug_register(t.thread, static_cast<unsigned>((offset - kDebugOffset) / 8));
  return u64{0};
}

Result<void> poke_user(trace::Tracee& t, u64 offset, u64 value) {
  if (offset % 8 != 0 || offset >= kUserSize) return Errno::Io;
  if (offset < sizeof(UserRegisters)) {
    UserRegisters r = get_registers(t);
    __builtin_memcpy(reinterpret_cast<u8*>(&r) + offset, &value, sizeof value);
    return set_registers(t, r);
  }
  if (offset < kDebugOffset || offset == kDebugOffset + 4 * 8 || offset == kDebugOffset + 5 * 8) return Errno::Io;
  return arch::set_debug_register(t.thread, static_cast<unsigned>((offset - kDebugOffset) / 8), value);
}

usize register_set_size(u32 type) {
  switch (type) {
    case kSetStatus:
      return sizeof(UserRegisters);
    case kSetFloat:
      return kFloatSize;
    case kSetExtended:
      return arch::has_extended_state() ? arch::fpu_area_size() : 0;
    default:
      return 0;
  }
}

void read_register_set(const trace::Tracee& t, u32 type, void* to) {
  if (type == kSetStatus) {
    const UserRegisters r = get_registers(t);
    __builtin_memcpy(to, &r, sizeof r);
    return;
  }
  auto* bytes = static_cast<u8*>(to);
  __builtin_memcpy(bytes, t.thread.fpu, register_set_size(type));
  __builtin_memset(bytes + kXcr0Offset, 0, kFloatSize - kXcr0Offset);
  if (type != kSetExtended) return;
  const u64 features = arch::fpu_features();
  __builtin_memcpy(bytes + kXcr0Offset, &features, sizeof features);
}

Result<void> write_register_set(trace::Tracee& t, u32 type, const void* from, usize size) {
  if (type == kSetStatus) {
    UserRegisters r = get_registers(t);
    __builtin_memcpy(&r, from, min(size, sizeof r));
    return set_registers(t, r);
  }
  if (type == kSetFloat) {
    if (size != kFloatSize) return Errno::Invalid;
    TRY(arch::fpu_set_legacy(t.thread.fpu, from));
  } else {
    TRY(arch::fpu_set_extended(t.thread.fpu, from, size));
  }
  t.fpu_changed = true;
  return {};
}

}  // namespace uni::shim

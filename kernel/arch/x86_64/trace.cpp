// SPDX-License-Identifier: Apache-2.0
// Debug registers and single steps (SDM volume 3, chapter 17), vector state between a tracer and its tracee.
// Breakpoints are local to a thread and lie in user memory only, so that the kernel meets none but data breakpoints on
// what it copies for the program; those are passed over (trap.S).
#include "kernel/arch/trace.hpp"

#include "kernel/arch/fpu.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::arch {
namespace {

constexpr u64 kStep = 0x100;
constexpr u64 kControlKept = 0xffff00ff & ~u64{0xc000};  // conditions, lengths, enable bits; not LE, GE, RTM, GD
constexpr u64 kControlFixed = 0x400;
constexpr u64 kMxcsrMask = 0xffff;
constexpr usize kLegacySize = 512, kHeaderEnd = 576;

u64 enable_bits(unsigned slot) {
  return u64{3} << (2 * slot);
}

// Bytes that a slot watches; 0 where condition and length do not fit together (SDM volume 3, 17.2.4).
u64 watched_bytes(u64 control, unsigned slot) {
  constexpr u64 kLengths[] = {1, 2, 8, 4};
  const u64 bits = control >> (16 + 4 * slot);
  const u64 condition = bits & 3, length = kLengths[(bits >> 2) & 3];
  if (condition == 2) return 0;                 // I/O
  if (condition == 0 && length != 1) return 0;  // execution
  return length;
}

bool slot_ok(const DebugState& d, u64 control, unsigned slot) {
  if ((control & enable_bits(slot)) == 0) return true;
  const u64 length = watched_bytes(control, slot);
  return length != 0 && d.address[slot] % length == 0 && d.address[slot] + length <= kUserEnd;
}

}  // namespace

bool single_step(const TrapFrame& frame) {
  return (frame.rflags & kStep) != 0;
}

void set_single_step(TrapFrame& frame, bool on) {
  frame.rflags = on ? frame.rflags | kStep : frame.rflags & ~kStep;
  // SYSRET would trap before the next instruction instead of behind it: with a different r11 the way back is IRET.
  if (on) frame.r11 &= ~kStep;
}

u64 debug_register(const Thread& t, unsigned number) {
  const DebugState* d = t.debug.get();
  if (d == nullptr) return 0;
  if (number < 4) return d->address[number];
  return number == 6 ? d->status : number == 7 ? d->control : 0;
}

Result<void> set_debug_register(Thread& t, unsigned number, u64 value) {
  if (number == 4 || number == 5 || number > 7) return Errno::Invalid;
  if (!t.debug) t.debug = OwnPtr<DebugState>(new (std::nothrow) DebugState);
  if (!t.debug) return Errno::NoMemory;
  DebugState& d = *t.debug;
  if (number < 4) {
    if (value >= kUserEnd) return Errno::Invalid;
    const u64 old = exchange(d.address[number], value);
    if (!slot_ok(d, d.control, number)) {
      d.address[number] = old;
      return Errno::Invalid;
    }
  } else if (number == 6) {
    d.status = value;
  } else {
    const u64 control = value & kControlKept;
    for (unsigned slot = 0; slot < 4; ++slot) {
      if (!slot_ok(d, control, slot)) return Errno::Invalid;
    }
    d.control = control;
  }
  t.debug_armed = (d.control & 0xff) != 0;
  return {};
}

void clear_debug_registers(Thread& t) {
  t.debug_armed = false;
  if (t.debug) *t.debug = DebugState{};
}

void debug_load(const Thread& t) {
  Cpu& cpu = this_cpu();
  const u64 none = kControlFixed;
  if (cpu.debug_loaded) asm volatile("mov %0, %%dr7" ::"r"(none));
  cpu.debug_loaded = t.debug_armed;
  if (!t.debug_armed) return;
  const DebugState& d = *t.debug;
  asm volatile("mov %0, %%dr0\n mov %1, %%dr1\n mov %2, %%dr2\n mov %3, %%dr3" ::"r"(d.address[0]), "r"(d.address[1]),
               "r"(d.address[2]), "r"(d.address[3]));
  asm volatile("mov %0, %%dr7" ::"r"(d.control | kControlFixed));
}

UserBases user_bases() {
  return {user_tls(), rdmsr(kMsrKernelGsBase)};
}

void set_user_bases(const UserBases& bases) {
  Thread& t = Thread::current();
  set_user_tls(bases.fs);
  t.gs_base = bases.gs;
  wrmsr(kMsrKernelGsBase, bases.gs);
  this_cpu().user_gs = bases.gs;
}

void fpu_park() {
  Thread& t = Thread::current();
  fpu_save(t.fpu);
  t.fpu_dirty = false;
}

void fpu_reload() {
  (void)fpu_load_untrusted(Thread::current().fpu).ok();
}

Result<void> fpu_set_legacy(void* area, const void* from) {
  u32 mxcsr = 0;
  __builtin_memcpy(&mxcsr, static_cast<const u8*>(from) + 24, sizeof mxcsr);
  if ((mxcsr & ~kMxcsrMask) != 0) return Errno::Invalid;
  auto* to = static_cast<u8*>(area);
  __builtin_memcpy(to, from, kLegacySize);
  if (features.xsave) to[kLegacySize] |= 3;  // XSTATE_BV: x87 and SSE come from the area
  return {};
}

Result<void> fpu_set_extended(void* area, const void* from, usize size) {
  if (size < kHeaderEnd || size > fpu_area_size()) return Errno::Fault;
  u64 header[8];
  __builtin_memcpy(header, static_cast<const u8*>(from) + kLegacySize, sizeof header);
  if ((header[0] & ~fpu_features()) != 0) return Errno::Invalid;
  for (unsigned i = 1; i < 8; ++i) {
    if (header[i] != 0) return Errno::Invalid;
  }
  const u64 present = header[0];
  TRY(fpu_set_legacy(area, from));
  auto* to = static_cast<u8*>(area);
  __builtin_memcpy(to + kHeaderEnd, static_cast<const u8*>(from) + kHeaderEnd, size - kHeaderEnd);
  __builtin_memcpy(to + kLegacySize, &present, sizeof present);
  return {};
}

bool has_extended_state() {
  return features.xsave;
}

}  // namespace uni::arch

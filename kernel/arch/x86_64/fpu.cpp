// SPDX-License-Identifier: Apache-2.0
// Vector state. A thread's state is in its own area, or in the registers of the processor that last ran it in user
// mode, or both (then equal). Saved at a switch only when the thread was in user mode since; loaded only on the way to
// user mode and only when the registers hold something else.
#include "kernel/arch/fpu.hpp"

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/fpu_switch.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/sched/thread.hpp"

extern "C" {
int try_xrstor(const void* area, uni::u64 mask);
int try_fxrstor(const void* area);
}

namespace uni::arch {
namespace {

usize area_size = 576;
u64 feature_mask = 3;

void raw_save(void* area) {
  const u32 lo = static_cast<u32>(feature_mask), hi = static_cast<u32>(feature_mask >> 32);
  // SAFETY: area is 64-byte aligned and area_size long.
  if (features.xsaveopt)
    asm volatile("xsaveopt64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
  else if (features.xsave)
    asm volatile("xsave64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
  else
    asm volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void raw_load(const void* area) {
  const u32 lo = static_cast<u32>(feature_mask), hi = static_cast<u32>(feature_mask >> 32);
  if (features.xsave)
    asm volatile("xrstor64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
  else
    asm volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

// Makes the registers hold the current thread's state.
void make_live() {
  Thread& t = Thread::current();
  Cpu& cpu = this_cpu();
  if (cpu.fpu_owner == &t && t.fpu_cpu == cpu.id) return;
  raw_load(t.fpu);
  cpu.fpu_owner = &t;
  t.fpu_cpu = cpu.id;
}

}  // namespace

void fpu_init() {
  if (!features.xsave) return;
  u32 lo, hi;
  asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  feature_mask = (u64{hi} << 32) | lo;
  if ((feature_mask & 3) != 3) {
    // A hypervisor that does not keep XCR0 (KVM on an emulated SVM whose XSETBV is not intercepted). Without OSXSAVE
    // programs use FXSAVE and SSE, which always work.
    features.xsave = features.xsaveopt = false;
    feature_mask = 3;
    write_cr4(read_cr4() & ~u64{1u << 18});
    return;
  }
  area_size = cpuid(13).ebx;
}

usize fpu_area_size() {
  return area_size;
}
u64 fpu_features() {
  return feature_mask;
}

void fpu_switch_out(Thread& t) {
  if (!t.fpu_dirty) return;
  t.fpu_dirty = false;
  raw_save(t.fpu);
}

void fpu_before_user() {
  make_live();
  Thread::current().fpu_dirty = true;
}

void fpu_fill_initial(void* area) {
  __builtin_memset(area, 0, area_size);
  auto* words = static_cast<u16*>(area);
  words[0] = 0x37f;                                     // FCW
  static_cast<u32*>(area)[6] = 0x1f80;                  // MXCSR
  if (features.xsave) static_cast<u64*>(area)[64] = 3;  // XSTATE_BV: x87 and SSE come from the area
}

void fpu_save(void* area) {
  make_live();
  // A plain XSAVE: `area` may hold another state, which the optimised form could mistake for its own.
  const u32 lo = static_cast<u32>(feature_mask), hi = static_cast<u32>(feature_mask >> 32);
  if (features.xsave) {
    __builtin_memset(static_cast<u8*>(area) + 512, 0, 64);
    asm volatile("xsave64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
  } else {
    asm volatile("fxsave64 (%0)" ::"r"(area) : "memory");
  }
}

void fpu_load(const void* area) {
  raw_load(area);
  Thread& t = Thread::current();
  this_cpu().fpu_owner = &t;
  t.fpu_cpu = this_cpu().id;
  t.fpu_dirty = true;
}

Result<void> fpu_load_untrusted(void* area) {
  // Reserved MXCSR bits make XRSTOR fault; so do reserved header bits. The fixup catches both.
  const int failed = features.xsave ? try_xrstor(area, feature_mask) : try_fxrstor(area);
  if (failed != 0) {
    fpu_reset();
    return Errno::Invalid;
  }
  Thread& t = Thread::current();
  this_cpu().fpu_owner = &t;
  t.fpu_cpu = this_cpu().id;
  t.fpu_dirty = true;
  return {};
}

void fpu_reset() {
  Thread& t = Thread::current();
  fpu_fill_initial(t.fpu);
  fpu_load(t.fpu);
}

}  // namespace uni::arch

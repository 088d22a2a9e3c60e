// SPDX-License-Identifier: Apache-2.0
// Processor features and small instructions.
#include "kernel/arch/cpu.hpp"

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/arch/x86_64/tlb.hpp"
#include "kernel/base/format.hpp"
#include "kernel/sched/thread.hpp"

extern "C" {
extern uni::u8 fast_strings;
extern uni::u8 have_smap;
}

namespace uni::arch {

Features features;

namespace {

Cpu* cpus[kMaxCpus];
std::atomic<unsigned> cpu_total{0};
bool tcg = false;

}  // namespace

Cpu* cpu_at(unsigned id) {
  return id < kMaxCpus ? cpus[id] : nullptr;
}

void register_cpu(Cpu& cpu) {
  cpu.id = cpu_total.load(std::memory_order_relaxed);
  cpus[cpu.id] = &cpu;
  cpu_total.store(cpu.id + 1, std::memory_order_release);
}

unsigned registered_cpus() {
  return cpu_total.load(std::memory_order_acquire);
}

void detect_features() {
  const CpuidResult one = cpuid(1);
  const u32 highest = cpuid(0).eax;
  const CpuidResult seven = highest >= 7 ? cpuid(7) : CpuidResult{};
  const CpuidResult extended = cpuid(0x80000001);
  const bool hypervisor = (one.ecx >> 31) != 0;
  features.xsave = (one.ecx & (1u << 26)) != 0;
  features.pcid = (one.ecx & (1u << 17)) != 0;
  features.rdrand = (one.ecx & (1u << 30)) != 0;
  features.x2apic = (one.ecx & (1u << 21)) != 0;
  features.tsc_deadline = (one.ecx & (1u << 24)) != 0;
  features.fsgsbase = (seven.ebx & 1u) != 0;
  features.smep = (seven.ebx & (1u << 7)) != 0;
  features.erms = (seven.ebx & (1u << 9)) != 0;
  features.smap = (seven.ebx & (1u << 20)) != 0;
  features.umip = (seven.ecx & (1u << 2)) != 0;
  features.fsrm = (seven.edx & (1u << 4)) != 0;
  features.pdpe1gb = (extended.edx & (1u << 26)) != 0;
  features.rdtscp = (extended.edx & (1u << 27)) != 0;
  features.xsaveopt = features.xsave && (cpuid(13, 1).eax & 1u) != 0;
  if (hypervisor) {
    const CpuidResult h = cpuid(0x40000000);
    tcg = h.ebx == 0x54474354 && h.ecx == 0x43544743;  // "TCGTCGTCGTCG"
  }
  fast_strings = features.erms && !tcg ? 1 : 0;
}

void enable_features() {
  u64 cr4 = read_cr4();
  cr4 |= (1u << 9) | (1u << 10);  // OSFXSR, OSXMMEXCPT
  cr4 |= 1u << 7;                 // PGE
  if (features.umip) cr4 |= 1u << 11;
  if (features.fsgsbase) cr4 |= 1u << 16;
  if (features.pcid) cr4 |= 1u << 17;  // while the identifier in CR3 is 0
  if (features.xsave) cr4 |= 1u << 18;
  if (features.smep) cr4 |= 1u << 20;
  if (features.smap) cr4 |= 1u << 21;
  write_cr4(cr4);
  u64 cr0 = read_cr0();
  cr0 |= (1u << 16) | (1u << 5) | (1u << 1);  // WP, NE, MP
  cr0 &= ~u64{(1u << 2) | (1u << 3)};         // EM, TS
  write_cr0(cr0);
  have_smap = features.smap ? 1 : 0;
  if (features.xsave) {
    // x87, SSE, AVX, AVX-512 and PKRU, as far as the processor has them.
    const u64 wanted = 0x2e7;
    const CpuidResult r = cpuid(13);
    const u64 mask = ((u64{r.edx} << 32) | r.eax) & wanted;
    asm volatile("xsetbv" ::"c"(0), "a"(static_cast<u32>(mask)), "d"(static_cast<u32>(mask >> 32)));
  }
}

void cpu_relax() {
  asm volatile("pause");
  if (this_cpu().shootdown_pending.load(std::memory_order_relaxed)) answer_shootdown();
}

u64 read_cycle_counter() {
  u32 lo, hi;
  asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
  return (u64{hi} << 32) | lo;
}

void set_user_tls(u64 fs_base) {
  Thread::current().fs_base = fs_base;
  wrmsr(kMsrFsBase, fs_base);
}

u64 user_tls() {
  if (features.fsgsbase) {
    u64 v;
    asm volatile("rdfsbase %0" : "=r"(v));
    return v;
  }
  return Thread::current().fs_base;
}

bool hardware_random(u64* out) {
  if (!features.rdrand) return false;
  for (int i = 0; i < 10; ++i) {
    bool ok;
    asm volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
    if (ok) return true;
  }
  return false;
}

// QEMU before 8.1 leaves fences out where TCG emulates a single processor, although the devices run in a thread of
// their own. The host executes a locked instruction there where the time-stamp counter is read (QEMU's clock has a spin
// lock). Later ones keep MFENCE, but not a locked instruction in its place.
void device_fence() {
  asm volatile("mfence" ::: "memory");
  if (tcg && registered_cpus() == 1) asm volatile("rdtsc" ::: "eax", "edx", "memory");
}
bool running_on_tcg() {
  return tcg;
}

u64 hwcap() {
  return cpuid(1).edx;
}
u64 hwcap2() {
  return features.fsgsbase ? 2 : 0;
}  // HWCAP2_FSGSBASE

u32 physical_address_bits() {
  return cpuid(0x80000000).eax >= 0x80000008 ? cpuid(0x80000008).eax & 0xff : 36;
}

u8 in8(u16 port) {
  u8 v;
  asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
  return v;
}
u16 in16(u16 port) {
  u16 v;
  asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
  return v;
}
u32 in32(u16 port) {
  u32 v;
  asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
  return v;
}
void out8(u16 port, u8 value) {
  asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
void out16(u16 port, u16 value) {
  asm volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
void out32(u16 port, u32 value) {
  asm volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

void copy_page(void* to, const void* from) {
  __builtin_memcpy(to, from, kPageSize);
}
void zero_page(void* page) {
  __builtin_memset(page, 0, kPageSize);
}

}  // namespace uni::arch

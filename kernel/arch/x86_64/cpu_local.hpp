// SPDX-License-Identifier: Apache-2.0
// Control registers, MSRs and the per-processor block that GS points at. Offsets 0 to 47 are known to trap.S.
#pragma once

#include <atomic>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/pcid.hpp"
#include "kernel/base/types.hpp"
#include "kernel/time/clock.hpp"

namespace uni {
class Thread;
namespace mm {
class AddressSpace;
struct PageCacheCpu;
}  // namespace mm
namespace sched {
struct RunQueue;
}
namespace time {
class TimerQueue;
}
}  // namespace uni

namespace uni::arch {

inline constexpr unsigned kMaxCpus = 64;

struct alignas(8) TaskState {  // SDM volume 3, 8.7
  u32 reserved0;
  u64 rsp[3];
  u64 reserved1;
  u64 ist[7];
  u64 reserved2;
  u16 reserved3, io_map_base;
} __attribute__((packed));

struct Cpu {
  Cpu* self;             // 0
  Thread* current;       // 8
  u64 kernel_stack_top;  // 16: for the system-call entry
  u64 user_rsp;          // 24: scratch of the system-call entry
  u64 scratch;           // 32
  u64 canary;            // 40: the stack protector's
  u32 id;
  u32 apic_id;
  std::atomic<bool> need_resched;
  std::atomic<bool> online;
  bool idle;
  mm::AddressSpace* space;  // whose page tables are loaded
  PcidSlots pcids;
  Thread* fpu_owner;  // whose vector state is in the registers
  Thread* idle_thread;
  Thread* previous;  // the thread switched away from, until the switch has finished
  sched::RunQueue* run_queue;
  time::TimerQueue* timers;
  mm::PageCacheCpu* pages;
  std::atomic<bool> shootdown_pending;
  u64 idle_cycles;
  u64 idle_since;
  u64 interrupts;
  u64 resumed_at;      // where the last system call or fault went back to the program; 0 after an interrupt
  u64 interrupted_at;  // where the program was when the current interrupt came; 0: not in the program
  bool in_interrupt;   // a wake-up comes from outside, not from what the current thread does
  u8 held_ranks[24];   // of the spin locks that this processor holds, in the order taken; debug builds
  u32 held_count;
  bool debug_loaded;  // DR7 has a thread's breakpoints
  u64 user_gs;        // what kMsrKernelGsBase holds while in the kernel
  u64 gdt[10];
  alignas(16) u8 debug_stack[256];  // of #DB (trap.S)
  TaskState tss;
};

Cpu* cpu_at(unsigned id);

inline Cpu& this_cpu() {
  Cpu* c;
  asm volatile("mov %%gs:0, %0" : "=r"(c));
  return *c;
}

inline u64 rdmsr(u32 msr) {
  u32 lo, hi;
  asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
  return (u64{hi} << 32) | lo;
}
inline void wrmsr(u32 msr, u64 value) {
  asm volatile("wrmsr" ::"c"(msr), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}
inline u64 read_cr0() {
  u64 v;
  asm volatile("mov %%cr0, %0" : "=r"(v));
  return v;
}
inline void write_cr0(u64 v) {
  asm volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}
inline u64 read_cr2() {
  u64 v;
  asm volatile("mov %%cr2, %0" : "=r"(v));
  return v;
}
inline u64 read_cr3() {
  u64 v;
  asm volatile("mov %%cr3, %0" : "=r"(v));
  return v;
}
inline void write_cr3(u64 v) {
  asm volatile("mov %0, %%cr3" ::"r"(v) : "memory");
}
inline u64 read_cr4() {
  u64 v;
  asm volatile("mov %%cr4, %0" : "=r"(v));
  return v;
}
inline void write_cr4(u64 v) {
  asm volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}
inline void invlpg(u64 address) {
  asm volatile("invlpg (%0)" ::"r"(address) : "memory");
}
struct CpuidResult {
  u32 eax, ebx, ecx, edx;
};
inline CpuidResult cpuid(u32 leaf, u32 subleaf = 0) {
  CpuidResult r;
  asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}
inline void interrupts_on() {
  asm volatile("sti" ::: "memory");
}
inline void interrupts_off() {
  asm volatile("cli" ::: "memory");
}

inline constexpr u32 kMsrEfer = 0xc0000080, kMsrStar = 0xc0000081, kMsrLstar = 0xc0000082, kMsrSfmask = 0xc0000084,
                     kMsrFsBase = 0xc0000100, kMsrGsBase = 0xc0000101, kMsrKernelGsBase = 0xc0000102;

// Selectors; Linux's values, because programs see them in signal frames.
inline constexpr u16 kKernelCs = 0x10, kKernelDs = 0x18, kUserCs = 0x33, kUserDs = 0x2b;

// Features found at boot.
struct Features {
  bool smep, smap, umip, fsgsbase, xsave, xsaveopt, pdpe1gb, rdrand, fsrm, erms, x2apic, tsc_deadline, pcid, rdtscp;
};
extern Features features;

}  // namespace uni::arch

// SPDX-License-Identifier: Apache-2.0
// Small facts and instructions of the processor, neutral names.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::arch {

void cpu_relax();                // in spin loops; also answers pending TLB shoot-downs
u64 read_cycle_counter();        // TSC
void set_user_tls(u64 fs_base);  // of the running thread, and remembered in it
u64 user_tls();
bool hardware_random(u64* out);  // RDRAND; false when absent or dry
// Orders this processor's earlier stores before its later loads as the machine's devices see them, which run beside it:
// what a driver needs between telling a device how far it is and looking how far the device is. A fence
// alone is not enough everywhere (docs/ARCHITECTURE.md, "How the kernel runs").
void device_fence();
bool running_on_tcg();  // QEMU's emulator: string instructions are slow there
// AT_HWCAP and AT_HWCAP2 of the auxiliary vector; the vendor and brand for /proc/cpuinfo.
u64 hwcap();
u64 hwcap2();
struct CpuInfo {
  char vendor[13];
  char brand[49];
  u32 family, model, stepping;
  char flags[2048];  // Linux's names, space-separated
};
const CpuInfo& cpu_info();
u64 tsc_khz();
u32 physical_address_bits();

// Port I/O.
u8 in8(u16 port);
u16 in16(u16 port);
u32 in32(u16 port);
void out8(u16 port, u8 value);
void out16(u16 port, u16 value);
void out32(u16 port, u32 value);

// Fast block operations, chosen for the processor at boot (rep movsb with FSRM, unrolled moves under TCG). Also what
// memcpy and memset are.
void copy_page(void* to, const void* from);
void zero_page(void* page);

}  // namespace uni::arch

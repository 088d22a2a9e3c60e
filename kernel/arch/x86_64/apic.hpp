// SPDX-License-Identifier: Apache-2.0
// Local APIC (SDM volume 3, chapter 11) and IOAPIC (82093AA): interrupts between processors, from devices, and the
// timer.
#pragma once

#include "kernel/arch/interrupts.hpp"
#include "kernel/base/types.hpp"

namespace uni::arch {

inline constexpr u8 kFirstDeviceVector = 0x30, kLastDeviceVector = 0xdf;
inline constexpr u8 kTimerVector = 0xf0, kRescheduleVector = 0xf1, kShootdownVector = 0xf2, kSpuriousVector = 0xff;

// The boot processor's APIC and the IOAPICs (masked). After ACPI was read.
void apic_init();
// This processor's local APIC.
void apic_enable_local();
u32 apic_id();
void end_of_interrupt();
void send_ipi(u32 apic_id, u8 vector);
void send_init(u32 apic_id);
void send_startup(u32 apic_id, u8 page);
// NMI to all others: panic stops them.
void send_nmi_others();

// Timer: one-shot after `ticks` of the APIC timer, or at a TSC value where the processor has deadlines.
void timer_program(u64 deadline_tsc);
void timer_stop();
// Measures TSC and APIC timer, or takes them from CPUID or the hypervisor's clock. Boot processor, interrupts off.
void calibrate();
u64 apic_timer_khz();

// A device vector came in.
void dispatch_device(u8 vector);

}  // namespace uni::arch

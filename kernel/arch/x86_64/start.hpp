// SPDX-License-Identifier: Apache-2.0
// Set-up of a processor, for the boot processor (start.cpp) and the others (smp.cpp).
#pragma once

#include "kernel/arch/x86_64/cpu_local.hpp"

namespace uni::arch {

// Fills and loads the GDT, IDT, TSS and the system-call MSRs. GS then points at `cpu`.
void load_cpu_tables(Cpu& cpu);
// Makes the processor known to cpu_at(); gives it its number.
void register_cpu(Cpu& cpu);
unsigned registered_cpus();
// CPUID into `features`; once.
void detect_features();
// Control-register bits of this processor: SMEP, SMAP, UMIP, FSGSBASE, XSAVE.
void enable_features();
// Starts the other processors, up to those that ACPI names. After the scheduler of the boot processor exists.
void start_other_cpus();
// The vector state's size and the initial state; after enable_features.
void fpu_init();

}  // namespace uni::arch

namespace uni::boot {
[[noreturn]] void kernel_main();
}

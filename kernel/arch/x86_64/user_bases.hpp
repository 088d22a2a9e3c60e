// SPDX-License-Identifier: Apache-2.0
// The FS and GS bases of the program across a thread switch (SDM volume 3, 3.4.4): its thread pointer, and what
// arch_prctl(2) and the WRGSBASE instruction set. While the kernel runs the program's GS base lies in KERNEL_GS_BASE.
#pragma once

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::arch {

// Loads what `next` runs with. Interrupts off.
inline void load_user_bases(const Thread& next) {
  if (features.fsgsbase) {
    asm volatile("wrfsbase %0" ::"r"(next.fs_base));
  } else {
    wrmsr(kMsrFsBase, next.fs_base);
  }
  if (next.gs_base != 0 || this_cpu().user_gs != 0) {
    wrmsr(kMsrKernelGsBase, next.gs_base);
    this_cpu().user_gs = next.gs_base;
  }
}

// Takes down what `previous` has set by instructions that do not enter the kernel. Interrupts off.
inline void save_user_bases(Thread& previous) {
  if (!features.fsgsbase) return;
  asm volatile("rdfsbase %0" : "=r"(previous.fs_base));
  previous.gs_base = rdmsr(kMsrKernelGsBase);
}

}  // namespace uni::arch

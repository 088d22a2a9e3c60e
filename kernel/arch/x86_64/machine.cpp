// SPDX-License-Identifier: Apache-2.0
// Ends of the machine and the frame-pointer walk.
#include "kernel/arch/machine.hpp"

#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/start.hpp"

extern "C" {
extern const uni::u8 kernel_start[];
extern const uni::u8 kernel_rodata_start[];
}

namespace uni::arch {

void out8_string(u16 port, const void* data, usize size) {
  // SAFETY: reads `size` bytes of the caller's buffer.
  asm volatile("rep outsb" : "+S"(data), "+c"(size) : "d"(port) : "memory");
}

void stop_other_processors() {
  if (registered_cpus() > 1) send_nmi_others();
}

void reset() {
  // SAFETY: with an empty interrupt table the breakpoint cannot be delivered, nor the double fault: the processor shuts
  // down, which resets the machine (SDM volume 3, 6.15, "Double Fault").
  struct {
    u16 limit;
    u64 base;
  } __attribute__((packed)) none{0, 0};
  asm volatile("lidt %0; int3" ::"m"(none));
  while (true)
    asm volatile("cli; hlt");
}

CodeRange kernel_code() {
  return {reinterpret_cast<u64>(kernel_start), reinterpret_cast<u64>(kernel_rodata_start)};
}

u64 current_frame() {
  return reinterpret_cast<u64>(__builtin_frame_address(0));
}

bool next_frame(u64* frame, u64* return_address) {
  constexpr u64 kKernelHalf = 0xffff'8000'0000'0000;
  constexpr u64 kMostStack = 64 * kKiB;
  if (*frame < kKernelHalf || *frame % 8 != 0) return false;
  // SAFETY: a frame pointer of the kernel points at the caller's frame pointer and the return address; the checks keep
  // a spoilt one from leading far away.
  const auto* words = reinterpret_cast<const u64*>(*frame);
  const u64 up = words[0];
  *return_address = words[1];
  if (up != 0 && (up <= *frame || up - *frame > kMostStack)) return false;
  *frame = up;
  return true;
}

}  // namespace uni::arch

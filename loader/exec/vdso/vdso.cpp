// SPDX-License-Identifier: Apache-2.0
// The code of the vDSO. Position-independent, no data of its own; reads VdsoData under its sequence. What it cannot
// answer goes to the system call.
#include "loader/exec/vdso/data.hpp"

#define EXPORT extern "C" __attribute__((visibility("default")))

extern "C" __attribute__((visibility("hidden"))) const volatile VdsoData vdso_data;

namespace {

struct Timespec {
  long seconds, nanoseconds;
};
struct Timeval {
  long seconds, microseconds;
};

long system_call(long number, long a, long b) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
  return result;
}

unsigned long long read_clock(bool real) {
  while (true) {
    const unsigned long long before = vdso_data.sequence;
    unsigned lo, hi;
    asm volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    const unsigned long long ticks = ((static_cast<unsigned long long>(hi) << 32) | lo) - vdso_data.base_tsc;
    unsigned long long ns =
        static_cast<unsigned long long>((static_cast<unsigned __int128>(ticks) * vdso_data.mult) >> 32);
    if (real) ns += vdso_data.realtime_offset;
    if ((before & 1) == 0 && before == vdso_data.sequence) return ns;
  }
}

}  // namespace

EXPORT int __vdso_clock_gettime(int clock, Timespec* out) {
  bool real;
  switch (clock) {
    case 0:  // REALTIME
    case 5:  // REALTIME_COARSE
      real = true;
      break;
    case 1:  // MONOTONIC
    case 4:  // MONOTONIC_RAW
    case 6:  // MONOTONIC_COARSE
    case 7:  // BOOTTIME
      real = false;
      break;
    default:
      return static_cast<int>(system_call(228, clock, reinterpret_cast<long>(out)));
  }
  const unsigned long long ns = read_clock(real);
  out->seconds = static_cast<long>(ns / 1000000000);
  out->nanoseconds = static_cast<long>(ns % 1000000000);
  return 0;
}

EXPORT int __vdso_gettimeofday(Timeval* out, void* zone) {
  if (zone != nullptr)
    return static_cast<int>(system_call(96, reinterpret_cast<long>(out), reinterpret_cast<long>(zone)));
  if (out != nullptr) {
    const unsigned long long ns = read_clock(true);
    out->seconds = static_cast<long>(ns / 1000000000);
    out->microseconds = static_cast<long>(ns % 1000000000 / 1000);
  }
  return 0;
}

EXPORT long __vdso_time(long* out) {
  const long seconds = static_cast<long>(read_clock(true) / 1000000000);
  if (out != nullptr) *out = seconds;
  return seconds;
}

EXPORT int __vdso_clock_getres(int clock, Timespec* out) {
  return static_cast<int>(system_call(229, clock, reinterpret_cast<long>(out)));
}

EXPORT long __vdso_getcpu(unsigned* cpu, unsigned* node, void*) {
  if (vdso_data.has_cpu_number == 0) return system_call(309, reinterpret_cast<long>(cpu), reinterpret_cast<long>(node));
  unsigned number;
  asm volatile("rdtscp" : "=c"(number)::"rax", "rdx");
  if (cpu != nullptr) *cpu = number;
  if (node != nullptr) *node = 0;
  return 0;
}

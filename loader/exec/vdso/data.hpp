// SPDX-License-Identifier: Apache-2.0
// What the kernel tells the vDSO, at the start of the page below it.
#pragma once

struct VdsoData {
  unsigned long long sequence;  // odd while it is being changed
  unsigned long long base_tsc;
  unsigned long long mult;  // monotonic ns = (tsc - base_tsc) * mult >> 32
  unsigned long long realtime_offset;
  unsigned long long has_cpu_number;  // RDTSCP gives it
};

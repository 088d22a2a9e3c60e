// SPDX-License-Identifier: Apache-2.0
// Clocks. All times are nanoseconds; monotonic time starts near boot.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::time {

inline constexpr u64 kNever = ~u64{0};
inline constexpr u64 kSecond = 1'000'000'000;
inline constexpr u64 kMillisecond = 1'000'000;

// Nanoseconds since boot; never goes back, the same on every processor. Does not block.
u64 monotonic_ns();
// Nanoseconds since 1970 (UTC).
u64 realtime_ns();
// realtime - monotonic, changed by set_realtime.
u64 realtime_offset_ns();
void set_realtime(u64 ns_since_1970);

// The raw counter and its rate, for CPU-time accounting.
u64 cycles();
u64 cycles_to_ns(u64 cycles);

// now + duration without overflow; kNever stays kNever.
inline u64 deadline_after(u64 duration_ns) {
  const u64 now = monotonic_ns();
  return duration_ns > kNever - now ? kNever : now + duration_ns;
}

}  // namespace uni::time

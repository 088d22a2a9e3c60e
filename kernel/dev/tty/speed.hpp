// SPDX-License-Identifier: Apache-2.0
// Line speeds as bits of c_cflag (termios(3)): numbers that programs set and read back, for there is no line.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::dev {

inline constexpr u32 kSpeedMask = 0x100f;         // CBAUD
inline constexpr u32 kOtherSpeed = 0x1000;        // BOTHER: the speed stands in struct termios2
inline constexpr unsigned kInputSpeedShift = 16;  // IBSHIFT

constexpr u32 speed_of(u32 control, u32 other) {
  constexpr u32 kLow[] = {0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
  constexpr u32 kHigh[] = {0,       57600,   115200,  230400,  460800,  500000,  576000,  921600,
                           1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};
  const u32 bits = control & kSpeedMask;
  if (bits == kOtherSpeed) return other;
  return bits < 16 ? kLow[bits] : kHigh[bits & 15];
}

}  // namespace uni::dev

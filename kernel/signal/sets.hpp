// SPDX-License-Identifier: Apache-2.0
// The default actions as sets (signal(7), "Standard signals").
#pragma once

#include "kernel/signal/signal.hpp"

namespace uni::signal {

inline constexpr Set kIgnoredByDefault = bit(kCont) | bit(kChld) | bit(kUrg) | bit(kWinch);
inline constexpr Set kStopping = bit(kStop) | bit(kTstp) | bit(kTtin) | bit(kTtou);
inline constexpr Set kCoreDumping = bit(kQuit) | bit(kIll) | bit(kTrap) | bit(kAbrt) | bit(kBus) | bit(kFpe) |
                                    bit(kSegv) | bit(kXcpu) | bit(kXfsz) | bit(kSys);
// Raised by the thread's own instructions: taken before others.
inline constexpr Set kSynchronous = bit(kSegv) | bit(kBus) | bit(kIll) | bit(kTrap) | bit(kFpe) | bit(kSys);

}  // namespace uni::signal

// SPDX-License-Identifier: Apache-2.0
// The kernel's random numbers: ChaCha20 keyed from RDRAND, the host's seed, virtio-rng and timing; rekeyed after each
// use.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::random {

// Mixes bytes into the key. From any context.
void add_entropy(const void* data, usize size);
// Fills with unpredictable bytes. Does not block.
void fill(void* out, usize size);
u64 next_u64();
// Uniform in [0, bound).
u64 below(u64 bound);

}  // namespace uni::random

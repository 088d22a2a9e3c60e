// SPDX-License-Identifier: Apache-2.0
// The ChaCha20 block function (RFC 8439, 2.3). Compiled for guest and host.
#pragma once

#include "kernel/base/types.hpp"

namespace uni {

inline constexpr usize kChaChaBlock = 64;

// Words 0-3 constants, 4-11 key, 12 counter, 13-15 nonce.
struct ChaChaState {
  u32 words[16];
};

// A state with the constants in place. `key` has 32 bytes, `nonce` 12.
ChaChaState chacha20_state(const u8* key, u32 counter, const u8* nonce);
// Writes the key stream's block for `state`; the counter is not changed.
void chacha20_block(const ChaChaState& state, u8* out);

}  // namespace uni

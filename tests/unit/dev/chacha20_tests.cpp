// SPDX-License-Identifier: Apache-2.0
// RFC 8439's own test vectors.
#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "kernel/base/chacha20.hpp"

namespace {

using uni::u8;

std::string hex(const u8* bytes, std::size_t size) {
  std::string out;
  char two[3];
  for (std::size_t i = 0; i < size; ++i) {
    std::snprintf(two, sizeof two, "%02x", bytes[i]);
    out += two;
  }
  return out;
}

std::string block(const u8* key, uni::u32 counter, const u8* nonce) {
  u8 out[uni::kChaChaBlock];
  uni::chacha20_block(uni::chacha20_state(key, counter, nonce), out);
  return hex(out, sizeof out);
}

}  // namespace

TEST_CASE("ChaCha20 makes the block of RFC 8439, 2.3.2") {
  u8 key[32];
  for (u8 i = 0; i < 32; ++i)
    key[i] = i;
  const u8 nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
  CHECK(block(key, 1, nonce) ==
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

TEST_CASE("ChaCha20 makes the blocks of RFC 8439, A.1") {
  u8 key[32] = {};
  const u8 nonce[12] = {};
  CHECK(block(key, 0, nonce) ==
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  CHECK(block(key, 1, nonce) ==
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
  key[31] = 1;
  CHECK(block(key, 1, nonce) ==
        "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
        "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0");
}

// SPDX-License-Identifier: Apache-2.0
// The integer names of the ABI's structures. Equal to kernel/base/types.hpp, which this folder, a leaf, does not know.
#pragma once

#include <cstdint>

namespace uni::abi {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

}  // namespace uni::abi

// SPDX-License-Identifier: Apache-2.0
// Integer names and sizes that everything below the ABI shares. Compiled for guest and host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uni {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using usize = std::size_t;
using isize = std::ptrdiff_t;

inline constexpr usize kKiB = 1024;
inline constexpr usize kMiB = 1024 * kKiB;
inline constexpr usize kGiB = 1024 * kMiB;
inline constexpr usize kPageSize = 4096;
inline constexpr unsigned kPageShift = 12;

constexpr u64 align_down(u64 value, u64 alignment) {
  return value & ~(alignment - 1);
}
constexpr u64 align_up(u64 value, u64 alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}
constexpr u64 page_down(u64 value) {
  return align_down(value, kPageSize);
}
constexpr u64 page_up(u64 value) {
  return align_up(value, kPageSize);
}

template <typename T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <typename T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

}  // namespace uni

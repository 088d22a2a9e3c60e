// SPDX-License-Identifier: Apache-2.0
// What the compiler calls by itself and no library provides in the guest. memcpy and memset are in arch/*/memory_ops.S.
#include "kernel/base/types.hpp"

extern "C" {

int memcmp(const void* a, const void* b, uni::usize size) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  // Words first: directory lookups compare names all the time.
  while (size >= 8) {
    uni::u64 v, w;
    __builtin_memcpy(&v, x, 8);
    __builtin_memcpy(&w, y, 8);
    if (v != w) break;
    x += 8;
    y += 8;
    size -= 8;
  }
  for (; size > 0; ++x, ++y, --size) {
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return 0;
}

uni::usize strlen(const char* text) {
  uni::usize n = 0;
  // Not a loop that the compiler would turn into a call of strlen.
  while (*static_cast<const volatile char*>(text + n) != '\0')
    ++n;
  return n;
}

int __popcountdi2(uni::u64 v) {
  int n = 0;
  for (; v != 0; v &= v - 1)
    ++n;
  return n;
}

}  // extern "C"

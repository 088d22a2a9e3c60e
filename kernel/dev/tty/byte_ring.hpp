// SPDX-License-Identifier: Apache-2.0
// A ring of bytes whose memory is made when first needed. No lock of its own.
#pragma once

#include <new>

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"

namespace uni::dev {

template <usize kSize>
class ByteRing {
 public:
  ByteRing() = default;
  ByteRing(const ByteRing&) = delete;
  ByteRing& operator=(const ByteRing&) = delete;
  ~ByteRing() { delete[] data_; }

  // Makes the memory. Errors: NoMemory.
  Result<void> prepare() {
    if (data_ == nullptr) data_ = new (std::nothrow) u8[kSize];
    if (data_ == nullptr) return Errno::NoMemory;
    return {};
  }
  usize size() const { return head_ - tail_; }
  bool empty() const { return head_ == tail_; }
  usize room() const { return kSize - size(); }
  void clear() { tail_ = head_; }
  // Puts as much as there is room for; gives how much.
  usize put(Span<const u8> bytes) {
    const usize count = prepare().ok() ? min(bytes.size(), room()) : 0;
    for (usize i = 0; i < count; ++i)
      data_[head_++ % kSize] = bytes[i];
    return count;
  }
  usize take(Span<u8> to) {
    const usize count = min(to.size(), size());
    for (usize i = 0; i < count; ++i)
      to[i] = data_[tail_++ % kSize];
    return count;
  }
  // Needs: not empty.
  u8 take_one() { return data_[tail_++ % kSize]; }

 private:
  u8* data_ = nullptr;
  usize tail_ = 0, head_ = 0;  // only grow
};

}  // namespace uni::dev

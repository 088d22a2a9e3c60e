// SPDX-License-Identifier: Apache-2.0
// The only way to a program's memory. A bad address is Errno::Fault, never a panic: copies run in one fault-catching
// routine with SMAP opened around it. All may page-fault and so block: hold no spin lock.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni {

enum class UserAddr : u64 {};
constexpr u64 raw(UserAddr a) {
  return static_cast<u64>(a);
}
constexpr bool is_null(UserAddr a) {
  return raw(a) == 0;
}
constexpr UserAddr operator+(UserAddr a, u64 n) {
  return UserAddr{raw(a) + n};
}

// The first address that a program cannot have (47 bits less a guard page, as Linux's TASK_SIZE_MAX).
inline constexpr u64 kUserEnd = 0x7fff'ffff'f000;
constexpr bool user_range_ok(UserAddr a, u64 size) {
  return size <= kUserEnd && raw(a) <= kUserEnd - size;
}

Result<void> copy_from_user(void* to, UserAddr from, usize size);
Result<void> copy_to_user(UserAddr to, const void* from, usize size);
Result<void> clear_user(UserAddr to, usize size);
// As far as the memory goes: gives how many bytes were copied before the first bad page, 0 to size.
usize copy_from_user_partial(void* to, UserAddr from, usize size);
usize copy_to_user_partial(UserAddr to, const void* from, usize size);
// Copies a NUL-terminated string; gives its length without the NUL. Errors: Fault, NameTooLong (no NUL within
// capacity).
Result<usize> copy_string_from_user(char* to, UserAddr from, usize capacity);

// Atomic access to a 32-bit word of the program, for futexes. Errors: Fault (also when misaligned).
Result<u32> load_user_u32(UserAddr at);
// Compare and exchange; gives the old value.
Result<u32> cmpxchg_user_u32(UserAddr at, u32 expected, u32 desired);

// A pointer to a T of the program: a system-call parameter.
template <typename T>
class UserPtr {
 public:
  constexpr UserPtr() = default;
  constexpr explicit UserPtr(u64 address) : address_(UserAddr{address}) {}
  constexpr explicit UserPtr(UserAddr address) : address_(address) {}
  constexpr UserAddr address() const { return address_; }
  constexpr explicit operator bool() const { return !is_null(address_); }
  UserPtr operator+(usize n) const { return UserPtr(uni::raw(address_) + n * sizeof(T)); }
  Result<T> read() const {
    T value;
    TRY(copy_from_user(&value, address_, sizeof(T)));
    return value;
  }
  Result<void> write(const T& value) const { return copy_to_user(address_, &value, sizeof(T)); }

 private:
  UserAddr address_{0};
};

// One piece of scatter-gather memory; the layout of struct iovec.
struct IoSegment {
  u64 base;
  u64 length;
};

// A run of memory, the program's or the kernel's, in pieces, used up from the front. File::read fills one, File::write
// empties one.
class IoCursor {
 public:
  // `size` bytes of the program's memory.
  IoCursor(UserAddr base, usize size) : single_{raw(base), size}, remaining_(size), user_(true) {}
  // Pieces of the program's memory; the array must outlive the cursor.
  IoCursor(const IoSegment* segments, usize count);
  // `size` bytes of kernel memory.
  static IoCursor kernel(void* base, usize size);
  static IoCursor kernel(const void* base, usize size) { return kernel(const_cast<void*>(base), size); }

  usize remaining() const { return remaining_; }
  // How one call differs from what the open file's flags say (RWF_NOWAIT, RWF_APPEND of preadv2(2), io_uring): the
  // transfer must not wait; a write goes to the end.
  void set_no_wait() { no_wait_ = true; }
  bool no_wait() const { return no_wait_; }
  void set_append() { append_ = true; }
  bool append() const { return append_; }

  // Limits what remains (for RLIMIT_FSIZE, a socket's window); no effect when already less.
  void truncate(usize size) { remaining_ = min(remaining_, size); }

  // Copies up to `size` bytes into the cursor's memory (a read's result) and advances. Gives the number copied, less
  // than size only at a bad page; Fault when not even one byte could be copied (and size and remaining() are not 0).
  Result<usize> put(const void* from, usize size);
  // Copies up to `size` bytes out of the cursor's memory (a write's data) and advances. Same results.
  Result<usize> take(void* to, usize size);
  // Fills with zero bytes.
  Result<usize> put_zero(usize size);
  // Steps over bytes without touching them.
  void skip(usize size);

 private:
  IoCursor() = default;
  template <typename Op>
  Result<usize> walk(usize size, Op op);
  IoSegment single_{};
  const IoSegment* segments_ = nullptr;  // null: single_
  usize offset_ = 0;                     // within the current segment
  usize remaining_ = 0;
  bool user_ = true;
  bool no_wait_ = false, append_ = false;
};

}  // namespace uni

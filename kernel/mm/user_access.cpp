// SPDX-License-Identifier: Apache-2.0
// Copies to and from the program's memory over the fault-catching routines of the architecture, and the scatter-gather
// cursor.
#include "kernel/mm/user_access.hpp"

extern "C" {
uni::usize user_copy(void* to, const void* from, uni::usize size);
uni::usize user_clear(void* to, uni::usize size);
uni::isize user_string(char* to, const char* from, uni::usize capacity);
uni::u64 user_load32(const uni::u32* from);
uni::u64 user_cmpxchg32(uni::u32* at, uni::u32 expected, uni::u32 desired);
}

namespace uni {
namespace {

// SAFETY: only ever handed to the fault-catching routines, after a range check.
template <typename T = void>
T* as_pointer(UserAddr a) {
  return reinterpret_cast<T*>(raw(a));
}

// The part of the range that lies below the end of user space.
usize clip(UserAddr a, usize size) {
  if (raw(a) >= kUserEnd) return 0;
  return min<u64>(size, kUserEnd - raw(a));
}

}  // namespace

usize copy_from_user_partial(void* to, UserAddr from, usize size) {
  const usize part = clip(from, size);
  return part - user_copy(to, as_pointer(from), part);
}

usize copy_to_user_partial(UserAddr to, const void* from, usize size) {
  const usize part = clip(to, size);
  return part - user_copy(as_pointer(to), from, part);
}

Result<void> copy_from_user(void* to, UserAddr from, usize size) {
  if (copy_from_user_partial(to, from, size) != size) return Errno::Fault;
  return {};
}

Result<void> copy_to_user(UserAddr to, const void* from, usize size) {
  if (copy_to_user_partial(to, from, size) != size) return Errno::Fault;
  return {};
}

Result<void> clear_user(UserAddr to, usize size) {
  if (clip(to, size) != size || user_clear(as_pointer(to), size) != 0) return Errno::Fault;
  return {};
}

Result<usize> copy_string_from_user(char* to, UserAddr from, usize capacity) {
  const usize limit = clip(from, capacity);
  const isize n = user_string(to, as_pointer<char>(from), limit);
  if (n < 0) return Errno::Fault;
  if (static_cast<usize>(n) == limit) return limit == capacity ? Errno::NameTooLong : Errno::Fault;
  return static_cast<usize>(n);
}

Result<u32> load_user_u32(UserAddr at) {
  if ((raw(at) & 3) != 0 || !user_range_ok(at, 4)) return Errno::Fault;
  const u64 v = user_load32(as_pointer<u32>(at));
  if (v == ~u64{0}) return Errno::Fault;
  return static_cast<u32>(v);
}

Result<u32> cmpxchg_user_u32(UserAddr at, u32 expected, u32 desired) {
  if ((raw(at) & 3) != 0 || !user_range_ok(at, 4)) return Errno::Fault;
  const u64 v = user_cmpxchg32(as_pointer<u32>(at), expected, desired);
  if (v == ~u64{0}) return Errno::Fault;
  return static_cast<u32>(v);
}

IoCursor::IoCursor(const IoSegment* segments, usize count) : segments_(segments), user_(true) {
  for (usize i = 0; i < count; ++i)
    remaining_ += segments[i].length;
}

IoCursor IoCursor::kernel(void* base, usize size) {
  IoCursor c;
  c.single_ = {reinterpret_cast<u64>(base), size};
  c.remaining_ = size;
  c.user_ = false;
  return c;
}

// Calls op(address, bytes, done so far) for each piece; op gives the bytes that it managed.
template <typename Op>
Result<usize> IoCursor::walk(usize size, Op op) {
  const usize wanted = min(size, remaining_);
  usize done = 0;
  while (done < wanted) {
    const IoSegment& s = segments_ == nullptr ? single_ : *segments_;
    const usize here = min(wanted - done, s.length - offset_);
    if (here != 0) {
      const usize managed = op(s.base + offset_, here, done);
      done += managed;
      offset_ += managed;
      remaining_ -= managed;
      if (managed < here) return done == 0 ? Result<usize>(Errno::Fault) : Result<usize>(done);
    }
    if (offset_ == s.length && segments_ != nullptr) {
      ++segments_;
      offset_ = 0;
    }
  }
  return done;
}

Result<usize> IoCursor::put(const void* from, usize size) {
  const auto* source = static_cast<const char*>(from);
  return walk(size, [&](u64 address, usize n, usize done) -> usize {
    if (user_) return copy_to_user_partial(UserAddr{address}, source + done, n);
    __builtin_memcpy(reinterpret_cast<void*>(address), source + done, n);
    return n;
  });
}

Result<usize> IoCursor::take(void* to, usize size) {
  auto* target = static_cast<char*>(to);
  return walk(size, [&](u64 address, usize n, usize done) -> usize {
    if (user_) return copy_from_user_partial(target + done, UserAddr{address}, n);
    __builtin_memcpy(target + done, reinterpret_cast<const void*>(address), n);
    return n;
  });
}

Result<usize> IoCursor::put_zero(usize size) {
  return walk(size, [&](u64 address, usize n, usize) -> usize {
    if (user_) {
      const usize part = clip(UserAddr{address}, n);
      return part - user_clear(reinterpret_cast<void*>(address), part);
    }
    __builtin_memset(reinterpret_cast<void*>(address), 0, n);
    return n;
  });
}

void IoCursor::skip(usize size) {
  (void)walk(size, [](u64, usize n, usize) -> usize { return n; });
}

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// OwnPtr: sole owner. RefPtr: intrusive counted owner of a RefCounted. Making either can fail with ENOMEM.
#pragma once

#include <atomic>
#include <new>

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"

namespace uni {

template <typename T>
class OwnPtr {
 public:
  OwnPtr() = default;
  OwnPtr(std::nullptr_t) {}
  explicit OwnPtr(T* adopted) : ptr_(adopted) {}
  OwnPtr(OwnPtr&& o) noexcept : ptr_(o.release()) {}
  template <typename U>
  requires std::is_convertible_v<U*, T*> OwnPtr(OwnPtr<U>&& o)
  noexcept : ptr_(o.release()) {}
  OwnPtr& operator=(OwnPtr&& o) noexcept {
    reset(o.release());
    return *this;
  }
  ~OwnPtr() { delete ptr_; }
  T* get() const { return ptr_; }
  T* operator->() const { return ptr_; }
  T& operator*() const { return *ptr_; }
  explicit operator bool() const { return ptr_ != nullptr; }
  T* release() { return exchange(ptr_, nullptr); }
  void reset(T* p = nullptr) { delete exchange(ptr_, p); }

 private:
  T* ptr_ = nullptr;
};

// Base of what RefPtr owns. Born with one reference, which make_ref hands to the first RefPtr.
class RefCounted {
 public:
  void ref() const { count_.fetch_add(1, std::memory_order_relaxed); }
  // Gives the last reference back: destroys the object. May block if its destructor does.
  void unref() const {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) const_cast<RefCounted*>(this)->last_unref();
  }
  // Gives a reference back without destroying; true: it was the last, and the caller must do what last_unref does.
  bool drop_ref() const { return count_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  // Takes a reference unless the object is already dying: for caches that hold borrowed pointers.
  bool try_ref() const {
    u32 n = count_.load(std::memory_order_relaxed);
    while (n != 0) {
      if (count_.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }
  u32 ref_count() const { return count_.load(std::memory_order_relaxed); }

 protected:
  RefCounted() = default;
  virtual ~RefCounted() = default;
  // What happens when the last reference goes; a cache may keep the object instead.
  virtual void last_unref() { delete this; }

 private:
  mutable std::atomic<u32> count_{1};
};

template <typename T>
class RefPtr {
 public:
  RefPtr() = default;
  RefPtr(std::nullptr_t) {}
  // Takes a further reference on a living object.
  explicit RefPtr(T* p) : ptr_(p) {
    if (ptr_ != nullptr) ptr_->ref();
  }
  // Takes over the reference that the caller holds.
  static RefPtr adopt(T* p) {
    RefPtr r;
    r.ptr_ = p;
    return r;
  }
  RefPtr(const RefPtr& o) : RefPtr(o.ptr_) {}
  RefPtr(RefPtr&& o) noexcept : ptr_(o.leak()) {}
  template <typename U>
  requires std::is_convertible_v<U*, T*> RefPtr(const RefPtr<U>& o) : RefPtr(o.get()) {}
  template <typename U>
  requires std::is_convertible_v<U*, T*> RefPtr(RefPtr<U>&& o)
  noexcept : ptr_(o.leak()) {}
  RefPtr& operator=(RefPtr o) noexcept {
    swap(ptr_, o.ptr_);
    return *this;
  }
  ~RefPtr() {
    if (ptr_ != nullptr) ptr_->unref();
  }
  T* get() const { return ptr_; }
  T* operator->() const { return ptr_; }
  T& operator*() const { return *ptr_; }
  explicit operator bool() const { return ptr_ != nullptr; }
  // Gives the reference away without dropping it.
  T* leak() { return exchange(ptr_, nullptr); }
  friend bool operator==(const RefPtr& a, const RefPtr& b) { return a.ptr_ == b.ptr_; }

 private:
  T* ptr_ = nullptr;
};

template <typename T, typename... Args>
Result<OwnPtr<T>> make_own(Args&&... args) {
  T* p = new (std::nothrow) T(uni::forward<Args>(args)...);
  if (p == nullptr) return Errno::NoMemory;
  return OwnPtr<T>(p);
}

template <typename T, typename... Args>
Result<RefPtr<T>> make_ref(Args&&... args) {
  T* p = new (std::nothrow) T(uni::forward<Args>(args)...);
  if (p == nullptr) return Errno::NoMemory;
  return RefPtr<T>::adopt(p);
}

}  // namespace uni

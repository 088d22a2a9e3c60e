// SPDX-License-Identifier: Apache-2.0
// An object of static lifetime that is made at its first use: no constructor runs before the kernel's own start.
#pragma once

#include <new>

#include "kernel/base/utility.hpp"

namespace uni {

template <typename T>
class Late {
 public:
  // The object; the first call makes it from `arguments`. Needs what keeps others out meanwhile: a lock that every
  // caller holds, or that no second processor runs yet.
  template <typename... Args>
  T& get(Args&&... arguments) {
    if (made_ == nullptr) made_ = new (storage_) T(uni::forward<Args>(arguments)...);
    return *made_;
  }

 private:
  alignas(T) unsigned char storage_[sizeof(T)] = {};
  T* made_ = nullptr;
};

}  // namespace uni

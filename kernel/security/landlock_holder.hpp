// SPDX-License-Identifier: Apache-2.0
// Where a thread or a process keeps its domain (landlock.hpp). Only its owner sets it; anybody may look: what was seen
// once stays alive as long as the holder.
#pragma once

#include <atomic>

namespace uni::landlock {

class Domain;

class Holder {
 public:
  Holder() = default;
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder();
  Domain* get() const { return domain_.load(std::memory_order_acquire); }
  // Keeps a reference on `domain`, which must stand on the one before. Null: nothing changes.
  void set(Domain* domain);

 private:
  std::atomic<Domain*> domain_{nullptr};
};

}  // namespace uni::landlock

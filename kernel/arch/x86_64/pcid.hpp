// SPDX-License-Identifier: Apache-2.0
// Which process-context identifiers (SDM volume 3, 4.10.1) a processor has given to which address spaces. A few are
// enough: what a processor ran longest ago is unlikely to be in its caches still. Identifier 0 is the kernel's.
//
// An address space counts its invalidations. A slot remembers the count that its translations are right for; where the
// space has moved on while it was not loaded, the caches are emptied as it is loaded again. No interrupt may come
// between choosing a slot and loading it.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::arch {

// Whose translations, and how many invalidations its tables have seen. `space` is never used for another address space;
// 0: the kernel's half, which all have.
struct TlbTag {
  u64 space = 0, generation = 0;
};

class PcidSlots {
 public:
  struct Choice {
    u64 pcid;
    bool keep;  // what is cached under it is right
  };
  // The identifier to load `tag.space` with. It becomes the loaded one.
  Choice load(TlbTag tag) {
    for (loaded_ = 0; loaded_ < kSlots && slots_[loaded_].space != tag.space; ++loaded_)
      ;
    const bool found = loaded_ < kSlots;
    if (!found) {
      loaded_ = next_;
      next_ = next_ + 1 == kSlots ? 0 : next_ + 1;
    }
    const bool keep = found && slots_[loaded_].generation == tag.generation;
    slots_[loaded_] = tag;
    return {loaded_ + 1, keep};
  }
  // The kernel's own tables are loaded.
  void unload() { loaded_ = kSlots; }
  bool is_loaded(u64 space) const { return loaded_ < kSlots && slots_[loaded_].space == space; }
  // The loaded space's translations were invalidated as `tag` asks. An invalidation that came out of turn is not
  // counted, so the next load empties the caches.
  void invalidated(TlbTag tag) {
    if (is_loaded(tag.space) && slots_[loaded_].generation + 1 == tag.generation) slots_[loaded_] = tag;
  }

 private:
  static constexpr u64 kSlots = 6;
  TlbTag slots_[kSlots];
  u64 loaded_ = kSlots, next_ = 0;
};

}  // namespace uni::arch

// SPDX-License-Identifier: Apache-2.0
// What a mapping shows: a file's page cache, shared anonymous memory, a device. Knows the mappings of itself, so that
// truncation can take pages out of address spaces.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::mm {

class Mapping;  // one range of an address space (kernel/mm/address_space.hpp)

enum class Access : u8 { kRead, kWrite };

// Is told how often an object is mapped (System V shared memory). Called with the object's list of mappings locked, so
// the observer may end with the last mapping.
class MappingObserver {
 public:
  virtual void mapping_added() = 0;
  virtual void mapping_removed() = 0;
  virtual u64 observed_pages() const = 0;
  // What /proc/PID/maps shows; gives the length.
  virtual usize describe(Span<char> out) const = 0;
  // Between the two the observer stays, whatever is unmapped. Called without the list locked. `hold` says whether it is
  // to end with its last mapping.
  enum class Fate : u8 { kStays, kEndsWithMappings };
  virtual Fate hold() = 0;
  virtual void let_go() = 0;

 protected:
  ~MappingObserver() = default;
};

class VmObject : public RefCounted {
 public:
  // The page at `index` (in pages from the object's start) with a reference for the caller, content up to date. kWrite:
  // the page is about to be changed through a shared mapping; it is marked dirty. May block on I/O. Errors: Range
  // (beyond the end: the program gets SIGBUS), Io, NoMemory, NoSpace.
  virtual Result<Page*> fault(u64 index, Access access) = 0;

  // Takes the pages [first, last] out of every address space that maps them (file truncation). kernel/mm/vm_object.cpp.
  void unmap_pages(u64 first, u64 last);
  // Write-protects the object's mappings of a page, so that the next store faults and marks it dirty again
  // (write-back).
  void write_protect(u64 index);

  bool mapped() const { return mappings_ != nullptr; }
  // A shared mapping shows it that may store, or may be made to by mprotect(2).
  bool mapped_to_write();
  u32 mapping_count() const { return mapping_count_.load(std::memory_order_relaxed); }
  // How many of its pages are in memory.
  virtual u64 resident_pages() { return 0; }
  // Needs: the object is not mapped yet.
  void observe(MappingObserver& observer) { observer_ = &observer; }
  // Only the programs that map it may have its content (memfd_secret(2)): no access from elsewhere, no page handed on.
  // It stays locked memory, cannot be unlocked and is not brought in ahead of its use. Needs: it is not mapped yet.
  void mark_secret() { secret_ = true; }
  bool secret() const { return secret_; }
  MappingObserver* observer() const { return observer_; }

 private:
  friend class AddressSpace;
  void add_mapping(Mapping& mapping);
  void remove_mapping(Mapping& mapping);
  // Guards the list of mappings, and each insertion of one of the object's pages into a page table: a truncation that
  // holds it after taking the page from the cache finds every entry.
  SpinLock mappings_lock_{Rank::kAddressSpace};
  Mapping* mappings_ = nullptr;  // chained by Mapping::object_next
  std::atomic<u32> mapping_count_{0};
  MappingObserver* observer_ = nullptr;
  bool secret_ = false;
};

// Zero-filled memory shared between processes (MAP_SHARED | MAP_ANONYMOUS).
Result<RefPtr<VmObject>> make_shared_memory(u64 pages);

}  // namespace uni::mm

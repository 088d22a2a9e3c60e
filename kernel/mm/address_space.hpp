// SPDX-License-Identifier: Apache-2.0
// A process's memory: mappings in address order over one set of page tables.
// Locking: `lock` (a Mutex; faults may read files) guards the mappings; the page-table entries of the user half are
// changed under table_lock_, which also nests inside a VmObject's mappings_lock_. Order: lock,
// VmObject::mappings_lock_, table_lock_.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/mm/vm_object.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni::arch {
struct Cpu;
}

namespace uni::mm {

enum Protection : u32 { kProtRead = 1, kProtWrite = 2, kProtExec = 4 };

enum MappingFlag : u32 {
  kMapShared = 1,
  kMapGrowsDown = 2,
  kMapLocked = 4,
  kMapNoReserve = 8,
  kMapDontFork = 16,
  kMapWipeOnFork = 32,
  kMapNoHuge = 64,
  kMapStack = 128,  // shown as [stack]
  kMapHeap = 256,   // [heap]
  kMapVdso = 512,   // [vdso]; never unmapped by accident, pages are the kernel's
  kMapVvar = 1024,
  kMapDontDump = 2048,
  kMapSealed = 4096,  // mseal(2): the ABI layer's
};

enum class FaultKind : u8 { kRead, kWrite, kExecute };
enum class FaultOutcome : u8 { kDone, kNoMapping, kProtection, kBeyondEnd, kNoMemory };

class Mapping {
 public:
  u64 start = 0, end = 0;
  u32 protection = 0;
  u32 flags = 0;
  u32 max_protection = kProtRead | kProtWrite | kProtExec;
  RefPtr<VmObject> object;  // null: anonymous private
  u64 object_page = 0;      // the object's page index at `start`
  RefPtr<fs::File> file;    // for /proc/PID/maps; null for anonymous
  class AddressSpace* space = nullptr;
  Mapping* object_next = nullptr;
  Mapping* object_prev = nullptr;

  u64 object_index(u64 address) const { return object_page + ((address - start) >> kPageShift); }
  bool shared() const { return (flags & kMapShared) != 0; }
  bool secret() const { return object && object->secret(); }
};

struct MapRequest {
  u64 address = 0;  // a hint, or exact with fixed
  u64 length = 0;
  u32 protection = 0;
  u32 flags = 0;
  bool fixed = false;
  bool no_replace = false;  // MAP_FIXED_NOREPLACE: Exists when taken
  bool populate = false;
  bool below_4g = false;  // MAP_32BIT
  RefPtr<VmObject> object;
  u64 object_page = 0;
  RefPtr<fs::File> file;
  u32 max_protection = kProtRead | kProtWrite | kProtExec;
};

class AddressSpace : public RefCounted {
 public:
  static Result<RefPtr<AddressSpace>> create();
  // A copy for fork: private memory is shared copy-on-write. Errors: NoMemory.
  Result<RefPtr<AddressSpace>> fork();

  // Copies between `buffer` and this space's memory, whichever space is loaded. kForceRead and kForceWrite reach
  // what the program itself may not (ptrace): a write then needs a private mapping. Gives the bytes done before the
  // first bad page. May block.
  enum class Remote : u8 { kRead, kWrite, kForceRead, kForceWrite };
  usize access(u64 address, void* buffer, usize size, Remote how);

  // The first page of [from, end) that is present, or present and not a file's, as an address; `end` where there is
  // none. Does not block, but takes long on what is large and empty.
  enum class Present : u8 { kAny, kPrivate };
  u64 next_present(u64 from, u64 end, Present which);

  // Gives the address. Errors: NoMemory (space, limits, overcommit), Exists, Invalid. May block.
  Result<u64> map(MapRequest request);
  // Errors: NoMemory. Unmapped parts are stepped over.
  Result<void> unmap(u64 start, u64 length);
  // Takes out what is left of an observed object that was mapped whole at `start` (shmdt). Errors: Invalid.
  Result<void> unmap_observed(u64 start);
  // Errors: NoMemory (a hole), Access (a read-only file).
  Result<void> protect(u64 start, u64 length, u32 protection);
  Result<u64> remap(u64 old_address, u64 old_length, u64 new_length, u32 flags, u64 new_address);
  // Throws the pages away: private memory reads as zero (or the file's content) afterwards. NoMemory on a hole,
  // Invalid where a mapping has one of the flags in `refused`.
  Result<void> discard(u64 start, u64 length, u32 refused);
  // Lets all private pages go, for good: a fault on one is an error from now on. For a space whose processes have all
  // been killed. Errors: NoMemory.
  Result<void> give_up();
  // Makes pages present. Errors: NoMemory, Fault.
  Result<void> populate(u64 start, u64 length, bool write);
  Result<u64> set_break(u64 wanted);
  // A bit a page: present or in the object's cache (mincore). NoMemory on a hole.
  Result<void> residency(u64 start, u64 length, u8* out);
  // Changes flags of a range, for madvise and mlock, stepping over holes, for which it then gives NoMemory. Errors:
  // Invalid where `accepts` does not take a mapping.
  using Accepts = bool (*)(const Mapping&);
  Result<void> change_flags(u64 start, u64 length, u32 set, u32 clear, Accepts accepts = nullptr);
  // mlockall(2): flags of all mappings, and of those to come. Errors: NoMemory (RLIMIT_MEMLOCK is not looked at).
  Result<void> lock_all(bool present, bool on_fault, bool future);
  void unlock_all();
  // Makes pages present as each mapping allows, for mlock(2): writable private ones are copied now. Errors: NoMemory (a
  // hole, no access, beyond a file's end), Again (memory is out).
  Result<void> bring_in(u64 start, u64 length);
  // Does a secret object's mapping show in the range? Then its pages cannot be had (get_user_pages on Linux).
  bool shows_secret(u64 start, u64 length);
  // Pages of the range that are not locked yet.
  u64 unlocked_pages(u64 start, u64 length);
  // remap_file_pages(2): shows another part of the shared object at `start`. Errors: Invalid, NoMemory.
  Result<void> show_other_pages(u64 start, u64 length, u64 object_page);
  // The start of the growing mapping at an address, for PROT_GROWSDOWN. Errors: NoMemory (none), Invalid (does not).
  Result<u64> growing_start(u64 address);
  // Writes dirty shared pages back (msync): calls visit(mapping, first page, last page) for shared file mappings.
  // Errors: NoMemory on a hole, Busy where `invalidate` meets locked memory.
  Result<void> sync(u64 start, u64 length, bool write, bool invalidate);

  // May block. From traps only.
  FaultOutcome handle_fault(u64 address, FaultKind kind);
  // Fails a user access in advance of a kernel copy. Used by the futex code to get a page of a shared mapping.
  struct FutexKey {
    u64 object, offset;
  };
  Result<FutexKey> futex_key(u64 address, bool shared);

  // Calls visit(mapping) for each mapping in order, with the lock held.
  template <typename F>
  void each(F visit) {
    LockGuard guard(lock);
    for (const Mapping* m : mappings_)
      visit(*m);
  }
  // The same for the first mapping that ends above `address`. False: there is none.
  template <typename F>
  bool first_above(u64 address, F visit) {
    LockGuard guard(lock);
    const usize at = index_at(address);
    if (at == mappings_.size()) return false;
    visit(static_cast<const Mapping&>(*mappings_[at]));
    return true;
  }
  struct Usage {
    u64 mapped_pages, resident_pages, shared_pages, text_pages, data_pages, stack_pages, peak_mapped, peak_resident,
        locked_pages;
  };
  Usage usage();
  u64 resident() const { return resident_.load(std::memory_order_relaxed); }

  // Loads the tables on this processor. Interrupts off; the current or the next thread's process owns the space.
  void load(arch::Cpu& cpu);

  // Layout, set by exec before the program runs.
  u64 mmap_top = 0;  // new mappings go below
  u64 break_start = 0, break_end = 0;
  u64 stack_limit_low = 0;  // how far the stack may grow down
  u64 vdso_address = 0;

  // io_setup(2)'s contexts, or null: the ABI layer's. Made once; ends with the address space, and fork copies none.
  std::atomic<RefCounted*> aio{nullptr};

  std::atomic<u32> barriers{0};  // what membarrier(2) has registered

  Mutex lock;

 private:
  Result<void> access_page(u64 address, void* buffer, usize size, Remote how);
  friend class VmObject;
  static u64 next_id();
  AddressSpace() = default;
  ~AddressSpace() override;
  usize index_at(u64 address) const;  // the first mapping whose end is above address
  Mapping* find(u64 address) const;
  Result<u64> find_gap(u64 length, u64 hint, u64 top) const;
  Result<void> insert(OwnPtr<Mapping> mapping);
  bool is_full() const;  // has as many mappings as g_most_mappings says
  // kBeyond: what is to be unmapped at once may be split off though there are as many mappings as there may be.
  enum class MapLimit : u8 { kKept, kBeyond };
  Result<void> split_at(u64 address, MapLimit limit = MapLimit::kKept);
  Result<void> unmap_locked(u64 start, u64 end);
  void zap(u64 start, u64 end, bool keep_tables);
  // Invalidates what processors may have cached of the range. The tables were changed before.
  void flush(u64 start, u64 end);
  // No other processor can come to run in this space before the current thread lets it.
  bool used_by_one_thread() const;
  // fork's parts: a mapping's record, and its private pages (false: no memory).
  Result<void> copy_mapping(const Mapping& m, AddressSpace& child);
  bool share_pages(const Mapping& m, AddressSpace& child);
  // Makes the table below `address` this space's own, so that its entries may be changed. With table_lock_. False: no
  // memory.
  bool own_table(u64 address);
  // The same for every shared table in the range, before apply_protection(). Errors: NoMemory.
  Result<void> own_range(u64 start, u64 end);
  // Splits the large pages and owns the tables that the two addresses lie within, so that a walk meets whole ones only.
  // Before zap(), apply_protection() on a part of a mapping. Errors: NoMemory.
  Result<void> split_borders(u64 start, u64 end);
  Result<void> prepare_move(u64 from, u64 to, u64 length);  // NoMemory; then move_entries() cannot fail
  void move_entries(u64 from, u64 to, u64 length);
  void write_protect_range(u64 start, u64 end);
  void apply_protection(const Mapping& m, u64 start, u64 end);
  FaultOutcome fault_locked(Mapping& m, u64 address, FaultKind kind);
  FaultOutcome fault_anonymous(Mapping& m, u64 address, bool write);
  FaultOutcome fault_object(Mapping& m, u64 address, bool write);
  bool own_block(const Mapping& m, u64 address, bool write);
  bool try_huge(Mapping& m, u64 address);
  bool split_huge(u64* entry);  // false: no memory
  bool grow_stack(u64 address);
  bool limits_allow(u64 extra, u32 protection, u32 flags) const;
  bool lock_limit_allows(u64 extra) const;  // RLIMIT_MEMLOCK, for the current process

  PhysAddr root_{};
  Vector<Mapping*> mappings_;  // owned, sorted, disjoint
  SpinLock table_lock_{Rank::kPageTable};
  std::atomic<u64> cpus_{0};  // processors that have the tables loaded
  std::atomic<u64> invalidations_{0};
  const u64 id_ = next_id();
  std::atomic<u64> resident_{0};
  u64 mapped_pages_ = 0, peak_mapped_ = 0, peak_resident_ = 0, locked_pages_ = 0;
  u32 future_flags_ = 0;  // MCL_FUTURE: of every new mapping
  bool future_on_fault_ = false;
  bool given_up_ = false;
  mutable usize last_index_ = 0;
};

// /proc/sys/vm/overcommit_memory: 0 refuses what could never be met, 1 nothing. There is no strict accounting.
extern std::atomic<u64> g_overcommit;
// /proc/sys/vm/max_map_count: the mappings that a space may have.
extern std::atomic<u64> g_most_mappings;

// Says once, on the log and the control channel, that memory is out and which limit to raise.
void report_out_of_memory();
// A full memory barrier on every processor (membarrier(2)).
void barrier_all();

}  // namespace uni::mm

// SPDX-License-Identifier: Apache-2.0
// Physical pages: one Page record a frame, buddy allocation with per-processor caches of single pages, and the direct
// map.
#pragma once

#include <atomic>

#include "kernel/base/list.hpp"
#include "kernel/base/types.hpp"

namespace uni::mm {

class VmObject;

enum class PhysAddr : u64 {};
constexpr u64 raw(PhysAddr a) {
  return static_cast<u64>(a);
}

// What a frame is used for. A free or kernel frame has no object.
struct Page {
  std::atomic<u32> refs;  // mappings, caches and I/O that hold the frame; the last put_page frees it
  u8 order;               // of the allocation that it heads
  std::atomic<u8> flags;  // PageFlag bits
  u16 reserved;
  VmObject* object;  // the object whose page this is, or null; guarded by that object's lock
  u64 index;         // page index within the object; of a shared page table, the entries that are present
  ListNode node;     // free list, or its owner's list (dirty, LRU)
};

enum PageFlag : u8 {
  kPageUpToDate = 1,       // content has been read or filled
  kPageDirty = 2,          // differs from the backing store
  kPageWriteback = 4,      // being written out
  kPageAnon = 8,           // private anonymous memory
  kPageFree = 16,          // in the buddy allocator
  kPageCached = 32,        // in a page cache, reclaimable when clean
  kPageReferenced = 64,    // used since reclaim last looked
  kPageTableCopied = 128,  // a page table that spaces share: one of them has taken a copy (fork.cpp)
};

enum class Zero : u8 { kNo, kYes };

// One frame with one reference; null when memory is out (after reclaim was tried). Does not block.
Page* alloc_page(Zero zero);
// 2^order frames, physically contiguous and aligned; only the head has a reference. order <= 10.
Page* alloc_pages(unsigned order, Zero zero);
void get_page(Page& page);
// Gives a reference back; the last one frees the frames of the allocation.
void put_page(Page& page);

PhysAddr phys_of(const Page& page);
// The frame's content in the kernel's direct map.
void* address_of(const Page& page);
Page* page_of(PhysAddr address);
Page* page_of_address(const void* direct_map_address);

PhysAddr virt_to_phys(const void* direct_map_address);
void* phys_to_virt(PhysAddr address);

// Maps device registers, uncached; never unmapped. Null when out of memory.
void* map_device(PhysAddr address, usize size);

struct MemoryStats {
  u64 total_pages;
  u64 free_pages;
  u64 cached_pages;
  u64 kernel_pages;  // slab, stacks, page tables
};
MemoryStats memory_stats();

// Called when memory runs low; gives the number of pages it let go. Registered once by the page cache; must not block
// or allocate.
using Reclaim = usize (*)(usize wanted);
void set_reclaim(Reclaim reclaim);

}  // namespace uni::mm

// SPDX-License-Identifier: Apache-2.0
// Buddy allocator over one array of Page records. Invariant: a record is initialised when its frame heads a free block
// or an allocation, or lies in a reserved range; the merge step reads only such records, so the array is never cleared
// as a whole. Single frames go through a per-processor stack, which needs no lock: the kernel is not preempted.
#include "kernel/mm/page.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/early.hpp"
#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/mm/page_init.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::mm {

struct PageCacheCpu {
  static constexpr u32 kCapacity = 64;
  u32 count = 0;
  Page* pages[kCapacity];
};

namespace {

constexpr unsigned kMaxOrder = 10;
using FreeList = List<Page, &Page::node>;

struct Zone {
  FreeList free[kMaxOrder + 1];
  u64 free_pages = 0;
  u64 total_pages = 0;
};

constinit SpinLock large_lock{Rank::kSlab};
constinit SpinLock zone_lock{Rank::kPages};
constexpr usize kLargeFrames = 512;
alignas(Zone) unsigned char zone_storage[sizeof(Zone)];
Zone& zone() {
  return *std::launder(reinterpret_cast<Zone*>(zone_storage));
}

Page* pages = nullptr;
u64 page_limit = 0;  // frames that have a record
Page* zero = nullptr;
Reclaim reclaimer = nullptr;
PageCacheCpu cpu_caches[8];

u64 frame_of(const Page& p) {
  return static_cast<u64>(&p - pages);
}

void add_free(Page& p, unsigned order) {
  p.refs.store(0, std::memory_order_relaxed);
  p.order = static_cast<u8>(order);
  p.flags.store(kPageFree, std::memory_order_relaxed);
  p.object = nullptr;
  p.node = {};
  zone().free[order].push_front(p);
}

void free_locked(u64 frame, unsigned order) {
  zone().free_pages += u64{1} << order;
  while (order < kMaxOrder) {
    const u64 buddy = frame ^ (u64{1} << order);
    if (buddy >= page_limit) break;
    Page& b = pages[buddy];
    if (b.flags.load(std::memory_order_relaxed) != kPageFree || b.order != order) break;
    FreeList::remove(b);
    b.flags.store(0, std::memory_order_relaxed);
    frame &= ~(u64{1} << order);
    ++order;
  }
  add_free(pages[frame], order);
}

Page* take_locked(unsigned order) {
  for (unsigned o = order; o <= kMaxOrder; ++o) {
    Page* p = zone().free[o].pop_front();
    if (p == nullptr) continue;
    while (o > order) {
      --o;
      add_free(pages[frame_of(*p) + (u64{1} << o)], o);
    }
    zone().free_pages -= u64{1} << order;
    return p;
  }
  return nullptr;
}

void prepare(Page& p, unsigned order) {
  p.refs.store(1, std::memory_order_relaxed);
  p.order = static_cast<u8>(order);
  p.flags.store(0, std::memory_order_relaxed);
  p.object = nullptr;
  p.index = 0;
  p.node = {};
}

// Adds [start, end) (physical, page-aligned) to the free lists in the largest aligned blocks.
void add_range(u64 start, u64 end) {
  u64 frame = start >> kPageShift;
  const u64 last = end >> kPageShift;
  while (frame < last) {
    unsigned order = frame == 0 ? kMaxOrder : static_cast<unsigned>(__builtin_ctzll(frame));
    if (order > kMaxOrder) order = kMaxOrder;
    while ((u64{1} << order) > last - frame)
      --order;
    zone().total_pages += u64{1} << order;
    free_locked(frame, order);
    frame += u64{1} << order;
  }
}

}  // namespace

void init_pages() {
  using arch::early_memory;
  new (zone_storage) Zone;
  u64 top = 0;
  for (usize i = 0; i < early_memory.count; ++i) {
    const auto& r = early_memory.ranges[i];
    if (r.usable) top = max(top, r.start + r.size);
  }
  page_limit = top >> kPageShift;
  // The array stands right behind the kernel's early tables.
  const u64 array = early_memory.next;
  const u64 array_end = page_up(array + page_limit * sizeof(Page));
  pages = static_cast<Page*>(phys_to_virt(PhysAddr{array}));
  const u64 module_start = page_down(early_memory.module);
  const u64 module_end = page_up(early_memory.module + early_memory.module_size);
  // Everything up to the array's end is in use (and the first MiB is the firmware's).
  auto reserve = [](u64 from, u64 to) {
    for (u64 f = from >> kPageShift; f < (to >> kPageShift) && f < page_limit; ++f)
      pages[f].flags.store(0, std::memory_order_relaxed);
  };
  reserve(0, array_end);
  reserve(module_start, module_end);
  for (usize i = 0; i < early_memory.count; ++i) {
    const auto& r = early_memory.ranges[i];
    if (!r.usable) {
      if (r.start < top) reserve(page_down(r.start), min(page_up(r.start + r.size), top));
      continue;
    }
    u64 start = max(page_up(r.start), array_end);
    const u64 end = page_down(r.start + r.size);
    // Cut the boot module out.
    if (module_end > start && module_start < end && early_memory.module_size != 0) {
      if (module_start > start) add_range(start, module_start);
      start = max(start, module_end);
    }
    if (start < end) add_range(start, end);
    // The record behind a range may be looked at as a buddy.
    if ((end >> kPageShift) < page_limit) pages[end >> kPageShift].flags.store(0, std::memory_order_relaxed);
  }
  init_cpu_pages(0);
  zero = alloc_page(Zero::kYes);
  ASSERT(zero != nullptr);
}

void init_cpu_pages(unsigned cpu) {
  if (cpu < sizeof cpu_caches / sizeof cpu_caches[0]) arch::cpu_at(cpu)->pages = &cpu_caches[cpu];
}

Page* alloc_page(Zero want_zero) {
  PageCacheCpu* cache = arch::this_cpu().pages;
  Page* p = nullptr;
  if (cache != nullptr && cache->count > 0) {
    p = cache->pages[--cache->count];
  } else {
    for (int attempt = 0; p == nullptr && attempt < 2; ++attempt) {
      zone_lock.lock();
      p = take_locked(0);
      if (p != nullptr && cache != nullptr) {
        while (cache->count < PageCacheCpu::kCapacity / 4) {
          Page* more = take_locked(0);
          if (more == nullptr) break;
          more->flags.store(0, std::memory_order_relaxed);
          cache->pages[cache->count++] = more;
        }
      }
      zone_lock.unlock();
      if (p == nullptr && (reclaimer == nullptr || reclaimer(32) == 0)) return nullptr;
    }
    if (p == nullptr) return nullptr;
  }
  prepare(*p, 0);
  if (want_zero == Zero::kYes) arch::zero_page(address_of(*p));
  return p;
}

Page* alloc_pages(unsigned order, Zero want_zero) {
  if (order == 0) return alloc_page(want_zero);
  ASSERT(order <= kMaxOrder);
  zone_lock.lock();
  Page* p = take_locked(order);
  if (p != nullptr) {
    // Frames inside the block must not look free to a later merge.
    for (u64 i = 1; i < (u64{1} << order); ++i)
      (p + i)->flags.store(0, std::memory_order_relaxed);
  }
  zone_lock.unlock();
  if (p == nullptr) return nullptr;
  prepare(*p, order);
  if (want_zero == Zero::kYes) __builtin_memset(address_of(*p), 0, kPageSize << order);
  return p;
}

void get_page(Page& p) {
  p.refs.fetch_add(1, std::memory_order_relaxed);
}

void put_page(Page& p) {
  if (p.refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  PageCacheCpu* cache = arch::this_cpu().pages;
  if (p.order == 0 && cache != nullptr) {
    if (cache->count == PageCacheCpu::kCapacity) {
      LockGuard guard(zone_lock);
      while (cache->count > PageCacheCpu::kCapacity / 2)
        free_locked(frame_of(*cache->pages[--cache->count]), 0);
    }
    p.flags.store(0, std::memory_order_relaxed);
    cache->pages[cache->count++] = &p;
    return;
  }
  LockGuard guard(zone_lock);
  free_locked(frame_of(p), p.order);
}

// large_lock guards whether a large page is one allocation, and the head's references while it is.
void split_allocation(Page& head) {
  LockGuard guard(large_lock);
  if (head.order == 0) return;
  const u64 count = u64{1} << head.order;
  const u8 flags = head.flags.load(std::memory_order_relaxed);
  const u32 refs = head.refs.load(std::memory_order_relaxed);
  for (u64 i = 1; i < count; ++i) {
    prepare((&head)[i], 0);
    (&head)[i].flags.store(flags, std::memory_order_relaxed);
    (&head)[i].refs.store(refs, std::memory_order_relaxed);
  }
  head.order = 0;
}

void get_large(Page& head) {
  LockGuard guard(large_lock);
  const usize count = head.order == 0 ? kLargeFrames : 1;
  for (usize i = 0; i < count; ++i)
    get_page((&head)[i]);
}

void put_large(Page& head) {
  LockGuard guard(large_lock);
  const usize count = head.order == 0 ? kLargeFrames : 1;
  for (usize i = 0; i < count; ++i)
    put_page((&head)[i]);
}

bool only_user(const Page& head) {
  LockGuard guard(large_lock);
  return head.order != 0 && head.refs.load(std::memory_order_acquire) == 1;
}

Page& zero_page() {
  return *zero;
}
PhysAddr phys_of(const Page& p) {
  return PhysAddr{frame_of(p) << kPageShift};
}
void* address_of(const Page& p) {
  return phys_to_virt(phys_of(p));
}
Page* page_of(PhysAddr a) {
  ASSERT((raw(a) >> kPageShift) < page_limit);
  return &pages[raw(a) >> kPageShift];
}
Page* page_of_address(const void* p) {
  return page_of(virt_to_phys(p));
}

std::atomic<u64> cached_page_count{0};

MemoryStats memory_stats() {
  u64 cached = 0;
  for (const PageCacheCpu& c : cpu_caches)
    cached += c.count;
  return {zone().total_pages, zone().free_pages + cached, cached_page_count.load(std::memory_order_relaxed), 0};
}

void set_reclaim(Reclaim reclaim) {
  reclaimer = reclaim;
}

}  // namespace uni::mm

// SPDX-License-Identifier: Apache-2.0
// Kernel objects: size classes cut from single pages (up to 2 KiB), whole page blocks above. A slab page's Page record
// counts its objects in use (index) and chains its free objects (object, as a pointer to the first). Behind operator
// new and delete.
#include <new>

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::mm {
namespace {

constexpr usize kClasses[] = {16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048};
constexpr usize kClassCount = sizeof kClasses / sizeof kClasses[0];

struct FreeObject {
  FreeObject* next;
};

struct Cache {
  SpinLock lock{Rank::kSlab};
  List<Page, &Page::node> partial;
};
// Per-processor stacks of free objects in front of the caches.
struct Magazine {
  static constexpr u32 kCapacity = 16;
  u32 count;
  void* objects[kCapacity];
};

alignas(Cache) unsigned char cache_storage[kClassCount][sizeof(Cache)];
bool ready = false;
Magazine magazines[8][kClassCount];

Cache& cache_at(usize c) {
  return *std::launder(reinterpret_cast<Cache*>(cache_storage[c]));
}

usize class_of(usize size) {
  usize c = 0;
  while (kClasses[c] < size)
    ++c;
  return c;
}

// While a page is a slab its `object` field holds the first free object and `reserved` its class.
FreeObject* first_free(Page& p) {
  return reinterpret_cast<FreeObject*>(p.object);
}
void set_first_free(Page& p, FreeObject* o) {
  p.object = reinterpret_cast<VmObject*>(o);
}
constexpr u8 kSlabFlag = 64;
constexpr u8 kLargeFlag = 128;

void* take_locked(Cache& cache, usize c) {
  Page* p = cache.partial.front();
  if (p == nullptr) {
    p = alloc_page(Zero::kNo);
    if (p == nullptr) return nullptr;
    p->flags.store(kSlabFlag, std::memory_order_relaxed);
    p->reserved = static_cast<u16>(c);
    p->index = 0;
    auto* base = static_cast<char*>(address_of(*p));
    FreeObject* head = nullptr;
    for (usize at = (kPageSize / kClasses[c]) * kClasses[c]; at > 0; at -= kClasses[c]) {
      auto* o = reinterpret_cast<FreeObject*>(base + at - kClasses[c]);
      o->next = head;
      head = o;
    }
    set_first_free(*p, head);
    cache.partial.push_front(*p);
  }
  FreeObject* o = first_free(*p);
  set_first_free(*p, o->next);
  ++p->index;
  if (o->next == nullptr) List<Page, &Page::node>::remove(*p);
  return o;
}

void give_locked(Cache& cache, usize c, void* object) {
  Page& p = *page_of_address(object);
  auto* o = static_cast<FreeObject*>(object);
  if (first_free(p) == nullptr) cache.partial.push_front(p);
  o->next = first_free(p);
  set_first_free(p, o);
  if (--p.index == 0 && cache.partial.front() != cache.partial.back()) {
    List<Page, &Page::node>::remove(p);
    p.object = nullptr;
    put_page(p);
  }
  (void)c;
}

Magazine* magazine(usize c) {
  const u32 id = arch::this_cpu().id;
  return id < 8 ? &magazines[id][c] : nullptr;
}

}  // namespace

void* allocate(usize size) {
  if (!ready) {
    for (usize c = 0; c < kClassCount; ++c)
      new (cache_storage[c]) Cache;
    ready = true;
  }
  if (size > kClasses[kClassCount - 1]) {
    unsigned order = 0;
    while ((kPageSize << order) < size)
      ++order;
    if (order > 10) return nullptr;
    Page* p = alloc_pages(order, Zero::kNo);
    if (p == nullptr) return nullptr;
    p->flags.store(kLargeFlag, std::memory_order_relaxed);
    return address_of(*p);
  }
  const usize c = class_of(size);
  Magazine* m = magazine(c);
  if (m != nullptr && m->count > 0) return m->objects[--m->count];
  Cache& cache = cache_at(c);
  LockGuard guard(cache.lock);
  void* result = take_locked(cache, c);
  if (m != nullptr && result != nullptr) {
    // A short refill: small classes only take what their page has anyway.
    while (m->count < Magazine::kCapacity / 4 && cache.partial.front() != nullptr)
      m->objects[m->count++] = take_locked(cache, c);
  }
  return result;
}

void release(void* object) {
  if (object == nullptr) return;
  Page& p = *page_of_address(object);
  const u8 flags = p.flags.load(std::memory_order_relaxed);
  if ((flags & kLargeFlag) != 0) {
    put_page(p);
    return;
  }
  ASSERT((flags & kSlabFlag) != 0);
  const usize c = p.reserved;
  Magazine* m = magazine(c);
  if (m != nullptr && m->count < Magazine::kCapacity) {
    m->objects[m->count++] = object;
    return;
  }
  Cache& cache = cache_at(c);
  LockGuard guard(cache.lock);
  give_locked(cache, c, object);
  if (m != nullptr) {
    while (m->count > Magazine::kCapacity / 2)
      give_locked(cache, c, m->objects[--m->count]);
  }
}

// Usable bytes of an allocation: for realloc in ported libraries.
usize allocated_size(const void* object) {
  const Page& p = *page_of_address(object);
  return (p.flags.load(std::memory_order_relaxed) & kLargeFlag) != 0 ? kPageSize << p.order : kClasses[p.reserved];
}

}  // namespace uni::mm

// Every size class is a multiple of 16, and 64-byte multiples from 64 on lie aligned where the class divides the page;
// larger alignments than 16 take the next power of two.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return uni::mm::allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return uni::mm::allocate(size);
}
void* operator new(std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  const auto a = static_cast<std::size_t>(align);
  if (a > 16) {
    std::size_t rounded = a;
    while (rounded < size)
      rounded *= 2;
    size = rounded;
  }
  return uni::mm::allocate(size);
}
void operator delete(void* p) noexcept {
  uni::mm::release(p);
}
void operator delete[](void* p) noexcept {
  uni::mm::release(p);
}
void operator delete(void* p, std::size_t) noexcept {
  uni::mm::release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  uni::mm::release(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  uni::mm::release(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  uni::mm::release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  uni::mm::release(p);
}

namespace std {
constinit const nothrow_t nothrow{};
}

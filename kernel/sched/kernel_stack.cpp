// SPDX-License-Identifier: Apache-2.0
// Two lists under one lock: stacks that are mapped, linked through their own lowest bytes, and address ranges whose
// frames were freed. A range leaves the caches of every processor before its frames go; that needs a moment without
// locks, so deferred work does it.
#include "kernel/sched/kernel_stack.hpp"

#include "kernel/arch/x86_64/page_table.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sched/deferred.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::sched {
namespace {

constexpr usize kStackPages = kKernelStackSize / kPageSize;
constexpr u64 kEveryCpu = ~u64{0};

struct FreeStack {
  FreeStack* next;
};
struct FreeRange {
  u64 base;
  FreeRange* next;
};
constinit SpinLock stacks_lock{Rank::kSlab};
FreeStack* free_stacks = nullptr;
usize free_count = 0;
FreeRange* free_ranges = nullptr;
std::atomic<usize> mapped_count{0};

class Trim final : public Deferred {
 public:
  void run_deferred() override;
};
constinit Trim trim;

FreeStack* pop_stack(usize beyond) {
  LockGuard guard(stacks_lock);
  if (free_count <= beyond) return nullptr;
  FreeStack* s = free_stacks;
  free_stacks = s->next;
  --free_count;
  return s;
}

u64 take_range() {
  FreeRange* range = nullptr;
  {
    LockGuard guard(stacks_lock);
    range = free_ranges;
    if (range != nullptr) free_ranges = range->next;
  }
  if (range == nullptr) return arch::reserve_kernel_range(kKernelStackSize + kPageSize) + kPageSize;
  const u64 base = range->base;
  delete range;
  return base;
}

// Where memory for the record is out, the range is lost: addresses are plenty.
void give_range(u64 base) {
  auto* range = new (std::nothrow) FreeRange{base, nullptr};
  if (range == nullptr) return;
  LockGuard guard(stacks_lock);
  range->next = free_ranges;
  free_ranges = range;
}

void unmap_stack(u64 base, usize pages) {
  mm::Page* frames[kStackPages];
  for (usize i = 0; i < pages; ++i) {
    bool huge = false;
    const arch::Pte* entry = arch::find_entry(arch::layout.root_table, base + i * kPageSize, false, &huge);
    frames[i] = mm::page_of(mm::PhysAddr{*entry & arch::kPteAddress});
    arch::unmap_kernel_page(base + i * kPageSize);
  }
  arch::flush_range(base, base + pages * kPageSize, kEveryCpu);
  for (usize i = 0; i < pages; ++i)
    mm::put_page(*frames[i]);
  mapped_count.fetch_sub(1, std::memory_order_relaxed);
  give_range(base);
}

Result<void> map_stack_page(u64 address) {
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  auto mapped = arch::map_kernel_page(address, mm::phys_of(*page), arch::kPteWrite | arch::kPteNoExec);
  if (!mapped.ok()) mm::put_page(*page);
  return mapped;
}

void Trim::run_deferred() {
  while (FreeStack* s = pop_stack(kKeptStacks / 2))
    unmap_stack(reinterpret_cast<u64>(s), kStackPages);
}

}  // namespace

Result<u8*> take_stack() {
  if (FreeStack* s = pop_stack(0)) return reinterpret_cast<u8*>(s);
  const u64 base = take_range();
  // Before there can be more than are kept, there is somebody to free them.
  if (mapped_count.fetch_add(1, std::memory_order_relaxed) >= kKeptStacks) (void)prepare_deferred_work();
  for (usize i = 0; i < kStackPages; ++i) {
    const auto mapped = map_stack_page(base + i * kPageSize);
    if (mapped.ok()) continue;
    unmap_stack(base, i);
    return mapped.error();
  }
  return reinterpret_cast<u8*>(base);
}

void give_stack(u8* stack) {
  auto* s = reinterpret_cast<FreeStack*>(stack);
  bool many = false;
  {
    LockGuard guard(stacks_lock);
    s->next = free_stacks;
    free_stacks = s;
    many = ++free_count > kKeptStacks;
  }
  if (many) defer(trim);
}

}  // namespace uni::sched

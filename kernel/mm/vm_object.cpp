// SPDX-License-Identifier: Apache-2.0
// The object's side of mappings: the list of them, and taking pages out of them. Also shared anonymous memory.
#include "kernel/mm/vm_object.hpp"

#include "kernel/mm/address_space.hpp"

namespace uni::mm {

void VmObject::add_mapping(Mapping& m) {
  LockGuard guard(mappings_lock_);
  m.object_prev = nullptr;
  m.object_next = mappings_;
  if (mappings_ != nullptr) mappings_->object_prev = &m;
  mappings_ = &m;
  mapping_count_.fetch_add(1, std::memory_order_relaxed);
  if (observer_ != nullptr) observer_->mapping_added();
}

void VmObject::remove_mapping(Mapping& m) {
  LockGuard guard(mappings_lock_);
  if (m.object_prev != nullptr)
    m.object_prev->object_next = m.object_next;
  else
    mappings_ = m.object_next;
  if (m.object_next != nullptr) m.object_next->object_prev = m.object_prev;
  mapping_count_.fetch_sub(1, std::memory_order_relaxed);
  if (observer_ != nullptr) observer_->mapping_removed();
}

bool VmObject::mapped_to_write() {
  LockGuard guard(mappings_lock_);
  for (const Mapping* m = mappings_; m != nullptr; m = m->object_next)
    if (m->shared() && (m->max_protection & kProtWrite) != 0) return true;
  return false;
}

namespace {
// The part of a mapping that shows object pages [first, last]; empty when start >= end.
struct Part {
  u64 start, end;
};
Part part_of(const Mapping& m, u64 first, u64 last) {
  const u64 pages = (m.end - m.start) >> kPageShift;
  const u64 from = max(first, m.object_page), to = min(last, m.object_page + pages - 1);
  if (pages == 0 || from > to) return {0, 0};
  return {m.start + ((from - m.object_page) << kPageShift), m.start + ((to - m.object_page + 1) << kPageShift)};
}
}  // namespace

void VmObject::unmap_pages(u64 first, u64 last) {
  LockGuard guard(mappings_lock_);
  for (Mapping* m = mappings_; m != nullptr; m = m->object_next) {
    const Part p = part_of(*m, first, last);
    if (p.start < p.end) m->space->zap(p.start, p.end, true);
  }
}

void VmObject::write_protect(u64 index) {
  LockGuard guard(mappings_lock_);
  for (Mapping* m = mappings_; m != nullptr; m = m->object_next) {
    if (!m->shared()) continue;
    const Part p = part_of(*m, index, index);
    if (p.start < p.end) m->space->write_protect_range(p.start, p.end);
  }
}

namespace {

// Pages are made on first touch and live as long as the object. Two-level table: 512 pages a leaf.
class SharedMemory final : public VmObject {
 public:
  explicit SharedMemory(u64 pages) : pages_(pages) {}
  ~SharedMemory() override {
    for (Page** leaf : leaves_) {
      if (leaf == nullptr) continue;
      for (usize i = 0; i < 512; ++i) {
        if (leaf[i] == nullptr) continue;
        leaf[i]->object = nullptr;
        put_page(*leaf[i]);
      }
      delete[] leaf;
    }
  }
  u64 resident_pages() override {
    LockGuard guard(lock_);
    return resident_;
  }
  Result<void> reserve() { return leaves_.resize(static_cast<usize>((pages_ + 511) / 512)); }

  Result<Page*> fault(u64 index, Access) override {
    if (index >= pages_) return Errno::Range;
    Page* fresh = nullptr;
    Page** fresh_leaf = nullptr;
    while (true) {
      {
        LockGuard guard(lock_);
        Page**& leaf = leaves_[index / 512];
        if (leaf == nullptr && fresh_leaf != nullptr) leaf = exchange(fresh_leaf, nullptr);
        if (leaf != nullptr) {
          Page*& slot = leaf[index % 512];
          if (slot == nullptr && fresh != nullptr) {
            slot = exchange(fresh, nullptr);
            slot->object = this;
            slot->index = index;
            ++resident_;
          }
          if (slot != nullptr) {
            get_page(*slot);
            Page* result = slot;
            if (fresh != nullptr) put_page(*fresh);
            delete[] fresh_leaf;
            return result;
          }
        }
      }
      if (fresh == nullptr) fresh = alloc_page(Zero::kYes);
      if (fresh_leaf == nullptr) fresh_leaf = new (std::nothrow) Page* [512] {};
      if (fresh == nullptr || fresh_leaf == nullptr) {
        if (fresh != nullptr) put_page(*fresh);
        delete[] fresh_leaf;
        return Errno::NoMemory;
      }
    }
  }

 private:
  u64 pages_;
  u64 resident_ = 0;
  SpinLock lock_{Rank::kPageCache};
  Vector<Page**> leaves_;
};

}  // namespace

Result<RefPtr<VmObject>> make_shared_memory(u64 pages) {
  auto object = TRY(make_ref<SharedMemory>(pages));
  TRY(object->reserve());
  return RefPtr<VmObject>(move(object));
}

}  // namespace uni::mm

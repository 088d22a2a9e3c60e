// SPDX-License-Identifier: Apache-2.0
// Maps the vDSO. Its pages belong to one VmObject that all address spaces share: page 0 is the data, the others the
// code.
#include "loader/exec/vdso.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/time/timer_queue.hpp"
#include "loader/exec/vdso/data.hpp"

extern "C" {
extern const char vdso_image_start[], vdso_image_end[];
}

namespace uni::exec {
namespace {

class VdsoObject final : public mm::VmObject {
 public:
  static constexpr usize kMaxPages = 4;
  Result<mm::Page*> fault(u64 index, mm::Access access) override {
    if (index >= count || access == mm::Access::kWrite) return Errno::Range;
    mm::get_page(*pages[index]);
    return pages[index];
  }
  mm::Page* pages[kMaxPages] = {};
  usize count = 0;
};

RefPtr<VdsoObject>* shared = nullptr;  // made by the first program, never freed
VdsoData* data_page = nullptr;

Result<RefPtr<VdsoObject>> make_object() {
  auto object = TRY(make_ref<VdsoObject>());
  const auto size = static_cast<usize>(vdso_image_end - vdso_image_start);
  ASSERT(size <= (VdsoObject::kMaxPages - 1) * kPageSize);
  const usize wanted = 1 + (size + kPageSize - 1) / kPageSize;
  for (usize i = 0; i < wanted; ++i) {
    mm::Page* p = mm::alloc_page(mm::Zero::kYes);
    if (p == nullptr) return Errno::NoMemory;
    p->object = object.get();
    p->index = i;
    object->pages[object->count++] = p;
    if (i > 0) {
      const usize offset = (i - 1) * kPageSize;
      __builtin_memcpy(mm::address_of(*p), vdso_image_start + offset, min(kPageSize, size - offset));
    }
  }
  data_page = static_cast<VdsoData*>(mm::address_of(*object->pages[0]));
  return object;
}

}  // namespace

void update_vdso() {
  if (data_page == nullptr) return;
  volatile VdsoData* d = data_page;
  d->sequence = d->sequence + 1;
  asm volatile("" ::: "memory");
  const time::ClockScale scale = time::clock_scale();
  d->base_tsc = scale.base_tsc;
  d->mult = scale.mult;
  d->realtime_offset = time::realtime_offset_ns();
  d->has_cpu_number = arch::features.rdtscp ? 1 : 0;
  asm volatile("" ::: "memory");
  d->sequence = d->sequence + 1;
}

Result<void> map_vdso(mm::AddressSpace& space) {
  if (shared == nullptr) {
    auto object = TRY(make_object());
    shared = new (std::nothrow) RefPtr<VdsoObject>(move(object));
    if (shared == nullptr) return Errno::NoMemory;
    update_vdso();
  }
  const usize pages = (*shared)->count;
  mm::MapRequest both;
  both.length = pages * kPageSize;
  both.flags = mm::kMapNoReserve;
  const u64 base = TRY(space.map(move(both)));
  mm::MapRequest data;
  data.address = base;
  data.length = kPageSize;
  data.fixed = true;
  data.protection = data.max_protection = mm::kProtRead;
  data.flags = mm::kMapVvar | mm::kMapDontDump;
  data.object = *shared;
  TRY(space.map(move(data)));
  mm::MapRequest code;
  code.address = base + kPageSize;
  code.length = (pages - 1) * kPageSize;
  code.fixed = true;
  code.protection = code.max_protection = mm::kProtRead | mm::kProtExec;
  code.flags = mm::kMapVdso;
  code.object = *shared;
  code.object_page = 1;
  TRY(space.map(move(code)));
  space.vdso_address = base + kPageSize;
  return {};
}

}  // namespace uni::exec

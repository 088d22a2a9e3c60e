// SPDX-License-Identifier: Apache-2.0
// mseal(2). Sealing is a flag of a mapping; the calls that would change a sealed one ask may_change first. While
// nothing was ever sealed they pay one load.
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/mm.hpp"

namespace uni::shim {

namespace {
constinit std::atomic<bool> g_any_sealed{false};

bool covered(mm::AddressSpace& space, u64 start, u64 end) {
  u64 at = start;
  space.each([&](const mm::Mapping& m) {
    if (m.start <= at && at < m.end) at = m.end;
  });
  return at >= end;
}

// NotPermitted where a sealed mapping of the range is meant.
template <typename Meant>
Result<void> refuse(u64 start, u64 length, Meant meant) {
  if (!g_any_sealed.load(std::memory_order_acquire)) [[likely]]
    return {};
  bool sealed = false;
  Process::current().space->each([&](const mm::Mapping& m) {
    if (m.start < start + length && start < m.end && (m.flags & mm::kMapSealed) != 0 && meant(m)) sealed = true;
  });
  return sealed ? Result<void>(Errno::NotPermitted) : Result<void>();
}
}  // namespace

Result<void> may_change(u64 start, u64 length) {
  return refuse(start, length, [](const mm::Mapping&) { return true; });
}

// Memory that the program could overwrite may also be thrown away.
Result<void> may_discard(u64 start, u64 length) {
  return refuse(start, length,
                [](const mm::Mapping& m) { return (!m.file || !m.shared()) && (m.protection & mm::kProtWrite) == 0; });
}

Result<i64> sys_mseal(u64 address, u64 length, u64 flags) {
  if (flags != 0 || (address & (kPageSize - 1)) != 0) return Errno::Invalid;
  const u64 size = page_up(length);
  if ((length != 0 && size == 0) || address + size < address) return Errno::Invalid;
  if (size == 0) return 0;
  mm::AddressSpace& space = *Process::current().space;
  if (!user_range_ok(UserAddr{address}, size) || !covered(space, address, address + size)) return Errno::NoMemory;
  g_any_sealed.store(true, std::memory_order_release);
  TRY(space.change_flags(address, size, mm::kMapSealed, 0));
  return 0;
}

}  // namespace uni::shim

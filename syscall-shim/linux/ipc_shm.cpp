// SPDX-License-Identifier: Apache-2.0
// shmget(2), shmat(2), shmdt(2), shmctl(2).
#include "kernel/ipc/limits.hpp"
#include "kernel/ipc/shared_memory.hpp"
#include "kernel/mm/address_space.hpp"
#include "syscall-shim/linux/ipc.hpp"

namespace uni::shim {

namespace {
constexpr unsigned kCapIpcLock = 14;

Result<i64> limits_of(UserPtr<u8> out) {
  abi::ShmInfoLimits info{};
  info.shmmax = ipc::limits.shm_max;
  info.shmmin = 1;
  info.shmmni = info.shmseg = ipc::limits.shm_segments;
  info.shmall = ipc::limits.shm_all;
  TRY(copy_to_user(out.address(), &info, sizeof info));
  LockGuard guard(ipc::segment_lock());
  return ipc::segment_table().highest();
}

Result<i64> usage(UserPtr<u8> out) {
  abi::ShmInfoUsed info{};
  i32 highest = 0;
  {
    LockGuard guard(ipc::segment_lock());
    auto& table = ipc::segment_table();
    info.used_ids = static_cast<i32>(table.count());
    info.shm_tot = ipc::segment_pages();
    for (i32 i = 0; i < table.size(); ++i) {
      if (ipc::Segment* s = table.at(i)) info.shm_rss += s->memory->resident_pages();
    }
    highest = table.highest();
  }
  TRY(copy_to_user(out.address(), &info, sizeof info));
  return highest;
}

Result<i64> stat(i32 number, i32 command, UserPtr<u8> out) {
  abi::ShmidDs data{};
  i64 result = 0;
  {
    LockGuard guard(ipc::segment_lock());
    const auto name = command == abi::kIpcStat ? ipc::Name::kId : ipc::Name::kIndex;
    const ipc::Segment* s = TRY(ipc::named(ipc::segment_table(), number, name));
    if (command != abi::kShmStatAny && !ipc::permitted(*s, Process::current().credentials, ipc::kMayRead))
      return Errno::Access;
    data.perm = to_perm(*s);
    data.segsz = s->size;
    data.atime = s->attached;
    data.dtime = s->detached;
    data.ctime = s->changed;
    data.cpid = static_cast<i32>(s->creator);
    data.lpid = static_cast<i32>(s->last);
    data.nattch = s->attachments();
    if (command != abi::kIpcStat) result = s->id;
  }
  TRY(copy_to_user(out.address(), &data, sizeof data));
  return result;
}

Result<i64> set(i32 id, UserPtr<u8> from) {
  abi::ShmidDs data;
  TRY(copy_from_user(&data, from.address(), sizeof data));
  LockGuard guard(ipc::segment_lock());
  ipc::Segment* s = TRY(ipc::named(ipc::segment_table(), id, ipc::Name::kId));
  if (!ipc::owned_by(*s, Process::current().credentials)) return Errno::NotPermitted;
  TRY(ipc::change_owner(*s, to_ownership(data.perm)));
  return 0;
}

// There is no swap, so a locked segment differs by its mark alone.
Result<i64> lock_segment(i32 id, bool lock) {
  const Process& p = Process::current();
  LockGuard guard(ipc::segment_lock());
  ipc::Segment* s = TRY(ipc::named(ipc::segment_table(), id, ipc::Name::kId));
  if (!p.credentials.capable(kCapIpcLock)) {
    if (p.credentials.euid != s->uid && p.credentials.euid != s->cuid) return Errno::NotPermitted;
    if (lock && p.limits[kLimitLocked].soft == 0) return Errno::NotPermitted;
  }
  s->mode = lock ? s->mode | ipc::Segment::kLocked : s->mode & ~ipc::Segment::kLocked;
  return 0;
}
}  // namespace

Result<i64> sys_shmget(i32 key, u64 size, u32 flags) {
  return TRY(ipc::get_segment(key, size, flags));
}

Result<i64> sys_shmat(i32 id, u64 address, u32 flags) {
  return static_cast<i64>(TRY(ipc::attach(id, address, flags)));
}

Result<i64> sys_shmdt(u64 address) {
  if ((address & (kPageSize - 1)) != 0) return Errno::Invalid;
  TRY(Process::current().space->unmap_observed(address));
  return 0;
}

Result<i64> sys_shmctl(i32 id, i32 command, UserPtr<u8> argument) {
  if (id < 0 || command < 0) return Errno::Invalid;
  switch (command) {
    case abi::kIpcInfo:
      return limits_of(argument);
    case abi::kShmInfo:
      return usage(argument);
    case abi::kIpcStat:
    case abi::kShmStat:
    case abi::kShmStatAny:
      return stat(id, command, argument);
    case abi::kIpcSet:
      return set(id, argument);
    case abi::kIpcRmid:
      TRY(ipc::remove_segment(id));
      return 0;
    case abi::kShmLock:
    case abi::kShmUnlock:
      return lock_segment(id, command == abi::kShmLock);
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// mmap(2) and its family. Arguments are checked in Linux's order; the work is mm::AddressSpace's.
#include "syscall-shim/linux/mm.hpp"

#include "kernel/fs/dentry.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"

namespace uni::shim {
namespace {

enum MmapFlag : u32 {
  kShared = 1,
  kPrivate = 2,
  kSharedValidate = 3,
  kTypeMask = 15,
  kFixed = 0x10,
  kAnonymous = 0x20,
  k32Bit = 0x40,
  kGrowsDown = 0x100,
  kDenyWrite = 0x800,
  kExecutable = 0x1000,
  kLocked = 0x2000,
  kNoReserve = 0x4000,
  kPopulate = 0x8000,
  kNonBlock = 0x10000,
  kStack = 0x20000,
  kHugeTlb = 0x40000,
  kFixedNoReplace = 0x100000,
};
constexpr u32 kHugeShift = 26;  // six bits above it: the wished page size's logarithm, 0 for the default
constexpr u32 kKnownFlags = 0x7f9f3 | 31u << kHugeShift;  // Linux's LEGACY_MAP_MASK
constexpr u32 kProtGrowsDown = 0x01000000, kProtGrowsUp = 0x02000000;

mm::AddressSpace& space() {
  return *Process::current().space;
}

bool range_wraps(u64 address, u64 length) {
  return page_up(length) < length || !user_range_ok(UserAddr{address}, page_up(length));
}

// memfd_secret(2): shared, locked, never executed and not in core files.
Result<void> shape_secret(mm::MapRequest& r) {
  if ((r.protection & mm::kProtExec) != 0) return Errno::NotPermitted;
  if ((r.flags & mm::kMapShared) == 0) return Errno::Invalid;
  TRY(may_lock_more(page_up(r.length), Errno::Again));
  r.flags |= mm::kMapLocked | mm::kMapDontDump;
  r.max_protection &= ~u32{mm::kProtExec};
  return {};
}

}  // namespace

// mmap(2). MAP_HUGETLB is refused with ENOMEM (no huge page pool); MAP_DENYWRITE and MAP_EXECUTABLE are ignored, as by
// Linux.
Result<i64> sys_mmap(u64 address, u64 length, u32 protection, u32 flags, i32 fd, u64 offset) {
  if ((offset & (kPageSize - 1)) != 0) return Errno::Invalid;
  mm::MapRequest r;
  RefPtr<fs::File> file;
  if ((flags & kAnonymous) == 0) {
    file = TRY(Process::current().files->get(fd));
  } else if ((flags & kHugeTlb) != 0) {
    const u32 size_log = flags >> kHugeShift;
    return size_log == 0 || size_log == 21 || size_log == 30 ? Errno::NoMemory : Errno::Invalid;
  }
  if (length == 0) return Errno::Invalid;
  if (page_up(length) == 0 || page_up(length) > kUserEnd) return Errno::NoMemory;
  if (offset + page_up(length) < offset) return Errno::Overflow;
  const u32 type = flags & kTypeMask;
  r.address = address;
  r.length = length;
  r.protection = protection & 7;
  r.fixed = (flags & (kFixed | kFixedNoReplace)) != 0;
  r.no_replace = (flags & kFixedNoReplace) != 0;
  r.populate = (flags & kPopulate) != 0 && (flags & kNonBlock) == 0;
  r.below_4g = (flags & k32Bit) != 0;
  if ((flags & kGrowsDown) != 0) r.flags |= mm::kMapGrowsDown;
  if ((flags & kNoReserve) != 0) r.flags |= mm::kMapNoReserve;
  if ((flags & kLocked) != 0) r.flags |= mm::kMapLocked;
  if ((flags & kStack) != 0) r.flags |= mm::kMapNoHuge;
  if (r.fixed && (address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if (r.fixed && !r.no_replace) TRY(may_change(address, page_up(length)));
  if ((flags & kLocked) != 0) TRY(may_lock_more(page_up(length), Errno::Again));
  if (file) {
    if (type == kSharedValidate && (flags & ~kKnownFlags) != 0) return Errno::NotSupported;
    if (type != kShared && type != kSharedValidate && type != kPrivate) return Errno::Invalid;
    const bool shared = type != kPrivate;
    if (shared) {
      if ((r.protection & mm::kProtWrite) != 0 && !file->writable()) return Errno::Access;
      if (!file->writable()) r.max_protection &= ~u32{mm::kProtWrite};
      r.flags |= mm::kMapShared;
    }
    if (shared && file->inode() != nullptr && file->inode()->seals() != nullptr) {
      constexpr u32 kSealWrite = 8,
                    kSealFutureWrite = 16;  // fcntl(2): what is sealed is never mapped writable and shared
      if ((file->inode()->seals()->load(std::memory_order_acquire) & (kSealWrite | kSealFutureWrite)) != 0) {
        if ((r.protection & mm::kProtWrite) != 0) return Errno::NotPermitted;
        r.max_protection &= ~u32{mm::kProtWrite};
      }
    }
    if (!file->readable()) return Errno::Access;
    const fs::Mount* mount = file->dentry() != nullptr ? file->dentry()->mount() : nullptr;
    if (mount != nullptr && mount->has(fs::kMountNoExec)) {
      if ((r.protection & mm::kProtExec) != 0) return Errno::NotPermitted;
      r.max_protection &= ~u32{mm::kProtExec};
    }
    if ((flags & kGrowsDown) != 0) return Errno::Invalid;
    r.object = TRY(file->vm_object());
    if (r.object->secret()) TRY(shape_secret(r));
    r.object_page = offset >> kPageShift;
    r.file = file;
  } else {
    if (type == kShared) {
      if ((flags & kGrowsDown) != 0) return Errno::Invalid;
      r.flags |= mm::kMapShared;
      r.object = TRY(mm::make_shared_memory(page_up(length) >> kPageShift));
    } else if (type != kPrivate) {
      return Errno::Invalid;
    }
  }
  return static_cast<i64>(TRY(space().map(move(r))));
}

// munmap(2).
Result<i64> sys_munmap(u64 address, u64 length) {
  if ((address & (kPageSize - 1)) != 0 || length == 0 || range_wraps(address, length)) return Errno::Invalid;
  TRY(may_change(address, page_up(length)));
  TRY(space().unmap(address, length));
  return 0;
}

// mprotect(2).
Result<i64> sys_mprotect(u64 address, u64 length, u32 protection) {
  const u32 grows = protection & (kProtGrowsDown | kProtGrowsUp);
  protection &= ~grows;
  if (grows == (kProtGrowsDown | kProtGrowsUp)) return Errno::Invalid;
  if ((address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if (length == 0) return 0;
  if (page_up(length) == 0 || range_wraps(address, length)) return Errno::NoMemory;
  if ((protection & ~15u) != 0) return Errno::Invalid;
  if (grows == kProtGrowsUp) return Errno::Invalid;  // nothing grows upwards here
  if (grows == kProtGrowsDown) {
    const u64 start = TRY(space().growing_start(address));
    if (start < address) {
      length += address - start;
      address = start;
    }
  }
  TRY(may_change(address, page_up(length)));
  TRY(space().protect(address, length, protection & 7));
  return 0;
}

// pkey_alloc(2), pkey_free(2): the processor's protection keys are not used, and as on a processor that has none, none
// is left.
Result<i64> sys_pkey_alloc(u64 flags, u64 rights) {
  if (flags != 0 || (rights & ~u64{3}) != 0) return Errno::Invalid;
  return Errno::NoSpace;
}
Result<i64> sys_pkey_free(i32) {
  return Errno::Invalid;
}

// pkey_mprotect(2): only key -1, since no keys are given out.
Result<i64> sys_pkey_mprotect(u64 address, u64 length, u32 protection, i32 key) {
  if (key != -1) return Errno::Invalid;
  return sys_mprotect(address, length, protection);
}

// remap_file_pages(2): as Linux since 4.0, another mapping over a part of the old one.
Result<i64> sys_remap_file_pages(u64 address, u64 length, u32 protection, u64 page, u32) {
  if (protection != 0) return Errno::Invalid;
  address = page_down(address);
  length = page_down(length);
  if (address + length <= address || !user_range_ok(UserAddr{address}, length)) return Errno::Invalid;
  if (page + (length >> kPageShift) < page) return Errno::Invalid;
  TRY(may_change(address, length));
  TRY(space().show_other_pages(address, length, page));
  return 0;
}

// mremap(2).
Result<i64> sys_mremap(u64 old_address, u64 old_length, u64 new_length, u32 flags, u64 new_address) {
  if ((flags & ~7u) != 0) return Errno::Invalid;
  if ((flags & 6) != 0 && (flags & 1) == 0) return Errno::Invalid;
  if ((flags & 4) != 0 && page_up(old_length) != page_up(new_length)) return Errno::Invalid;
  if ((old_address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if (page_up(new_length) == 0) return Errno::Invalid;
  if ((flags & 2) != 0 && (new_address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if (page_up(new_length) > kUserEnd) return Errno::NoMemory;
  if (range_wraps(old_address, old_length)) return Errno::Fault;
  TRY(may_change(old_address, max<u64>(page_up(old_length), 1)));
  if ((flags & 2) != 0) TRY(may_change(new_address, page_up(new_length)));
  return static_cast<i64>(TRY(space().remap(old_address, old_length, new_length, flags, new_address)));
}

// brk(2): gives the break, old where the wish could not be met.
Result<i64> sys_brk(u64 wanted) {
  return static_cast<i64>(TRY(space().set_break(wanted)));
}

// mincore(2).
Result<i64> sys_mincore(u64 address, u64 length, UserPtr<u8> out) {
  if ((address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if (range_wraps(address, length)) return Errno::NoMemory;
  u8 chunk[256];
  const u64 pages = page_up(length) >> kPageShift;
  for (u64 done = 0; done < pages;) {
    const u64 n = min<u64>(pages - done, sizeof chunk);
    TRY(space().residency(address + (done << kPageShift), n << kPageShift, chunk));
    TRY(copy_to_user((out + done).address(), chunk, n));
    done += n;
  }
  return 0;
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// madvise(2), msync(2), mlock(2) and their families, membarrier(2). There is no swap: what is present stays present, so
// locking means bringing in and accounting.
#include "kernel/fs/pidfd.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/mm.hpp"

namespace uni::shim {
namespace {

mm::AddressSpace& space() {
  return *Process::current().space;
}

bool range_wraps(u64 address, u64 length) {
  return page_up(length) < length || !user_range_ok(UserAddr{address}, page_up(length));
}

enum Advice : i32 {
  kNormal,
  kRandom,
  kSequential,
  kWillNeed,
  kDontNeed,
  kFree = 8,
  kRemove,
  kDontFork,
  kDoFork,
  kMergeable,
  kUnmergeable,
  kHugePage,
  kNoHugePage,
  kDontDump,
  kDoDump,
  kWipeOnFork,
  kKeepOnFork,
  kCold,
  kPageOut,
  kPopulateRead,
  kPopulateWrite,
  kDontNeedLocked,
  kCollapse
};

bool private_anonymous(const mm::Mapping& m) {
  return !m.object && !m.shared();
}
bool not_locked(const mm::Mapping& m) {
  return (m.flags & mm::kMapLocked) == 0;
}

// MADV_REMOVE: a hole in the file behind a shared writable mapping.
Result<void> remove_content(u64 address, u64 length) {
  constexpr int kPunchHole = 2 | 1;  // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
  const u64 end = address + page_up(length);
  while (address < end) {
    RefPtr<fs::File> file;
    u64 offset = 0, stop = 0;
    Errno wrong{};
    space().each([&](const mm::Mapping& m) {
      if (m.start > address || m.end <= address) return;
      stop = min(m.end, end);
      if ((m.flags & mm::kMapLocked) != 0 || !m.file || !m.object)
        wrong = Errno::Invalid;
      else if (!m.shared() || (m.max_protection & mm::kProtWrite) == 0)
        wrong = Errno::Access;
      file = m.file;
      offset = m.object_index(address) << kPageShift;
    });
    if (stop == 0) return Errno::NoMemory;
    if (wrong != Errno{}) return wrong;
    TRY(file->allocate(kPunchHole, offset, stop - address));
    address = stop;
  }
  return {};
}

Result<void> advise(u64 address, u64 length, i32 advice) {
  if (advice == kDontNeed || advice == kDontNeedLocked || advice == kFree || advice == kRemove || advice == kDontFork ||
      advice == kWipeOnFork)
    TRY(may_discard(address, page_up(length)));
  mm::AddressSpace& s = space();
  switch (advice) {
    case kDontNeed:
      return s.discard(address, length, mm::kMapLocked);
    case kDontNeedLocked:
      return s.discard(address, length, 0);
    case kFree:
      TRY(s.change_flags(address, length, 0, 0, private_anonymous));
      return s.discard(address, length, mm::kMapLocked);
    case kRemove:
      return remove_content(address, length);
    case kPopulateRead:
    case kPopulateWrite:
      return s.populate(address, page_up(length), advice == kPopulateWrite);
    case kDontFork:
      return s.change_flags(address, length, mm::kMapDontFork, 0);
    case kDoFork:
      return s.change_flags(address, length, 0, mm::kMapDontFork);
    case kWipeOnFork:
      return s.change_flags(address, length, mm::kMapWipeOnFork, 0, private_anonymous);
    case kKeepOnFork:
      return s.change_flags(address, length, 0, mm::kMapWipeOnFork);
    case kHugePage:
      return s.change_flags(address, length, 0, mm::kMapNoHuge);
    case kNoHugePage:
      return s.change_flags(address, length, mm::kMapNoHuge, 0);
    case kDontDump:
      return s.change_flags(address, length, mm::kMapDontDump, 0);
    case kDoDump:
      return s.change_flags(address, length, 0, mm::kMapDontDump);
    case kCold:
    case kPageOut:
      return s.change_flags(address, length, 0, 0, not_locked);
    default:
      // A hint: only a hole in the range is an error.
      return s.change_flags(address, length, 0, 0);
  }
}

// Merging equal pages and collapsing on demand are not there, as in a Linux without them.
bool known_advice(i32 advice) {
  return advice >= 0 && (advice <= kDontNeed || advice >= kFree) && advice < kCollapse && advice != kMergeable &&
         advice != kUnmergeable;
}

Result<i64> checked_advice(u64 address, u64 length, i32 advice) {
  if (!known_advice(advice)) return Errno::Invalid;
  if ((address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if (page_up(length) < length) return Errno::Invalid;
  if (length == 0) return 0;
  if (address + page_up(length) < address) return Errno::Invalid;
  if (range_wraps(address, length)) return Errno::NoMemory;
  TRY(advise(address, length, advice));
  return 0;
}

}  // namespace

// RLIMIT_MEMLOCK for `bytes` more.
Result<void> may_lock_more(u64 bytes, Errno too_many) {
  const Process& p = Process::current();
  if (p.credentials.capable(14)) return {};  // CAP_IPC_LOCK
  const u64 limit = p.limits[kLimitLocked].soft;
  if (limit == 0) return Errno::NotPermitted;
  if (limit != kUnlimited && (space().usage().locked_pages << kPageShift) + bytes > limit) return too_many;
  return {};
}

// madvise(2). MADV_FREE frees at once, which it may.
Result<i64> sys_madvise(u64 address, u64 length, i32 advice) {
  return checked_advice(address, length, advice);
}

// process_madvise(2): on oneself; another process's memory is not reached.
Result<i64> sys_process_madvise(i32 fd, UserPtr<IoSegment> segments, u64 count, i32 advice, u32 flags) {
  if (flags != 0) return Errno::Invalid;
  if (count > 1024) return Errno::Invalid;
  Vector<IoSegment> list;
  TRY(list.resize(count));
  TRY(copy_from_user(list.data(), segments.address(), count * sizeof(IoSegment)));
  const RefPtr<fs::File> file = TRY(Process::current().files->get(fd));
  if (file->kind() != fs::FileKind::kPidFd) return Errno::BadFd;
  if (&static_cast<fs::PidFd&>(*file).process() != &Process::current()) return Errno::NotPermitted;
  if (advice != kCold && advice != kPageOut && advice != kWillNeed) return Errno::Invalid;
  i64 done = 0;
  for (const IoSegment& s : list) {
    const auto advised = checked_advice(s.base, s.length, advice);
    if (!advised.ok()) return done != 0 ? Result<i64>(done) : Result<i64>(advised.error());
    done += static_cast<i64>(s.length);
  }
  return done;
}

// msync(2).
Result<i64> sys_msync(u64 address, u64 length, u32 flags) {
  constexpr u32 kAsync = 1, kInvalidate = 2, kSyncFlag = 4;
  if ((flags & ~(kAsync | kInvalidate | kSyncFlag)) != 0) return Errno::Invalid;
  if ((address & (kPageSize - 1)) != 0) return Errno::Invalid;
  if ((flags & kAsync) != 0 && (flags & kSyncFlag) != 0) return Errno::Invalid;
  if (range_wraps(address, length)) return Errno::NoMemory;
  if (length == 0) return 0;
  TRY(space().sync(address, length, (flags & kSyncFlag) != 0, (flags & kInvalidate) != 0));
  return 0;
}

// mlock(2).
Result<i64> sys_mlock(u64 address, u64 length) {
  return sys_mlock2(address, length, 0);
}

// mlock2(2): MLOCK_ONFAULT only marks.
Result<i64> sys_mlock2(u64 address, u64 length, u32 flags) {
  if ((flags & ~1u) != 0) return Errno::Invalid;
  const Process& p = Process::current();
  if (!p.credentials.capable(14) && p.limits[kLimitLocked].soft == 0) return Errno::NotPermitted;
  const u64 start = page_down(address);
  const u64 size = page_up(length + (address - start));
  if (start + size < start) return Errno::Invalid;
  if (size == 0) return 0;
  if (!user_range_ok(UserAddr{start}, size)) return Errno::NoMemory;
  TRY(may_lock_more(space().unlocked_pages(start, size) << kPageShift, Errno::NoMemory));
  TRY(space().change_flags(start, size, mm::kMapLocked, 0));
  if ((flags & 1) == 0) TRY(space().bring_in(start, size));
  return 0;
}

Result<i64> sys_munlock(u64 address, u64 length) {
  const u64 start = page_down(address);
  const u64 size = page_up(length + (address - start));
  if (start + size < start) return Errno::Invalid;
  if (size == 0) return 0;
  if (!user_range_ok(UserAddr{start}, size)) return Errno::NoMemory;
  TRY(space().change_flags(start, size, 0, mm::kMapLocked));
  return 0;
}

// mlockall(2).
Result<i64> sys_mlockall(u32 flags) {
  constexpr u32 kCurrent = 1, kFuture = 2, kOnFault = 4;
  if (flags == 0 || (flags & ~(kCurrent | kFuture | kOnFault)) != 0 || flags == kOnFault) return Errno::Invalid;
  const Process& p = Process::current();
  if (!p.credentials.capable(14)) {
    const u64 limit = p.limits[kLimitLocked].soft;
    if (limit == 0) return Errno::NotPermitted;
    if ((flags & kCurrent) != 0 && limit != kUnlimited && space().usage().mapped_pages << kPageShift > limit)
      return Errno::NoMemory;
  }
  TRY(space().lock_all((flags & kCurrent) != 0, (flags & kOnFault) != 0, (flags & kFuture) != 0));
  return 0;
}

Result<i64> sys_munlockall() {
  space().unlock_all();
  return 0;
}

// membarrier(2): an interrupt on every processor orders memory and serialises the instruction stream; threads that were
// in a restartable sequence begin it anew.
Result<i64> sys_membarrier(i32 command, u32 flags, i32 cpu) {
  constexpr i32 kQuery = 0, kGlobal = 1, kGlobalExpedited = 2, kRegisterGlobal = 4, kPrivate = 8, kRegisterPrivate = 16,
                kSyncCore = 32, kRegisterSyncCore = 64, kRseq = 128, kRegisterRseq = 256, kRegistrations = 512;
  constexpr u32 kFlagCpu = 1;
  if (command == kRseq ? (flags & ~kFlagCpu) != 0 : flags != 0) return Errno::Invalid;
  (void)cpu;
  std::atomic<u32>& registered = space().barriers;
  auto interrupt = [&](u32 needs) -> Result<i64> {
    if ((registered.load(std::memory_order_acquire) & needs) == 0) return Errno::NotPermitted;
    mm::barrier_all();
    return 0;
  };
  switch (command) {
    case kQuery:
      return kGlobal | kGlobalExpedited | kRegisterGlobal | kPrivate | kRegisterPrivate | kSyncCore |
             kRegisterSyncCore | kRseq | kRegisterRseq | kRegistrations;
    case kGlobal:
    case kGlobalExpedited:
      mm::barrier_all();
      return 0;
    case kRegisterGlobal:
    case kRegisterPrivate:
    case kRegisterSyncCore:
    case kRegisterRseq:
      registered.fetch_or(static_cast<u32>(command), std::memory_order_acq_rel);
      return 0;
    case kPrivate:
      return interrupt(kRegisterPrivate);
    case kSyncCore:
      return interrupt(kRegisterSyncCore);
    case kRseq: {
      Process& process = Process::current();
      {
        LockGuard guard(process.lock);
        for (Thread& t : process.threads)
          __atomic_store_n(&t.rseq_stale, true, __ATOMIC_RELEASE);
      }
      return interrupt(kRegisterRseq);
    }
    case kRegistrations:
      return i64{registered.load(std::memory_order_acquire)};
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim

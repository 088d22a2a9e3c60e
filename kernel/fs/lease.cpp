// SPDX-License-Identifier: Apache-2.0
// All leases stand in one list under one spin lock: few programs take any. A lease that is being broken keeps its type
// until its holder changes it or its time is over; `target` is what it has to become. Who waits looks again whenever a
// lease changed. Inode::open_for_write and open_for_read say whether a file is open in a way that forbids a lease; they
// are raised before leases are looked at, so of two that come at once one sees the other.
#include "kernel/fs/lease.hpp"

#include "kernel/fs/async_io.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs::leases {

constinit std::atomic<u32> g_count{0};
constinit std::atomic<u64> g_break_time{45};
constinit std::atomic<u64> g_enabled{1};

namespace {

struct Lease {
  Lease* next;
  File* file;
  Inode* inode;
  Type type;
  Type target;  // differs from `type` while it is being broken
  u64 deadline;
  bool broken() const { return target != type; }
};

constinit SpinLock g_lock{Rank::kInode};
constinit Lease* g_first = nullptr;
constinit WaitQueue g_changed;

// The rest of this namespace needs g_lock.

// What Linux calls timing out leases.
void end_overdue() {
  const u64 now = time::monotonic_ns();
  for (Lease** at = &g_first; *at != nullptr;) {
    Lease* l = *at;
    if (l->broken() && now >= l->deadline) {
      l->type = l->target;
      if (l->type == Type::kNone) {
        *at = l->next;
        g_count.fetch_sub(1, std::memory_order_relaxed);
        delete l;
        continue;
      }
    }
    at = &l->next;
  }
}

bool conflicts(const Lease& lease, const Inode& inode, Access access) {
  return lease.inode == &inode && (lease.type == Type::kWrite || access == Access::kWrite);
}

Lease* first_conflict(const Inode& inode, Access access) {
  for (Lease* l = g_first; l != nullptr; l = l->next) {
    if (conflicts(*l, inode, access)) return l;
  }
  return nullptr;
}

// Takes the file's lease out of the list; null where it has none.
Lease* take(const File& file) {
  for (Lease** at = &g_first; *at != nullptr; at = &(*at)->next) {
    Lease* l = *at;
    if (l->file != &file) continue;
    *at = l->next;
    g_count.fetch_sub(1, std::memory_order_relaxed);
    return l;
  }
  return nullptr;
}

bool open_in_the_way(const File& file, const Inode& inode, Type type) {
  const i32 writers = inode.open_for_write.load(std::memory_order_seq_cst);
  if (type == Type::kRead) return writers > 0;
  const bool writes = file.writable();
  return max(writers, 0) != (writes ? 1 : 0) ||
         inode.open_for_read.load(std::memory_order_seq_cst) != (!writes && file.readable() ? 1 : 0);
}

Result<void> add_or_change(File& file, Inode& inode, Type type, Lease*& fresh) {
  if (open_in_the_way(file, inode, type)) return Errno::Again;
  Lease* own = nullptr;
  for (Lease* l = g_first; l != nullptr; l = l->next) {
    if (l->inode != &inode) continue;
    if (l->file == &file)
      own = l;
    else if (type == Type::kWrite || (l->broken() && l->target == Type::kNone))
      return Errno::Again;
  }
  if (own != nullptr) {
    const bool must_go = own->broken() && own->target == Type::kNone;
    own->type = type;
    own->target = must_go ? Type::kNone : type;
    return {};
  }
  *fresh = Lease{g_first, &file, &inode, type, type, 0};
  g_first = exchange(fresh, nullptr);
  return {};
}

Result<void> give_up(const File& file) {
  Lease* gone = nullptr;
  {
    LockGuard guard(g_lock);
    end_overdue();
    gone = take(file);
  }
  if (gone == nullptr) return Errno::Again;
  delete gone;
  g_changed.wake_all();
  return {};
}

Result<void> may_hold(Inode& inode) {
  constexpr u32 kCapLease = 28;
  const Credentials& who = Process::current().credentials;
  Stat stat;
  TRY(inode.stat(stat));
  if (stat.uid != who.fsuid && !who.capable(kCapLease)) return Errno::Access;
  if (inode.type() != FileType::kRegular || g_enabled.load() == 0) return Errno::Invalid;
  return {};
}

}  // namespace

Result<void> set(File& file, int fd, Type type) {
  Inode* inode = file.inode();
  if (type == Type::kNone) return give_up(file);
  if (inode == nullptr || file.kind() != FileKind::kInode) return Errno::Invalid;
  TRY(may_hold(*inode));
  TRY(expect_messages(file, fd));
  auto* fresh = new (std::nothrow) Lease{};
  if (fresh == nullptr) return Errno::NoMemory;
  Result<void> done = Errno::Again;
  {
    LockGuard guard(g_lock);
    end_overdue();
    // Counted first: an open that comes now looks at the list.
    g_count.fetch_add(1, std::memory_order_seq_cst);
    done = add_or_change(file, *inode, type, fresh);
    if (fresh != nullptr) g_count.fetch_sub(1, std::memory_order_relaxed);
  }
  delete fresh;
  g_changed.wake_all();
  return done;
}

Type get(const File& file) {
  LockGuard guard(g_lock);
  end_overdue();
  for (const Lease* l = g_first; l != nullptr; l = l->next) {
    if (l->file == &file) return l->target;
  }
  return Type::kNone;
}

// Asks every holder in the way that has not been asked yet. A few at a time are told outside of the lock.
static void ask_holders(const Inode& inode, Access access) {
  constexpr usize kAtOnce = 8;
  const Type target = access == Access::kWrite ? Type::kNone : Type::kRead;
  const u64 seconds = g_break_time.load(std::memory_order_relaxed);
  const u64 deadline = seconds == 0 ? time::kNever : time::monotonic_ns() + seconds * time::kSecond;
  for (usize told = kAtOnce; told == kAtOnce;) {
    RefPtr<File> holders[kAtOnce];
    told = 0;
    {
      LockGuard guard(g_lock);
      for (Lease* l = g_first; l != nullptr && told < kAtOnce; l = l->next) {
        if (!conflicts(*l, inode, access) || (l->broken() && l->target <= target)) continue;
        l->target = target;
        l->deadline = deadline;
        if (l->file->try_ref()) holders[told++] = RefPtr<File>::adopt(l->file);
      }
    }
    for (usize i = 0; i < told; ++i)
      tell_message(*holders[i]);
  }
}

Result<void> break_slow(Inode& inode, Access access, Wait wait) {
  u64 deadline = 0;
  auto clear = [&] {
    LockGuard guard(g_lock);
    end_overdue();
    const Lease* in_the_way = first_conflict(inode, access);
    deadline = in_the_way != nullptr ? in_the_way->deadline : 0;
    return in_the_way == nullptr;
  };
  if (clear()) return {};
  ask_holders(inode, access);
  if (wait == Wait::kNo) return Errno::Again;
  while (!clear()) {
    if (g_changed.wait(clear, deadline) == Wake::kSignal) return Errno::RestartSys;
  }
  return {};
}

void release_slow(const File& file) {
  Lease* gone = nullptr;
  {
    LockGuard guard(g_lock);
    gone = take(file);
  }
  if (gone == nullptr) return;
  delete gone;
  g_changed.wake_all();
}

}  // namespace uni::fs::leases

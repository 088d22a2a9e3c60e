// SPDX-License-Identifier: Apache-2.0
// Advisory locks: a list of ranges per inode, under InodeExtra::lock. An owner's own locks never overlap: setting a
// range cuts what it had there. Waiters sleep on the inode's queue and look again whenever anything was released.
#include "kernel/fs/locks.hpp"

#include "kernel/fs/inode_extra.hpp"

namespace uni::fs {

struct LockList {
  struct Lock {
    locks::Request what;
    Lock* next = nullptr;
  };
  Lock* first = nullptr;
  u64 generation = 0;
  WaitQueue queue;
};

namespace locks {

namespace {
using Lock = LockList::Lock;

// Who waits for whom among POSIX owners, to find circles.
struct Waiting {
  const void* owner;
  const void* blocker;
  Waiting* next;
};
constinit SpinLock g_waiting_lock{Rank::kLeaf};
constinit Waiting* g_waiting = nullptr;

bool meet(const Request& a, const Request& b) {
  return (a.kind == Kind::kFlock) == (b.kind == Kind::kFlock) && a.start <= b.end && b.start <= a.end;
}
bool same_owner(const Request& a, const Request& b) {
  return a.kind == b.kind && a.owner == b.owner;
}

bool in_the_way(const Request& held, const Request& wanted) {
  return meet(held, wanted) && !same_owner(held, wanted) && (held.type == Type::kWrite || wanted.type == Type::kWrite);
}

const Lock* conflict_of(const LockList& list, const Request& request) {
  for (const Lock* l = list.first; l != nullptr; l = l->next) {
    if (in_the_way(l->what, request)) return l;
  }
  return nullptr;
}

// Would waiting for `blocker` close a circle? Notes the wait when not.
bool note_waiting(Waiting& waiting) {
  LockGuard guard(g_waiting_lock);
  const void* at = waiting.blocker;
  for (unsigned step = 0; step < 64; ++step) {
    if (at == waiting.owner) return false;
    const Waiting* w = g_waiting;
    while (w != nullptr && w->owner != at)
      w = w->next;
    if (w == nullptr) break;
    at = w->blocker;
  }
  waiting.next = g_waiting;
  g_waiting = &waiting;
  return true;
}

void forget_waiting(Waiting& waiting) {
  LockGuard guard(g_waiting_lock);
  Waiting** link = &g_waiting;
  while (*link != &waiting)
    link = &(*link)->next;
  *link = waiting.next;
}

// Spare nodes, allocated before the lock is taken, and what is to be freed after it.
struct Nodes {
  Lock* spare = nullptr;
  ~Nodes() {
    while (Lock* l = spare) {
      spare = l->next;
      delete l;
    }
  }
  void give(Lock* l) {
    l->next = spare;
    spare = l;
  }
  Lock* take() {
    Lock* l = spare;
    spare = l->next;
    l->next = nullptr;
    return l;
  }
  Result<void> prepare() {
    for (int i = 0; i < 2; ++i) {
      auto* fresh = new (std::nothrow) Lock{};
      if (fresh == nullptr) return Errno::NoMemory;
      give(fresh);
    }
    return {};
  }
};

// Cuts the owner's locks out of the range, or joins those of the same type, and puts the new one in.
void apply(LockList& list, Request request, Nodes& nodes) {
  Lock** link = &list.first;
  while (Lock* l = *link) {
    if (!same_owner(l->what, request)) {
      link = &l->next;
      continue;
    }
    const bool touches = l->what.start <= request.end + (request.end != ~u64{0} ? 1 : 0) &&
                         request.start <= l->what.end + (l->what.end != ~u64{0} ? 1 : 0);
    if (touches && l->what.type == request.type) {
      request.start = min(request.start, l->what.start);
      request.end = max(request.end, l->what.end);
    } else if (meet(l->what, request)) {
      const bool before = l->what.start < request.start;
      const bool after = l->what.end > request.end;
      if (before && after) {
        Lock* tail = nodes.take();
        tail->what = l->what;
        tail->what.start = request.end + 1;
        tail->next = l->next;
        l->next = tail;
      }
      if (before) l->what.end = request.start - 1;
      if (!before && after) l->what.start = request.end + 1;
      if (before || after) {
        link = &l->next;
        continue;
      }
    } else {
      link = &l->next;
      continue;
    }
    *link = l->next;
    nodes.give(l);
  }
  if (request.type == Type::kUnlock) return;
  Lock* fresh = nodes.take();
  fresh->what = request;
  fresh->next = list.first;
  list.first = fresh;
}

Result<LockList*> list_of(InodeExtra& extra) {
  {
    LockGuard guard(extra.lock);
    if (extra.locks != nullptr) return extra.locks;
  }
  OwnPtr<LockList> fresh = TRY(make_own<LockList>());
  LockGuard guard(extra.lock);
  if (extra.locks == nullptr) extra.locks = fresh.release();
  return extra.locks;
}

void release(Inode& inode, Kind kind, const void* owner) {
  InodeExtra* extra = inode.extra();
  if (extra == nullptr || extra->locks == nullptr) return;
  const Request all{kind, Type::kUnlock, owner, 0, 0, ~u64{0}};
  Nodes freed;
  {
    LockGuard guard(extra->lock);
    apply(*extra->locks, all, freed);  // takes no spare: nothing is left of a lock inside the whole range
    ++extra->locks->generation;
  }
  if (freed.spare != nullptr) extra->locks->queue.wake_all();
}
}  // namespace

Result<void> set(Inode& inode, const Request& request, Wait wait) {
  InodeExtra* extra = TRY(inode.ensure_extra());
  LockList& list = *TRY(list_of(*extra));
  Nodes nodes;
  TRY(nodes.prepare());
  for (;;) {
    u64 seen = 0;
    const void* blocker = nullptr;
    {
      LockGuard guard(extra->lock);
      const Lock* conflict = request.type == Type::kUnlock ? nullptr : conflict_of(list, request);
      seen = list.generation;
      if (conflict == nullptr) {
        apply(list, request, nodes);
        ++list.generation;
      } else {
        blocker = conflict->what.owner;
      }
    }
    if (blocker == nullptr) {
      // An upgrade never lets anyone in, but an unlock or a downgrade does.
      if (request.type != Type::kWrite) list.queue.wake_all();
      return {};
    }
    if (wait == Wait::kNo) return Errno::Again;
    Waiting waiting{request.owner, blocker, nullptr};
    if (request.kind == Kind::kPosix && !note_waiting(waiting)) return Errno::Deadlock;
    const Wake woken = list.queue.wait([&] {
      LockGuard guard(extra->lock);
      return list.generation != seen;
    });
    if (request.kind == Kind::kPosix) forget_waiting(waiting);
    if (woken == Wake::kSignal) return Errno::RestartSys;
  }
}

bool test(Inode& inode, const Request& request, Request* conflict) {
  InodeExtra* extra = inode.extra();
  if (extra == nullptr) return false;
  LockGuard guard(extra->lock);
  if (extra->locks == nullptr) return false;
  const Lock* found = nullptr;
  for (const Lock* l = extra->locks->first; l != nullptr; l = l->next) {
    if (in_the_way(l->what, request) && (found == nullptr || l->what.start < found->what.start)) found = l;
  }
  if (found == nullptr) return false;
  *conflict = found->what;
  return true;
}

void release_file(Inode& inode, const File& file) {
  release(inode, Kind::kFlock, &file);
  release(inode, Kind::kOfd, &file);
}

void release_table(Inode& inode, const FileTable& table) {
  release(inode, Kind::kPosix, &table);
}

}  // namespace locks

InodeExtra::~InodeExtra() {
  if (locks == nullptr) return;
  while (LockList::Lock* l = locks->first) {
    locks->first = l->next;
    delete l;
  }
  delete locks;
}

}  // namespace uni::fs

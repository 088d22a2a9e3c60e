// SPDX-License-Identifier: Apache-2.0
// ioprio_get(2), ioprio_set(2). Few threads have an I/O priority: those that do stand in a table.
#include "syscall-shim/linux/thread_ioprio.hpp"

#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/thread.hpp"

namespace uni::shim {

namespace {

constexpr u32 kClassShift = 13;
enum Class : u32 { kNone, kRealTime, kBestEffort, kIdle };
constexpr unsigned kCapSysAdmin = 21, kCapSysNice = 23;

struct Entry {
  Tid tid;
  u16 priority;
};
Guarded<Vector<Entry>, Rank::kFutex> entries;
constinit std::atomic<u32> g_count{0};

u32 priority_of(const Thread& thread) {
  if (g_count.load(std::memory_order_acquire) == 0) return 0;
  return entries.with([&](const Vector<Entry>& list) {
    for (const Entry& e : list) {
      if (e.tid == thread.tid()) return u32{e.priority};
    }
    return u32{0};
  });
}

Result<void> set_priority(const Thread& thread, u32 priority) {
  return entries.with([&](Vector<Entry>& list) -> Result<void> {
    for (Entry& e : list) {
      if (e.tid != thread.tid()) continue;
      e.priority = static_cast<u16>(priority);
      return {};
    }
    TRY(list.push(Entry{thread.tid(), static_cast<u16>(priority)}));
    g_count.store(static_cast<u32>(list.size()), std::memory_order_release);
    return {};
  });
}

// What counts where none was set: it follows nice.
u32 effective(const Thread& thread) {
  const u32 set = priority_of(thread);
  if (set >> kClassShift != kNone) return set;
  const u32 group = thread.policy == sched::Policy::kIdle ? u32{kIdle}
                    : sched::is_real_time(thread.policy)  ? u32{kRealTime}
                                                          : u32{kBestEffort};
  return group << kClassShift | static_cast<u32>(thread.nice + 20) / 5;
}

Result<void> check(u32 priority) {
  const Credentials& who = Process::current().credentials;
  switch (priority >> kClassShift) {
    case kRealTime:
      if (!who.capable(kCapSysAdmin) && !who.capable(kCapSysNice)) return Errno::NotPermitted;
      return {};
    case kBestEffort:
    case kIdle:
      return {};
    case kNone:
      if ((priority & 7) != 0) return Errno::Invalid;
      return {};
    default:
      return Errno::Invalid;
  }
}

enum Who : i32 { kProcess = 1, kGroup, kUser };

// The threads that `which` and `who` mean: one for kProcess, else those of all processes meant.
Result<Vector<RefPtr<Thread>>> meant(i32 which, i32 who) {
  Vector<RefPtr<Thread>> found;
  if (which < kProcess || which > kUser) return Errno::Invalid;
  if (which == kProcess) {
    RefPtr<Thread> one =
        who == 0 ? RefPtr<Thread>(&Thread::current()) : Process::find_thread(Tid{static_cast<u32>(who)});
    if (!one) return Errno::NoProcess;
    TRY(found.push(uni::move(one)));
    return found;
  }
  const Process& own = Process::current();
  Result<void> pushed;
  Process::for_each([&](Process& p) {
    if (which == kGroup ? p.group() != (who == 0 ? own.group() : Pid{static_cast<u32>(who)})
                        : p.credentials.uid != (who == 0 ? own.credentials.uid : static_cast<u32>(who)))
      return;
    LockGuard guard(p.lock);
    for (Thread& t : p.threads) {
      if (pushed.ok()) pushed = found.push(RefPtr<Thread>(&t));
    }
  });
  TRY(pushed);
  if (found.empty()) return Errno::NoProcess;
  return found;
}

}  // namespace

namespace ioprio {

void inherit(const Thread& child, const Thread& parent) {
  if (const u32 own = priority_of(parent); own >> kClassShift != kNone) (void)set_priority(child, own).ok();
}

void forget(const Thread& thread) {
  if (g_count.load(std::memory_order_acquire) == 0) return;
  entries.with([&](Vector<Entry>& list) {
    for (usize i = 0; i < list.size(); ++i) {
      if (list[i].tid != thread.tid()) continue;
      list[i] = list[list.size() - 1];
      list.pop();
      break;
    }
    g_count.store(static_cast<u32>(list.size()), std::memory_order_release);
  });
}

}  // namespace ioprio

Result<i64> sys_ioprio_get(i32 which, i32 who) {
  const auto threads = TRY(meant(which, who));
  if (which == kProcess) return i64{priority_of(*threads[0])};
  u32 best = ~u32{0};
  for (const RefPtr<Thread>& t : threads)
    best = min(best, effective(*t));
  return i64{best};
}

Result<i64> sys_ioprio_set(i32 which, i32 who, i32 priority) {
  TRY(check(static_cast<u32>(priority)));
  const auto threads = TRY(meant(which, who));
  const Credentials& me = Process::current().credentials;
  for (const RefPtr<Thread>& t : threads) {
    const u32 uid = t->process().credentials.uid;
    if (uid != me.euid && uid != me.uid && !me.capable(kCapSysNice)) return Errno::NotPermitted;
    TRY(set_priority(*t, static_cast<u32>(priority)));
  }
  return 0;
}

}  // namespace uni::shim

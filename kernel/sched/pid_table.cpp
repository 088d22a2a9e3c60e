// SPDX-License-Identifier: Apache-2.0
// An array that grows to the highest number used. The most threads that may live follow from memory, so that a program
// that makes them without end gets EAGAIN while there is still memory to say so with.
#include "kernel/sched/pid_table.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/mm/page.hpp"

namespace uni::pids {
namespace {

struct Slot {
  Thread* thread = nullptr;
  Process* process = nullptr;
  u32 users = 0;  // processes whose group or session has this number
  bool free() const { return thread == nullptr && process == nullptr && users == 0; }
};

struct Table {
  Vector<Slot> slots;
  u32 next = 2;
  u32 threads = 0;
  u32 processes = 0;
};

constinit SpinLock table_lock{Rank::kRunQueue};
alignas(Table) unsigned char table_storage[sizeof(Table)];
bool table_ready = false;
constexpr u32 kFirstAgain = 300;  // after a wrap the low numbers stay with the first programs

Table& table() {
  Table* t = std::launder(reinterpret_cast<Table*>(table_storage));
  if (!table_ready) {
    table_ready = true;
    new (table_storage) Table;
  }
  return *t;
}

Slot* slot(u32 number) {
  Table& t = table();
  return number < t.slots.size() ? &t.slots[number] : nullptr;
}

Result<void> cover(Table& t, u32 number) {
  if (number < t.slots.size()) return {};
  return t.slots.resize(min(kLimit, max(number + 1, static_cast<u32>(t.slots.size()) * 2)));
}

}  // namespace

namespace {
// A thread costs a kernel stack of four pages, vector state and records; a process about sixteen pages more, most of
// them page tables.
u32 bounded(u64 pages_each) {
  return static_cast<u32>(min<u64>(max<u64>(mm::memory_stats().total_pages / pages_each, 64), kLimit - 300));
}
}  // namespace

u32 most_threads() {
  static const u64 given = boot::limit("threads");
  return static_cast<u32>(min<u64>(bounded(16), given));
}
u32 most_processes() {
  static const u64 given = boot::limit("processes");
  return static_cast<u32>(min<u64>(bounded(40), given));
}

u32 thread_count() {
  LockGuard guard(table_lock);
  return table().threads;
}

u32 process_count() {
  LockGuard guard(table_lock);
  return table().processes;
}

Result<Tid> assign(Thread& thread, bool names_process) {
  const u32 most = most_threads(), most_of_processes = most_processes();
  LockGuard guard(table_lock);
  Table& t = table();
  if (t.threads >= most || (names_process && t.processes >= most_of_processes)) return Errno::Again;
  for (u32 tries = 0; tries < kLimit; ++tries) {
    if (t.next >= kLimit) t.next = kFirstAgain;
    const u32 candidate = t.next++;
    TRY(cover(t, candidate));
    Slot& s = t.slots[candidate];
    if (!s.free()) continue;
    s.thread = &thread;
    if (names_process) {
      s.process = &thread.process();
      s.process->ref();
      ++t.processes;
    }
    ++t.threads;
    return Tid{candidate};
  }
  return Errno::Again;
}

Result<void> place(Pid pid, Process& process, Thread& thread) {
  LockGuard guard(table_lock);
  Table& t = table();
  TRY(cover(t, raw(pid)));
  Slot& s = t.slots[raw(pid)];
  s.thread = &thread;
  s.process = &process;
  process.ref();
  return {};
}

u32 last() {
  LockGuard guard(table_lock);
  return table().next - 1;
}

void set_last(u32 number) {
  LockGuard guard(table_lock);
  table().next = max(number + 1, 2u);
}

void retire_thread(Tid tid, const Thread& thread) {
  LockGuard guard(table_lock);
  Slot* s = slot(raw(tid));
  if (s == nullptr || s->thread != &thread) return;
  s->thread = nullptr;
  --table().threads;
}

void take_over(Tid leader, Tid own, Thread& thread) {
  LockGuard guard(table_lock);
  if (Slot* s = slot(raw(own)); s != nullptr && s->thread == &thread) s->thread = nullptr;
  if (Slot* s = slot(raw(leader)); s != nullptr) s->thread = &thread;
  --table().threads;
}

void retire_process(Pid pid) {
  Process* gone = nullptr;
  {
    LockGuard guard(table_lock);
    if (Slot* s = slot(raw(pid)); s != nullptr) gone = exchange(s->process, nullptr);
    if (gone != nullptr) --table().processes;
  }
  if (gone != nullptr) gone->unref();
}

void add_user(Pid number) {
  LockGuard guard(table_lock);
  if (Slot* s = slot(raw(number)); s != nullptr) ++s->users;
}

void drop_user(Pid number) {
  LockGuard guard(table_lock);
  if (Slot* s = slot(raw(number)); s != nullptr && s->users > 0) --s->users;
}

RefPtr<Process> find_process(Pid pid) {
  LockGuard guard(table_lock);
  Slot* s = slot(raw(pid));
  return s == nullptr ? RefPtr<Process>() : RefPtr<Process>(s->process);
}

RefPtr<Thread> find_thread(Tid tid) {
  LockGuard guard(table_lock);
  Slot* s = slot(raw(tid));
  if (s == nullptr || s->thread == nullptr || !s->thread->try_ref()) return {};
  return RefPtr<Thread>::adopt(s->thread);
}

}  // namespace uni::pids

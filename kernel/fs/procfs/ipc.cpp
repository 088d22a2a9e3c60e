// SPDX-License-Identifier: Apache-2.0
// /proc/sysvipc, and the limits of inter-process communication below /proc/sys.
#include "kernel/fs/procfs/ipc_rows.hpp"
#include "kernel/ipc/messages.hpp"
#include "kernel/ipc/semaphores.hpp"
#include "kernel/ipc/shared_memory.hpp"

namespace uni::fs::procfs {
namespace {

void write_identity(Writer& out, const ipc::Object& o) {
  format(out, "{:>10} {:>10}  {:>4o}", o.key, o.id, o.mode);
}
void write_owner(Writer& out, const ipc::Object& o) {
  format(out, " {:>5} {:>5} {:>5} {:>5}", o.uid, o.gid, o.cuid, o.cgid);
}

// Decimal, with white space around it. Errors: Invalid.
Result<u64> take_number(StringView& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t'))
    text = text.slice(1);
  usize digits = 0;
  u64 value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (__builtin_mul_overflow(value, u64{10}, &value)) return Errno::Invalid;
    if (__builtin_add_overflow(value, static_cast<u64>(text[digits] - '0'), &value)) return Errno::Invalid;
    ++digits;
  }
  if (digits == 0) return Errno::Invalid;
  text = text.slice(digits);
  if (!text.empty() && text[0] != ' ' && text[0] != '\t') return Errno::Invalid;
  return value;
}

ipc::ObjectTable& table_of(IpcFamily family) {
  switch (family) {
    case IpcFamily::kShared:
      return ipc::segment_table();
    case IpcFamily::kSemaphores:
      return ipc::semaphore_table();
    default:
      return ipc::message_table();
  }
}
SpinLock& lock_of(IpcFamily family) {
  switch (family) {
    case IpcFamily::kShared:
      return ipc::segment_lock();
    case IpcFamily::kSemaphores:
      return ipc::semaphore_lock();
    default:
      return ipc::message_lock();
  }
}

constexpr u64 kIntMost = 0x7fffffff;

}  // namespace

Result<void> show_limit(Writer& out, const std::atomic<u64>& limit) {
  format(out, "{}\n", limit.load(std::memory_order_relaxed));
  return {};
}

Result<void> store_limit(StringView text, std::atomic<u64>& limit, u64 least, u64 most) {
  const u64 value = TRY(take_number(text));
  if (value < least || value > most) return Errno::Invalid;
  limit.store(value, std::memory_order_relaxed);
  return {};
}

Result<void> show_sysvipc_shm(Writer& out, const Numbers&) {
  out.write(
      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      "
      "dtime      ctime                   rss                  swap\n");
  LockGuard guard(ipc::segment_lock());
  const auto& table = ipc::segment_table();
  for (i32 i = 0; i < table.size(); ++i) {
    const ipc::Segment* s = table.at(i);
    if (s == nullptr) continue;
    write_identity(out, *s);
    format(out, " {:>21} {:>5} {:>5}  {:>5}", s->size, s->creator, s->last, s->attachments());
    write_owner(out, *s);
    format(out, " {:>10} {:>10} {:>10} {:>21} {:>21}\n", s->attached, s->detached, s->changed,
           s->memory->resident_pages() * kPageSize, 0);
  }
  return {};
}

Result<void> show_sysvipc_sem(Writer& out, const Numbers&) {
  out.write("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
  LockGuard guard(ipc::semaphore_lock());
  const auto& table = ipc::semaphore_table();
  for (i32 i = 0; i < table.size(); ++i) {
    const ipc::SemaphoreSet* s = table.at(i);
    if (s == nullptr) continue;
    write_identity(out, *s);
    format(out, " {:>10}", s->semaphores.size());
    write_owner(out, *s);
    format(out, " {:>10} {:>10}\n", s->operated, s->changed);
  }
  return {};
}

Result<void> show_sysvipc_msg(Writer& out, const Numbers&) {
  out.write(
      "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime    "
      "  ctime\n");
  LockGuard guard(ipc::message_lock());
  const auto& table = ipc::message_table();
  for (i32 i = 0; i < table.size(); ++i) {
    const ipc::MessageQueue* q = table.at(i);
    if (q == nullptr) continue;
    write_identity(out, *q);
    format(out, "  {:>10} {:>10} {:>5} {:>5}", q->bytes, q->count, q->last_sender, q->last_receiver);
    write_owner(out, *q);
    format(out, " {:>10} {:>10} {:>10}\n", q->sent, q->received, q->changed);
  }
  return {};
}

// kernel.sem: SEMMSL, SEMMNS, SEMOPM, SEMMNI. Fewer numbers change only the first ones.
Result<void> show_sem_limits(Writer& out, const Numbers&) {
  const ipc::Limits& l = ipc::limits;
  format(out, "{}\t{}\t{}\t{}\n", l.semaphores_a_set.load(), l.semaphores.load(), l.semaphore_operations.load(),
         l.semaphore_sets.load());
  return {};
}
Result<void> store_sem_limits(StringView text, const Numbers&) {
  ipc::Limits& l = ipc::limits;
  std::atomic<u64>* const fields[] = {&l.semaphores_a_set, &l.semaphores, &l.semaphore_operations, &l.semaphore_sets};
  u64 values[4];
  usize count = 0;
  while (count < 4 && !text.empty()) {
    values[count] = TRY(take_number(text));
    if (values[count] > (count == 3 ? u64{ipc::ObjectTable::kEntries} : kIntMost)) return Errno::Invalid;
    ++count;
  }
  for (usize i = 0; i < count; ++i)
    fields[i]->store(values[i], std::memory_order_relaxed);
  return {};
}

Result<void> show_next_id(Writer& out, IpcFamily family) {
  LockGuard guard(lock_of(family));
  format(out, "{}\n", table_of(family).wanted_id);
  return {};
}
Result<void> store_next_id(StringView text, IpcFamily family) {
  const u64 value = TRY(take_number(text));
  if (value > kIntMost) return Errno::Invalid;
  LockGuard guard(lock_of(family));
  table_of(family).wanted_id = static_cast<i32>(value);
  return {};
}

}  // namespace uni::fs::procfs

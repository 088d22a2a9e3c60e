// SPDX-License-Identifier: Apache-2.0
// semget(2), semop(2), semtimedop(2), semctl(2).
#include "kernel/ipc/limits.hpp"
#include "syscall-shim/linux/ipc.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {

namespace {
using ipc::SemaphoreSet;

Result<i64> information(i32 command, UserPtr<u8> out) {
  constexpr i32 kUndoSize = 20;  // SEMUSZ
  abi::SemInfo info{};
  i32 highest = 0;
  {
    LockGuard guard(ipc::semaphore_lock());
    auto& table = ipc::semaphore_table();
    info.semmni = static_cast<i32>(ipc::limits.semaphore_sets);
    info.semmns = static_cast<i32>(ipc::limits.semaphores);
    info.semmsl = static_cast<i32>(ipc::limits.semaphores_a_set);
    info.semopm = static_cast<i32>(ipc::limits.semaphore_operations);
    info.semvmx = ipc::kSemaphoreMost;
    info.semmap = info.semmnu = 1024000000;  // SEMMNS
    info.semume = 500;                       // SEMOPM
    info.semusz = command == abi::kSemInfo ? static_cast<i32>(table.count()) : kUndoSize;
    info.semaem = command == abi::kSemInfo ? static_cast<i32>(ipc::semaphores_in_use()) : ipc::kSemaphoreMost;
    highest = table.highest();
  }
  TRY(copy_to_user(out.address(), &info, sizeof info));
  return highest;
}

Result<i64> stat(i32 number, i32 command, UserPtr<u8> out) {
  abi::SemidDs data{};
  i64 result = 0;
  {
    LockGuard guard(ipc::semaphore_lock());
    const auto name = command == abi::kIpcStat ? ipc::Name::kId : ipc::Name::kIndex;
    const SemaphoreSet* s = TRY(ipc::named(ipc::semaphore_table(), number, name));
    if (command != abi::kSemStatAny && !ipc::permitted(*s, Process::current().credentials, ipc::kMayRead))
      return Errno::Access;
    data.perm = to_perm(*s);
    data.otime = s->operated;
    data.ctime = s->changed;
    data.nsems = s->semaphores.size();
    if (command != abi::kIpcStat) result = s->id;
  }
  TRY(copy_to_user(out.address(), &data, sizeof data));
  return result;
}

Result<i64> set(i32 id, UserPtr<u8> from) {
  abi::SemidDs data;
  TRY(copy_from_user(&data, from.address(), sizeof data));
  LockGuard guard(ipc::semaphore_lock());
  SemaphoreSet* s = TRY(ipc::named(ipc::semaphore_table(), id, ipc::Name::kId));
  if (!ipc::owned_by(*s, Process::current().credentials)) return Errno::NotPermitted;
  TRY(ipc::change_owner(*s, to_ownership(data.perm)));
  return 0;
}

// The set of a command that reads or writes values. Needs the lock.
Result<SemaphoreSet*> open_set(i32 id, u32 access) {
  SemaphoreSet* s = TRY(ipc::named(ipc::semaphore_table(), id, ipc::Name::kId));
  if (!ipc::permitted(*s, Process::current().credentials, access)) return Errno::Access;
  return s;
}

Result<i64> set_value(i32 id, i32 number, i32 value) {
  if (value < 0 || value > ipc::kSemaphoreMost) return Errno::Range;
  LockGuard guard(ipc::semaphore_lock());
  SemaphoreSet* s = TRY(ipc::named(ipc::semaphore_table(), id, ipc::Name::kId));
  if (number < 0 || static_cast<usize>(number) >= s->semaphores.size()) return Errno::Invalid;
  if (!ipc::permitted(*s, Process::current().credentials, ipc::kMayWrite)) return Errno::Access;
  const auto at = static_cast<usize>(number);
  s->forget_adjustments(at);
  s->semaphores[at] = {value, raw(Process::current().pid())};
  s->changed = ipc::now_seconds();
  s->advance();
  return 0;
}

Result<i64> get_all(i32 id, UserAddr out) {
  Vector<u16> values;
  {
    LockGuard guard(ipc::semaphore_lock());
    const SemaphoreSet* s = TRY(open_set(id, ipc::kMayRead));
    for (const ipc::Semaphore& one : s->semaphores)
      TRY(values.push(static_cast<u16>(one.value)));
  }
  TRY(copy_to_user(out, values.data(), values.size() * sizeof(u16)));
  return 0;
}

Result<i64> set_all(i32 id, UserAddr from) {
  Vector<u16> values;
  RefPtr<SemaphoreSet> kept;
  {
    LockGuard guard(ipc::semaphore_lock());
    kept = RefPtr<SemaphoreSet>(TRY(open_set(id, ipc::kMayWrite)));
  }
  TRY(values.resize(kept->semaphores.size()));
  TRY(copy_from_user(values.data(), from, values.size() * sizeof(u16)));
  for (const u16 value : values) {
    if (value > ipc::kSemaphoreMost) return Errno::Range;
  }
  LockGuard guard(ipc::semaphore_lock());
  if (kept->removed) return Errno::IdentifierRemoved;
  for (usize i = 0; i < values.size(); ++i) {
    kept->forget_adjustments(i);
    kept->semaphores[i] = {values[i], raw(Process::current().pid())};
  }
  kept->changed = ipc::now_seconds();
  kept->advance();
  return 0;
}

Result<i64> get_one(i32 id, i32 number, i32 command) {
  LockGuard guard(ipc::semaphore_lock());
  const SemaphoreSet* s = TRY(open_set(id, ipc::kMayRead));
  if (number < 0 || static_cast<usize>(number) >= s->semaphores.size()) return Errno::Invalid;
  const ipc::Semaphore& one = s->semaphores[static_cast<usize>(number)];
  switch (command) {
    case abi::kSemGetVal:
      return one.value;
    case abi::kSemGetPid:
      return one.pid;
    default:
      return s->waiting(static_cast<u16>(number), command == abi::kSemGetZcnt);
  }
}
}  // namespace

Result<i64> sys_semget(i32 key, i32 count, u32 flags) {
  return TRY(ipc::get_semaphores(key, count, flags));
}

Result<i64> sys_semop(i32 id, UserPtr<ipc::SemaphoreOperation> operations, u32 count) {
  return sys_semtimedop(id, operations, count, UserPtr<abi::Timespec>());
}

Result<i64> sys_semtimedop(i32 id, UserPtr<ipc::SemaphoreOperation> operations, u32 count,
                           UserPtr<abi::Timespec> timeout) {
  constexpr usize kFew = 8;
  abi::Timespec time{};
  if (timeout) time = TRY(timeout.read());
  if (count > ipc::limits.semaphore_operations) return Errno::TooBig;
  if (count < 1 || id < 0) return Errno::Invalid;
  ipc::SemaphoreOperation few[kFew];
  Vector<ipc::SemaphoreOperation> many;
  ipc::SemaphoreOperation* list = few;
  if (count > kFew) {
    TRY(many.resize(count));
    list = many.data();
  }
  TRY(copy_from_user(list, operations.address(), count * sizeof *list));
  u64 deadline = time::kNever;
  if (timeout) deadline = time::deadline_after(TRY(duration_ns(time)));
  TRY(ipc::operate(id, {list, count}, deadline));
  return 0;
}

Result<i64> sys_semctl(i32 id, i32 number, i32 command, u64 argument) {
  if (id < 0) return Errno::Invalid;
  const UserPtr<u8> pointer(argument);
  switch (command) {
    case abi::kIpcInfo:
    case abi::kSemInfo:
      return information(command, pointer);
    case abi::kIpcStat:
    case abi::kSemStat:
    case abi::kSemStatAny:
      return stat(id, command, pointer);
    case abi::kSemGetAll:
      return get_all(id, pointer.address());
    case abi::kSemSetAll:
      return set_all(id, pointer.address());
    case abi::kSemGetVal:
    case abi::kSemGetPid:
    case abi::kSemGetNcnt:
    case abi::kSemGetZcnt:
      return get_one(id, number, command);
    case abi::kSemSetVal:
      return set_value(id, number, static_cast<i32>(argument));
    case abi::kIpcSet:
      return set(id, pointer);
    case abi::kIpcRmid:
      TRY(ipc::remove_semaphores(id));
      return 0;
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// Small files of /proc/PID: arguments, limits, names.
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/pid_table.hpp"
#include "kernel/time/clock.hpp"
#include "kernel/time/cpu_time.hpp"

namespace uni::fs::procfs {
namespace {

// A program's memory, its own or another's.
Result<void> write_memory(Writer& out, Process& process, u64 start, u64 end) {
  RefPtr<mm::AddressSpace> space;
  {
    LockGuard guard(process.lock);
    space = process.space;
  }
  if (!space) return {};  // a zombie has none
  char piece[512];
  while (start < end) {
    const usize n = space->access(start, piece, min<u64>(sizeof piece, end - start), mm::AddressSpace::Remote::kRead);
    if (n == 0) break;
    out.write({piece, n});
    start += n;
  }
  return {};
}

struct LimitLine {
  StringView name;
  LimitKind kind;
  StringView unit;
};
// In the order of proc_pid_limits(5).
constexpr LimitLine kLimits[] = {
    {"Max cpu time", kLimitCpu, "seconds"},
    {"Max file size", kLimitFileSize, "bytes"},
    {"Max data size", kLimitData, "bytes"},
    {"Max stack size", kLimitStack, "bytes"},
    {"Max core file size", kLimitCore, "bytes"},
    {"Max resident set", kLimitRss, "bytes"},
    {"Max processes", kLimitProcesses, "processes"},
    {"Max open files", kLimitFiles, "files"},
    {"Max locked memory", kLimitLocked, "bytes"},
    {"Max address space", kLimitAddressSpace, "bytes"},
    {"Max file locks", kLimitLocks, "locks"},
    {"Max pending signals", kLimitSignals, "signals"},
    {"Max msgqueue size", kLimitMessageQueue, "bytes"},
    {"Max nice priority", kLimitNice, ""},
    {"Max realtime priority", kLimitRtPriority, ""},
    {"Max realtime timeout", kLimitRtTime, "us"},
};

Result<u64> number_in(StringView text) {
  if (text.empty()) return Errno::Invalid;
  u64 value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return Errno::Invalid;
    if (__builtin_mul_overflow(value, u64{10}, &value)) return Errno::Range;
    if (__builtin_add_overflow(value, static_cast<u64>(c - '0'), &value)) return Errno::Range;
  }
  return value;
}

// Another's timers are for who may set its scheduling (proc(5), "timerslack_ns").
Result<void> may_set_slack(const Thread& thread) {
  constexpr unsigned kSysNice = 23;
  if (&thread == &Thread::current() || Process::current().credentials.capable(kSysNice)) return {};
  return Errno::NotPermitted;
}

}  // namespace

Result<RefPtr<Process>> process_of(const Numbers& numbers) {
  RefPtr<Process> process =
      numbers.count > 0 ? Process::find(Pid{static_cast<u32>(numbers.n[0])}) : RefPtr<Process>(&Process::current());
  if (!process || (numbers.mark != 0 && process->started_ns != numbers.mark)) return Errno::NoProcess;
  return process;
}

Result<Target> target_of(const Numbers& numbers) {
  Target t;
  t.process = TRY(process_of(numbers));
  if (numbers.count > 1) {
    t.thread = Process::find_thread(Tid{static_cast<u32>(numbers.n[1])});
  } else {
    LockGuard guard(t.process->lock);
    if (t.process->leader != nullptr && t.process->leader->try_ref())
      t.thread = RefPtr<Thread>::adopt(t.process->leader);
  }
  if (!t.thread || t.thread->is_kernel()) return Errno::NoProcess;
  return t;
}

Result<void> show_self(Writer& out, const Numbers&) {
  format(out, "{}", Process::current().pid());
  return {};
}

Result<void> show_thread_self(Writer& out, const Numbers&) {
  format(out, "{}/task/{}", Process::current().pid(), Thread::current().tid());
  return {};
}

Result<void> show_arguments(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  return write_memory(out, *process, process->arg_start, process->arg_end);
}

Result<void> show_environment(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  return write_memory(out, *process, process->env_start, process->env_end);
}

Result<void> show_auxv(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  // SAFETY: the vector's words as bytes.
  out.write({reinterpret_cast<const char*>(process->auxv.data()), process->auxv.size() * sizeof(u64)});
  return {};
}

Result<void> show_limits(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  format(out, "{:25} {:20} {:20} {:10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
  for (const LimitLine& l : kLimits) {
    format(out, "{:25} ", l.name);
    for (const u64 value : {process->limits[l.kind].soft, process->limits[l.kind].hard}) {
      char number[24];
      BufferWriter text(number);
      if (value == kUnlimited)
        text.write("unlimited");
      else
        format(text, "{}", value);
      format(out, "{:20} ", text.view());
    }
    format(out, "{:10}\n", l.unit);
  }
  return {};
}

Result<void> show_comm(Writer& out, const Numbers& numbers) {
  auto t = TRY(target_of(numbers));
  format(out, "{}\n", StringView(t.thread->name));
  return {};
}

Result<void> store_comm(StringView text, const Numbers& numbers) {
  auto t = TRY(target_of(numbers));
  if (t.process.get() != &Process::current()) return Errno::Invalid;
  char name[sizeof t.thread->name] = {};
  __builtin_memcpy(name, text.data(), min(text.size(), sizeof name - 1));
  __builtin_memcpy(t.thread->name, name, sizeof name);
  return {};
}

Result<void> show_oom_score_adj(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  format(out, "{}\n", process->oom_score_adj);
  return {};
}

Result<void> store_oom_score_adj(StringView text, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  const bool negative = text.starts_with("-");
  u64 value = 0;
  const StringView digits = text.slice(negative ? 1 : 0);
  if (digits.empty() || digits.size() > 5) return Errno::Invalid;
  for (char c : digits) {
    if (c < '0' || c > '9') return Errno::Invalid;
    value = value * 10 + static_cast<u64>(c - '0');
  }
  if (value > 1000) return Errno::Invalid;
  process->oom_score_adj = negative ? -static_cast<int>(value) : static_cast<int>(value);
  return {};
}

Result<void> show_timer_slack(Writer& out, const Numbers& numbers) {
  auto t = TRY(target_of(numbers));
  TRY(may_set_slack(*t.thread));
  format(out, "{}\n", t.thread->timer_slack_ns);
  return {};
}

Result<void> store_timer_slack(StringView text, const Numbers& numbers) {
  auto t = TRY(target_of(numbers));
  const u64 value = TRY(number_in(text));
  TRY(may_set_slack(*t.thread));
  t.thread->timer_slack_ns = value == 0 ? t.thread->default_timer_slack_ns : value;
  return {};
}

Result<void> show_last_pid(Writer& out, const Numbers&) {
  format(out, "{}\n", pids::last());
  return {};
}

Result<void> store_last_pid(StringView text, const Numbers&) {
  constexpr unsigned kSysAdmin = 21, kCheckpointRestore = 40;
  const Credentials& c = Process::current().credentials;
  if (!c.capable(kSysAdmin) && !c.capable(kCheckpointRestore)) return Errno::NotPermitted;
  const u64 value = TRY(number_in(text));
  if (value >= pids::kLimit) return Errno::Invalid;
  pids::set_last(static_cast<u32>(value));
  return {};
}

Result<void> show_personality(Writer& out, const Numbers& numbers) {
  format(out, "{:08x}\n", TRY(process_of(numbers))->personality);
  return {};
}

Result<void> show_schedstat(Writer& out, const Numbers& numbers) {
  auto t = TRY(target_of(numbers));
  const time::CpuTime used = time::cpu_time(*t.thread);
  format(out, "{} 0 {}\n", used.user_ns + used.system_ns,
         t.thread->voluntary_switches + t.thread->involuntary_switches);
  return {};
}

}  // namespace uni::fs::procfs

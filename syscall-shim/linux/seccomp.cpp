// SPDX-License-Identifier: Apache-2.0
// seccomp(2), strict and with filters. A thread's filters are a chain, newest first; chains share their older part, and
// what is in one never changes. Not done: notification of a supervisor (SECCOMP_RET_USER_NOTIF).
#include "syscall-shim/linux/seccomp.hpp"

#include "kernel/base/classic_bpf.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/trace.hpp"
#include "syscall-shim/abi/signal.hpp"
#include "syscall-shim/entry/trace.hpp"
#include "syscall-shim/linux/core_dump.hpp"
#include "syscall-shim/linux/process.hpp"
#include "syscall-shim/linux/ptrace.hpp"

namespace uni::shim {

namespace {

constexpr u8 kModeStrict = 1, kModeFilter = 2;
constexpr u32 kArchX86_64 = 0xc000003e;
constexpr u32 kMostInstructionsOfPath = 32768;
constexpr u32 kMostErrno = 4095;
constexpr unsigned kCapSysAdmin = 21;

enum Action : u32 {
  kKillProcess = 0x80000000,
  kKillThread = 0x00000000,
  kTrap = 0x00030000,
  kErrno = 0x00050000,
  kUserNotif = 0x7fc00000,
  kTrace = 0x7ff00000,
  kLog = 0x7ffc0000,
  kAllow = 0x7fff0000,
  kActionMask = 0xffff0000,
};

enum Operation : u32 { kSetModeStrict, kSetModeFilter, kGetActionAvail, kGetNotifSizes };
enum FilterFlag : u64 { kSync = 1, kFlagLog = 2, kSpecAllow = 4, kNewListener = 8, kSyncNoProcess = 16 };

// struct sock_fprog.
struct Program {
  u16 length;
  u16 pad[3];
  u64 instructions;
};
static_assert(sizeof(Program) == 16);

// struct seccomp_data.
struct Data {
  i32 number;
  u32 arch;
  u64 instruction_pointer;
  u64 arguments[6];
};
static_assert(sizeof(Data) == 64);

class DataSource final : public bpf::Source {
 public:
  explicit DataSource(const Data& data) : data_(data) {}
  bool load(u32 offset, u32 size, u32* value) override {
    if (size != sizeof *value || offset > sizeof data_ - size) return false;
    __builtin_memcpy(value, reinterpret_cast<const u8*>(&data_) + offset, sizeof *value);
    return true;
  }
  u32 length() const override { return sizeof data_; }

 private:
  const Data& data_;
};

class Filter final : public RefCounted {
 public:
  static Result<RefPtr<Filter>> create(UserAddr from, RefPtr<Filter> older) {
    const Program given = TRY(UserPtr<Program>(from).read());
    if (given.length == 0 || given.length > bpf::kMostInstructions) return Errno::Invalid;
    RefPtr<Filter> filter = TRY(make_ref<Filter>());
    TRY(filter->program_.resize(given.length));
    TRY(copy_from_user(filter->program_.data(), UserAddr{given.instructions}, given.length * sizeof(bpf::Instruction)));
    const Span<const bpf::Instruction> program(filter->program_.data(), filter->program_.size());
    TRY(bpf::check(program));
    TRY(bpf::check_words_only(program, sizeof(Data)));
    constexpr u32 kPenalty = 4;  // each filter counts for a few instructions more, as on Linux
    filter->path_length_ = given.length + (older ? older->path_length_ + kPenalty : 0);
    if (filter->path_length_ > kMostInstructionsOfPath) return Errno::NoMemory;
    filter->depth_ = older ? older->depth_ + 1 : 1;
    filter->older_ = uni::move(older);
    return filter;
  }
  // Not by recursion: a chain may be long.
  ~Filter() override {
    RefPtr<Filter> next = uni::move(older_);
    while (next && next->ref_count() == 1)
      next = RefPtr<Filter>(uni::move(next->older_));
  }
  u32 run(const Data& data) const {
    DataSource source(data);
    return bpf::run({program_.data(), program_.size()}, source);
  }
  const Filter* older() const { return older_.get(); }
  u32 depth() const { return depth_; }
  Span<const bpf::Instruction> program() const { return {program_.data(), program_.size()}; }
  bool logs() const { return logs_; }
  void set_logs() { logs_ = true; }
  bool descends_from(const Filter* ancestor) const {
    const Filter* at = this;
    while (at != nullptr && at != ancestor)
      at = at->older();
    return at == ancestor;
  }

 private:
  Vector<bpf::Instruction> program_;
  RefPtr<Filter> older_;
  u32 path_length_ = 0, depth_ = 0;
  bool logs_ = false;  // SECCOMP_FILTER_FLAG_LOG
};

Filter* filter_of(const Thread& thread) {
  return static_cast<Filter*>(thread.seccomp.get());
}

[[noreturn]] void end_process(Thread& thread, int number) {
  signal::Info info;
  info.number = number;
  info.code = abi::kSysSeccomp;
  info.address = thread.frame->rip;
  end_with_core(info);
  exit_thread(number);
}

void send_trap(Thread& thread, const TrapFrame& frame, u64 number, u32 data) {
  signal::Info info;
  info.number = signal::kSys;
  info.code = abi::kSysSeccomp;
  info.error = static_cast<int>(data);
  info.address = frame.rip;
  info.value = (u64{kArchX86_64} << 32) | static_cast<u32>(number);
  signal::force(thread, info);
}

bool allowed_strictly(u64 number) {
  constexpr u64 kRead = 0, kWrite = 1, kSigreturn = 15, kExit = 60;
  return number == kRead || number == kWrite || number == kSigreturn || number == kExit;
}

// Binds the caller, and with kSync the other threads: those whose filters are all in its chain.
Result<i64> install(RefPtr<Filter> filter, u64 flags) {
  Thread& self = Thread::current();
  Process& process = self.process();
  LockGuard guard(process.lock);
  if ((flags & kSync) != 0) {
    for (const Thread& thread : process.threads) {
      if (&thread == &self) continue;
      const u8 mode = thread.seccomp_mode.load(std::memory_order_relaxed);
      const bool fits = mode == 0 || (mode == kModeFilter && filter->descends_from(filter_of(thread)));
      if (!fits)
        return (flags & kSyncNoProcess) != 0 ? Result<i64>(Errno::NoProcess) : Result<i64>(i64{raw(thread.tid())});
    }
  }
  for (Thread& thread : process.threads) {
    if (&thread != &self && (flags & kSync) == 0) continue;
    // What it held before is part of the new chain, so that a thread that is just looking at it is safe.
    thread.seccomp = filter;
    thread.seccomp_filters = filter->depth();
    thread.seccomp_mode.store(kModeFilter, std::memory_order_release);
  }
  __atomic_fetch_or(&entry_checks, kEntryFiltered, __ATOMIC_RELEASE);
  return i64{0};
}

Result<i64> set_filter(u64 flags, UserAddr from) {
  constexpr u64 kKnown = kSync | kFlagLog | kSpecAllow | kSyncNoProcess;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  Thread& self = Thread::current();
  RefPtr<Filter> filter = TRY(Filter::create(from, RefPtr<Filter>(filter_of(self))));
  if ((flags & kFlagLog) != 0) filter->set_logs();
  const Process& process = self.process();
  if (!process.no_new_privileges && !process.credentials.capable(kCapSysAdmin)) return Errno::Access;
  if (self.seccomp_mode.load() == kModeStrict) return Errno::Invalid;
  return install(uni::move(filter), flags);
}

Result<i64> set_strict() {
  Thread& self = Thread::current();
  if (self.seccomp_mode.load() == kModeFilter) return Errno::Invalid;
  self.seccomp_mode.store(kModeStrict);
  __atomic_fetch_or(&entry_checks, kEntryFiltered, __ATOMIC_RELEASE);
  return i64{0};
}

// SECCOMP_RET_TRACE: without a tracer that has asked for it, ENOSYS. What the tracer makes of the call is judged again,
// but asks nobody a second time.
enum class Ask : u8 { kTracer, kNobody };

bool decide(Thread& thread, TrapFrame& frame, u64 number, const u64* regs, i64* result, Ask ask);

bool ask_tracer(Thread& thread, TrapFrame& frame, u32 value, i64* result) {
  if (!trace::wants(thread, trace::kEventSeccomp)) {
    *result = -static_cast<i64>(Errno::NoSys);
    return false;
  }
  trace::event_stop(thread, trace::kEventSeccomp, value);
  const u64 number = call_number(frame);
  *result = static_cast<i64>(frame.rax);
  if (number == kNoCall || thread.must_exit.load()) return false;
  u64 regs[6];
  read_arguments(frame, regs);
  return decide(thread, frame, number, regs, result, Ask::kNobody);
}

}  // namespace

bool may_suspend_filters() {
  const Thread& self = Thread::current();
  return self.process().credentials.capable(kCapSysAdmin) && self.seccomp_mode.load() == 0;
}

namespace {

Result<RefPtr<Filter>> nth_filter(Thread& tracee, u64 index) {
  if (!may_suspend_filters()) return Errno::Access;
  RefPtr<Filter> newest;
  TRY(trace::with_stopped(tracee, [&](trace::Tracee&) -> Result<i64> {
    if (tracee.seccomp_mode.load() == kModeFilter) newest = RefPtr<Filter>(filter_of(tracee));
    return 0;
  }));
  if (!newest) return Errno::Invalid;
  if (index >= newest->depth()) return Errno::NoEntry;
  const Filter* at = newest.get();
  while (at->depth() != index + 1)
    at = at->older();
  return RefPtr<Filter>(const_cast<Filter*>(at));
}

}  // namespace

Result<i64> copy_filter(Thread& tracee, u64 index, UserAddr out) {
  const RefPtr<Filter> filter = TRY(nth_filter(tracee, index));
  const auto program = filter->program();
  if (!is_null(out)) TRY(copy_to_user(out, program.data(), program.size() * sizeof(bpf::Instruction)));
  return static_cast<i64>(program.size());
}

Result<i64> copy_filter_metadata(Thread& tracee, u64 size, UserAddr out) {
  struct Metadata {
    u64 index, flags;
  };
  if (!may_suspend_filters()) return Errno::Access;
  const u64 part = min<u64>(size, sizeof(Metadata));
  if (part < sizeof(u64)) return Errno::Invalid;
  Metadata answer {
    TRY(UserPtr<u64>(out).read())
    , 0
  };
  const RefPtr<Filter> filter = TRY(nth_filter(tracee, answer.index));
  if (filter->logs()) answer.flags |= kFlagLog;
  TRY(copy_to_user(out, &answer, part));
  return static_cast<i64>(part);
}

bool seccomp_allows(Thread& thread, TrapFrame& frame, u64 number, const u64* regs, i64* result) {
  if (trace::has_option(thread, trace::kSuspendSeccomp)) return true;
  return decide(thread, frame, number, regs, result, Ask::kTracer);
}

namespace {

bool decide(Thread& thread, TrapFrame& frame, u64 number, const u64* regs, i64* result, Ask ask) {
  const u8 mode = thread.seccomp_mode.load(std::memory_order_acquire);
  if (mode == 0) return true;
  if (mode == kModeStrict) {
    if (allowed_strictly(number)) return true;
    if (thread.process().thread_count == 1) end_process(thread, signal::kKill);
    exit_thread(signal::kKill);
  }
  Data data{static_cast<i32>(number), kArchX86_64, frame.rip, {}};
  __builtin_memcpy(data.arguments, regs, sizeof data.arguments);
  u32 strictest = kAllow;
  for (const Filter* filter = filter_of(thread); filter != nullptr; filter = filter->older()) {
    const u32 answer = filter->run(data);
    // The lowest as a signed number wins; among equals the newest filter's data.
    if (static_cast<i32>(answer & kActionMask) < static_cast<i32>(strictest & kActionMask)) strictest = answer;
  }
  const u32 value = strictest & ~u32{kActionMask};
  switch (strictest & kActionMask) {
    case kAllow:
      return true;
    case kLog:
      log::info("seccomp: {} calls {}", thread.name, number);
      return true;
    case kErrno:
      *result = -static_cast<i64>(min(value, kMostErrno));
      return false;
    case kTrap:
      // The handler finds the number in rax, and what it leaves there is the result.
      *result = static_cast<i64>(number);
      send_trap(thread, frame, number, value);
      return false;
    case kTrace:
      return ask == Ask::kNobody || ask_tracer(thread, frame, value, result);
    case kUserNotif:
      *result = -static_cast<i64>(Errno::NoSys);
      return false;
    case kKillThread:
      if (thread.process().thread_count > 1) exit_thread(signal::kSys);
      [[fallthrough]];
    default:
      log::error("{} ({}) ended by seccomp: call {} at {:#x}", thread.name, raw(thread.tid()), number, frame.rip);
      end_process(thread, signal::kSys);
  }
}

}  // namespace

Result<i64> get_seccomp() {
  return i64{Thread::current().seccomp_mode.load()};
}

Result<i64> set_seccomp(u64 mode, UserAddr filter) {
  if (mode == kModeStrict) return set_strict();
  if (mode == kModeFilter) return set_filter(0, filter);
  return Errno::Invalid;
}

// seccomp(2).
Result<i64> sys_seccomp(u32 operation, u32 flags, UserAddr argument) {
  switch (operation) {
    case kSetModeStrict:
      if (flags != 0 || !is_null(argument)) return Errno::Invalid;
      return set_strict();
    case kSetModeFilter:
      return set_filter(flags, argument);
    case kGetActionAvail: {
      if (flags != 0) return Errno::Invalid;
      switch (TRY(UserPtr<u32>(argument).read())) {
        case kKillProcess:
        case kKillThread:
        case kTrap:
        case kErrno:
        case kTrace:
        case kLog:
        case kAllow:
          return 0;
        default:
          return Errno::NotSupported;
      }
    }
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// ptrace(2): one function a group of requests. A request looks at a tracee under process_tree_lock(), where it is
// stopped for the caller; what touches the caller's memory is copied before or behind that. Not done:
// PTRACE_SINGLEBLOCK (EIO), PTRACE_SECCOMP_GET_FILTER and _GET_METADATA (EINVAL, as a Linux without checkpointing).
#include "syscall-shim/linux/ptrace.hpp"
#include "syscall-shim/linux/seccomp.hpp"

#include "kernel/mm/address_space.hpp"
#include "syscall-shim/abi/ptrace.hpp"
#include "syscall-shim/abi/signal.hpp"
#include "syscall-shim/entry/trace.hpp"
#include "syscall-shim/linux/signal.hpp"

namespace uni::shim {
namespace {

using trace::Tracee;

// --- memory ---

Result<RefPtr<mm::AddressSpace>> space_of(Thread& target) {
  {
    LockGuard guard(process_tree_lock());
    (void)TRY(trace::stopped_locked(target, false));
  }
  Process& process = target.process();
  LockGuard guard(process.lock);
  if (!process.space) return Errno::Io;
  return RefPtr<mm::AddressSpace>(process.space);
}

Result<i64> peek_data(Thread& target, u64 address, u64 out) {
  u64 word = 0;
  const auto space = TRY(space_of(target));
  if (space->access(address, &word, sizeof word, mm::AddressSpace::Remote::kForceRead) != sizeof word) return Errno::Io;
  TRY(UserPtr<u64>(out).write(word));
  return 0;
}

Result<i64> poke_data(Thread& target, u64 address, u64 word) {
  const auto space = TRY(space_of(target));
  if (space->access(address, &word, sizeof word, mm::AddressSpace::Remote::kForceWrite) != sizeof word)
    return Errno::Io;
  return 0;
}

// --- registers ---

Result<i64> peek_user_word(Thread& target, u64 offset, u64 out) {
  u64 word = 0;
  const auto looked = trace::with_stopped(target, [&](const Tracee& t) -> Result<i64> {
    word = TRY(peek_user(t, offset));
    return 0;
  });
  if (!looked.ok()) return looked.error();
  TRY(UserPtr<u64>(out).write(word));
  return 0;
}

Result<i64> poke_user_word(Thread& target, u64 offset, u64 word) {
  return trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    TRY(poke_user(t, offset, word));
    return 0;
  });
}

Result<i64> get_set(Thread& target, u32 type, UserAddr to, usize* size) {
  const usize whole = register_set_size(type);
  Vector<u8> copy;
  TRY(copy.resize(whole));
  TRY(trace::with_stopped(target, [&](const Tracee& t) -> Result<i64> {
    read_register_set(t, type, copy.data());
    return 0;
  }));
  *size = min(*size, whole);
  TRY(copy_to_user(to, copy.data(), *size));
  return 0;
}

Result<i64> put_set(Thread& target, u32 type, UserAddr from, usize* size) {
  *size = min(*size, register_set_size(type));
  Vector<u8> copy;
  TRY(copy.resize(*size));
  TRY(copy_from_user(copy.data(), from, *size));
  return trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    TRY(write_register_set(t, type, copy.data(), *size));
    return 0;
  });
}

// PTRACE_GETREGSET and PTRACE_SETREGSET: a struct iovec, whose length becomes the bytes copied.
Result<i64> register_set(Thread& target, u64 type, u64 vector, bool write) {
  {
    LockGuard guard(process_tree_lock());
    (void)TRY(trace::stopped_locked(target, false));
  }
  const UserPtr<IoSegment> pointer(vector);
  IoSegment io = TRY(pointer.read());
  if (type != kSetStatus && type != kSetFloat && type != kSetExtended) return Errno::Invalid;
  const auto kind = static_cast<u32>(type);
  if (register_set_size(kind) == 0) return Errno::NoDevice;
  if (io.length % 8 != 0) return Errno::Invalid;
  usize size = io.length;
  if (write)
    TRY(put_set(target, kind, UserAddr{io.base}, &size));
  else
    TRY(get_set(target, kind, UserAddr{io.base}, &size));
  io.length = size;
  TRY(pointer.write(io));
  return 0;
}

Result<i64> whole_set(Thread& target, u32 type, u64 address, bool write) {
  usize size = register_set_size(type);
  return write ? put_set(target, type, UserAddr{address}, &size) : get_set(target, type, UserAddr{address}, &size);
}

// PTRACE_ARCH_PRCTL: arch_prctl(2) on the tracee.
Result<i64> arch_prctl(Thread& target, u64 address, u64 code) {
  constexpr u64 kSetGs = 0x1001, kSetFs = 0x1002, kGetFs = 0x1003, kGetGs = 0x1004;
  u64 value = 0;
  TRY(trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    if (code == kGetFs || code == kGetGs) {
      value = code == kGetFs ? t.bases.fs : t.bases.gs;
      return 0;
    }
    if (code != kSetFs && code != kSetGs) return Errno::Invalid;
    if (address >= kUserEnd) return Errno::NotPermitted;
    (code == kSetFs ? t.bases.fs : t.bases.gs) = address;
    t.bases_changed = true;
    return 0;
  }));
  if (code == kGetFs || code == kGetGs) TRY(UserPtr<u64>(address).write(value));
  return 0;
}

// --- signals ---

Result<i64> get_info(Thread& target, u64 out) {
  abi::SigInfo info;
  TRY(trace::with_stopped(target, [&](const Tracee& t) -> Result<i64> {
    if (!t.has_info) return Errno::Invalid;
    info = to_abi(t.info);
    return 0;
  }));
  TRY(UserPtr<abi::SigInfo>(out).write(info));
  return 0;
}

Result<i64> set_info(Thread& target, u64 from) {
  const signal::Info info = from_abi(TRY(UserPtr<abi::SigInfo>(from).read()));
  return trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    if (!t.has_info) return Errno::Invalid;
    t.info = info;
    return 0;
  });
}

Result<i64> peek_infos(Thread& target, u64 arguments, u64 out) {
  constexpr u32 kShared = 1;
  const abi::PeekSigInfo wanted = TRY(UserPtr<abi::PeekSigInfo>(arguments).read());
  if ((wanted.flags & ~kShared) != 0 || wanted.count < 0) return Errno::Invalid;
  i64 done = 0;
  for (; done < wanted.count; ++done) {
    signal::Info info;
    if (!signal::peek(target, (wanted.flags & kShared) != 0, wanted.offset + static_cast<u64>(done), &info)) break;
    const auto written = (UserPtr<abi::SigInfo>(out) + static_cast<usize>(done)).write(to_abi(info));
    if (!written.ok()) return done > 0 ? Result<i64>(done) : Result<i64>(written.error());
  }
  return done;
}

Result<i64> signal_mask(Thread& target, u64 size, u64 address, bool write) {
  if (size != sizeof(signal::Set)) return Errno::Invalid;
  signal::Set mask = 0;
  if (write) mask = TRY(UserPtr<u64>(address).read());
  TRY(trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    // What a call has replaced for its time is the thread's real mask (ptrace(2), PTRACE_GETSIGMASK).
    if (write) {
      t.thread.restore_saved_blocked = false;
      signal::set_blocked(t.thread, mask);
    } else {
      mask = t.thread.restore_saved_blocked ? t.thread.saved_blocked : t.thread.blocked;
    }
    return 0;
  }));
  if (!write) TRY(UserPtr<u64>(address).write(mask));
  return 0;
}

// --- what else is to be known ---

Result<i64> event_message(Thread& target, u64 out) {
  u64 message = 0;
  TRY(trace::with_stopped(target, [&](const Tracee& t) -> Result<i64> {
    message = t.message;
    return 0;
  }));
  TRY(UserPtr<u64>(out).write(message));
  return 0;
}

Result<i64> call_info(Thread& target, u64 size, u64 out) {
  constexpr int kCallStop = signal::kTrap | 0x80, kSeccompStop = signal::kTrap | trace::kEventSeccomp << 8;
  abi::CallInfo info{};
  i64 whole = __builtin_offsetof(abi::CallInfo, entry);
  TRY(trace::with_stopped(target, [&](const Tracee& t) -> Result<i64> {
    const TrapFrame& frame = *t.thread.frame;
    info.arch = abi::kAuditArchX86_64;
    info.instruction_pointer = frame.rip;
    info.stack_pointer = frame.rsp;
    const int code = t.has_info ? t.info.code : 0;
    const bool seccomp = code == kSeccompStop;
    if (code == kCallStop && t.message == 2) {
      info.operation = abi::kCallExit;
      info.exit.value = static_cast<i64>(frame.rax);
      info.exit.is_error = frame.rax > static_cast<u64>(-4096) ? 1 : 0;
      whole = __builtin_offsetof(abi::CallInfo, exit.is_error) + 1;
    } else if (seccomp || (code == kCallStop && t.message == 1)) {
      info.operation = seccomp ? abi::kCallSeccomp : abi::kCallEntry;
      info.entry.number = frame.orig_rax;
      read_arguments(frame, info.entry.arguments);
      if (seccomp) info.entry.seccomp_data = static_cast<u32>(t.message);
      whole = seccomp ? __builtin_offsetof(abi::CallInfo, entry.seccomp_data) + 4
                      : __builtin_offsetof(abi::CallInfo, entry.seccomp_data);
    }
    return 0;
  }));
  TRY(copy_to_user(UserAddr{out}, &info, min<u64>(size, static_cast<u64>(whole))));
  return whole;
}

Result<i64> rseq_configuration(Thread& target, u64 size, u64 out) {
  abi::RseqConfiguration c{};
  TRY(trace::with_stopped(target, [&](const Tracee& t) -> Result<i64> {
    c = {t.thread.rseq_address, t.thread.rseq_length, t.thread.rseq_signature, 0, 0};
    return 0;
  }));
  TRY(copy_to_user(UserAddr{out}, &c, min<u64>(size, sizeof c)));
  return i64{sizeof c};
}

// --- going on ---

Result<i64> go_on(Thread& target, trace::Resume how, bool step, u64 number) {
  if (number > signal::kCount) return Errno::Io;
  return trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    trace::resume(t, how, step, static_cast<int>(number));
    return 0;
  });
}

Result<i64> set_options(Thread& target, u64 options) {
  return trace::with_stopped(target, [&](Tracee& t) -> Result<i64> {
    if ((options & ~u64{trace::kKnownOptions}) != 0) return Errno::Invalid;
    if ((options & trace::kSuspendSeccomp) != 0 && !may_suspend_filters()) return Errno::NotPermitted;
    t.options = static_cast<u32>(options);
    return 0;
  });
}

void note_tracing() {
  __atomic_fetch_or(&entry_checks, kEntryTracees, __ATOMIC_RELEASE);
}

Result<i64> begin(Thread& target, bool seize, u64 address, u64 options) {
  if (seize && (address != 0 || (options & ~u64{trace::kKnownOptions}) != 0)) return Errno::Io;
  if (seize && (options & trace::kSuspendSeccomp) != 0 && !may_suspend_filters()) return Errno::NotPermitted;
  note_tracing();
  TRY(trace::attach(target, seize, seize ? static_cast<u32>(options) : 0));
  return 0;
}

Result<i64> kill_tracee(Thread& target) {
  {
    LockGuard guard(process_tree_lock());
    const Tracee* t = trace::of(target);
    if (t == nullptr || t->tracer.load() != &Thread::current()) return Errno::NoProcess;
  }
  signal::Info info;
  info.number = signal::kKill;
  (void)signal::send(target, info).ok();
  return 0;
}

Result<i64> end(Thread& target, u64 number) {
  if (number > signal::kCount) return Errno::Io;
  TRY(trace::detach(target, static_cast<int>(number)));
  return 0;
}

Result<i64> on_stopped(Thread& target, i64 request, u64 address, u64 data) {
  using namespace abi;
  switch (request) {
    case kPtracePeekText:
    case kPtracePeekData:
      return peek_data(target, address, data);
    case kPtracePokeText:
    case kPtracePokeData:
      return poke_data(target, address, data);
    case kPtracePeekUser:
      return peek_user_word(target, address, data);
    case kPtracePokeUser:
      return poke_user_word(target, address, data);
    case kPtraceGetRegs:
      return whole_set(target, kSetStatus, data, false);
    case kPtraceSetRegs:
      return whole_set(target, kSetStatus, data, true);
    case kPtraceGetFpRegs:
      return whole_set(target, kSetFloat, data, false);
    case kPtraceSetFpRegs:
      return whole_set(target, kSetFloat, data, true);
    case kPtraceGetRegSet:
      return register_set(target, address, data, false);
    case kPtraceSetRegSet:
      return register_set(target, address, data, true);
    case kPtraceArchPrctl:
      return arch_prctl(target, address, data);
    case kPtraceGetSigInfo:
      return get_info(target, data);
    case kPtraceSetSigInfo:
      return set_info(target, data);
    case kPtracePeekSigInfo:
      return peek_infos(target, address, data);
    case kPtraceGetSigMask:
      return signal_mask(target, address, data, false);
    case kPtraceSetSigMask:
      return signal_mask(target, address, data, true);
    case kPtraceGetEventMsg:
      return event_message(target, data);
    case kPtraceGetSyscallInfo:
      return call_info(target, address, data);
    case kPtraceGetRseqConfiguration:
      return rseq_configuration(target, address, data);
    case kPtraceOldSetOptions:
    case kPtraceSetOptions:
      return set_options(target, data);
    case kPtraceSeccompGetFilter:
      return copy_filter(target, address, UserAddr{data});
    case kPtraceSeccompGetMetadata:
      return copy_filter_metadata(target, address, UserAddr{data});
    case kPtraceCont:
      return go_on(target, trace::Resume::kRun, false, data);
    case kPtraceSyscall:
      return go_on(target, trace::Resume::kToCall, false, data);
    case kPtraceSingleStep:
      return go_on(target, trace::Resume::kRun, true, data);
    case kPtraceSysEmu:
      return go_on(target, trace::Resume::kEmulate, false, data);
    case kPtraceSysEmuSingleStep:
      return go_on(target, trace::Resume::kEmulate, true, data);
    case kPtraceListen:
      TRY(trace::listen(target));
      return 0;
    case kPtraceDetach:
      return end(target, data);
    default:
      return Errno::Io;
  }
}

}  // namespace

// ptrace(2).
Result<i64> sys_ptrace(i64 request, i32 tid, u64 address, u64 data) {
  if (request == abi::kPtraceTraceMe) {
    note_tracing();
    TRY(trace::trace_me());
    return 0;
  }
  RefPtr<Thread> target = tid <= 0 ? RefPtr<Thread>() : Process::find_thread(Tid{static_cast<u32>(tid)});
  if (!target || target->is_kernel()) return Errno::NoProcess;
  switch (request) {
    case abi::kPtraceAttach:
      return begin(*target, false, address, data);
    case abi::kPtraceSeize:
      return begin(*target, true, address, data);
    case abi::kPtraceInterrupt:
      TRY(trace::interrupt(*target));
      return 0;
    case abi::kPtraceKill:
      return kill_tracee(*target);
    default:
      break;
  }
  {
    LockGuard guard(process_tree_lock());
    (void)TRY(trace::stopped_locked(*target, false));
  }
  return on_stopped(*target, request, address, data);
}

}  // namespace uni::shim

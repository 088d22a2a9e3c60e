// SPDX-License-Identifier: Apache-2.0
// rseq(2), restartable sequences: the kernel keeps the processor's number in the program's memory, and sends a thread
// that was preempted, moved or interrupted by a signal inside a critical section to that section's abort address.
// Brought up to date on the way to user mode whenever the thread has been off its processor. A program that hands in
// unusable addresses gets SIGSEGV, as from Linux.
#include "kernel/arch/trap_frame.hpp"
#include "kernel/sched/exit_path.hpp"
#include "kernel/sched/thread.hpp"
#include "syscall-shim/linux/thread.hpp"

namespace uni::shim {
namespace {

struct RseqArea {  // struct rseq, its original 32 bytes
  u32 cpu_id_start, cpu_id;
  u64 critical_section;
  u32 flags, node_id, mm_cid, padding;
};
static_assert(sizeof(RseqArea) == 32);
struct CriticalSection {  // struct rseq_cs
  u32 version, flags;
  u64 start, post_commit_offset, abort;
};
constexpr u32 kUninitialized = ~0u;

Result<void> leave_critical_section(Thread& t, TrapFrame& frame) {
  const UserPtr<u64> pointer(t.rseq_address + 8);
  const u64 at = TRY(pointer.read());
  if (at == 0) return {};
  if (!user_range_ok(UserAddr{at}, sizeof(CriticalSection))) return Errno::Fault;
  const CriticalSection cs = TRY(UserPtr<CriticalSection>(at).read());
  if (cs.version != 0 || cs.abort >= kUserEnd || cs.start >= kUserEnd || cs.start + cs.post_commit_offset < cs.start)
    return Errno::Invalid;
  const bool inside = frame.rip - cs.start < cs.post_commit_offset;
  if (cs.abort - cs.start < cs.post_commit_offset) return Errno::Invalid;
  if (inside && TRY(UserPtr<u32>(cs.abort - 4).read()) != t.rseq_signature) return Errno::Invalid;
  TRY(pointer.write(0));
  if (inside) frame.rip = cs.abort;
  return {};
}

Result<void> update(Thread& t, TrapFrame& frame) {
  TRY(leave_critical_section(t, frame));
  const u32 cpu = sched::current_cpu();
  const u32 numbers[2] = {cpu, cpu};
  return copy_to_user(UserAddr{t.rseq_address}, numbers, sizeof numbers);
}

}  // namespace

Result<i64> sys_rseq(u64 address, u32 length, i32 flags, u32 signature) {
  Thread& t = Thread::current();
  if ((flags & 1) != 0) {  // RSEQ_FLAG_UNREGISTER
    if ((flags & ~1) != 0) return Errno::Invalid;
    if (t.rseq_address == 0 || t.rseq_address != address || t.rseq_length != length) return Errno::Invalid;
    if (t.rseq_signature != signature) return Errno::NotPermitted;
    const u32 numbers[2] = {0, kUninitialized};
    TRY(copy_to_user(UserAddr{address}, numbers, sizeof numbers));
    t.rseq_address = 0;
    t.rseq_length = t.rseq_signature = 0;
    return 0;
  }
  if (flags != 0) return Errno::Invalid;
  if (t.rseq_address != 0) {
    if (t.rseq_address != address || t.rseq_length != length) return Errno::Invalid;
    if (t.rseq_signature != signature) return Errno::NotPermitted;
    return Errno::Busy;
  }
  if (length != sizeof(RseqArea) || (address & 31) != 0) return Errno::Invalid;
  if (!user_range_ok(UserAddr{address}, length)) return Errno::Fault;
  t.rseq_address = address;
  t.rseq_length = length;
  t.rseq_signature = signature;
  t.rseq_stale = true;
  return 0;
}

}  // namespace uni::shim

namespace uni {

extern "C" void rseq_before_user(TrapFrame* frame) {
  Thread& t = Thread::current();
  t.rseq_stale = false;
  if (shim::update(t, *frame).ok()) return;
  signal::Info info{};
  info.number = signal::kSegv;
  info.code = 0x80;  // SI_KERNEL
  signal::force(t, info);
}

}  // namespace uni

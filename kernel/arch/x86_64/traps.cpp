// SPDX-License-Identifier: Apache-2.0
// Exceptions and interrupts in C++. A fault in user mode becomes a signal; a fault of the kernel on user memory goes on
// at its fixup; any other fault of the kernel is a panic.
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/fpu_switch.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/arch/x86_64/tlb.hpp"
#include "kernel/boot/panic.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/exit_path.hpp"
#include "kernel/sched/out_of_memory.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/time/timer_queue.hpp"

extern "C" {
struct Fixup {
  uni::i32 from, to;
};
extern const Fixup fixups_start[], fixups_end[];
}

// Instructions of halt_until_interrupt (trap.S).
extern "C" const char halt_instruction[], halt_end[];

namespace uni::arch {
namespace {

int simd_fault_code();

bool apply_fixup(TrapFrame& frame) {
  for (const Fixup* f = fixups_start; f < fixups_end; ++f) {
    const u64 from = reinterpret_cast<u64>(&f->from) + static_cast<u64>(i64{f->from});
    if (from != frame.rip) continue;
    frame.rip = reinterpret_cast<u64>(&f->to) + static_cast<u64>(i64{f->to});
    return true;
  }
  return false;
}

bool has_fixup(u64 rip) {
  for (const Fixup* f = fixups_start; f < fixups_end; ++f) {
    if (reinterpret_cast<u64>(&f->from) + static_cast<u64>(i64{f->from}) == rip) return true;
  }
  return false;
}

const char* exception_name(u32 vector) {
  constexpr const char* kNames[] = {"divide error",
                                    "debug",
                                    "NMI",
                                    "breakpoint",
                                    "overflow",
                                    "bound",
                                    "invalid opcode",
                                    "device not available",
                                    "double fault",
                                    "coprocessor overrun",
                                    "invalid TSS",
                                    "segment not present",
                                    "stack fault",
                                    "general protection fault",
                                    "page fault",
                                    "reserved",
                                    "x87 error",
                                    "alignment check",
                                    "machine check",
                                    "SIMD error"};
  return vector < sizeof kNames / sizeof kNames[0] ? kNames[vector] : "exception";
}

void send_fault(int number, int code, u64 address) {
  signal::Info info{};
  info.number = number;
  info.code = code;
  info.address = address;
  signal::force(Thread::current(), info);
}

void page_fault(TrapFrame& frame, u64 error) {
  const u64 address = read_cr2();
  const bool user = (frame.cs & 3) != 0;
  // The kernel may fault on the program's memory only inside the copy routines.
  if (!user && (address >= kUserEnd || !has_fixup(frame.rip))) {
    boot::panic_trap("page fault", frame, error, address);
  }
  const mm::FaultKind kind = (error & 16) != 0  ? mm::FaultKind::kExecute
                             : (error & 2) != 0 ? mm::FaultKind::kWrite
                                                : mm::FaultKind::kRead;
  Thread& thread = Thread::current();
  mm::FaultOutcome outcome = mm::FaultOutcome::kNoMapping;
  if (!thread.is_kernel() && address < kUserEnd) outcome = thread.process().space->handle_fault(address, kind);
  if (outcome == mm::FaultOutcome::kDone) return;
  if (outcome == mm::FaultOutcome::kNoMemory && sched::make_room()) return;  // the access faults again
  if (!user) {
    apply_fixup(frame);
    return;
  }
  thread.trap_error = error;
  thread.trap_number = 14;
  thread.fault_address = address;
  switch (outcome) {
    case mm::FaultOutcome::kNoMapping:
      return send_fault(signal::kSegv, 1, address);  // SEGV_MAPERR
    case mm::FaultOutcome::kProtection:
      return send_fault(signal::kSegv, 2, address);  // SEGV_ACCERR
    case mm::FaultOutcome::kBeyondEnd:
      return send_fault(signal::kBus, 2, address);  // BUS_ADRERR
    case mm::FaultOutcome::kNoMemory:
      mm::report_out_of_memory();
      return send_fault(signal::kKill, 0x80, 0);
    case mm::FaultOutcome::kDone:
      return;
  }
}

// SDM volume 3, 17.2.3: DR6 says why; the processor never clears it.
void debug_trap(TrapFrame& frame, Thread& thread) {
  constexpr u64 kStep = 1 << 14, kSlots = 15, kIdle = 0xffff0ff0, kResume = 0x10000;
  constexpr int kTrapBreakpoint = 1, kTrapTrace = 2, kTrapHardware = 4;
  u64 why;
  asm volatile("mov %%dr6, %0" : "=r"(why));
  asm volatile("mov %0, %%dr6" ::"r"(kIdle));
  if (thread.debug) thread.debug->status = why & (kStep | kSlots);
  if ((why & kStep) != 0) set_single_step(frame, false);
  // A breakpoint on execution comes before its instruction, which must then run.
  if (thread.debug_armed && (why & kSlots) != 0) frame.rflags |= kResume;
  const int code = (why & kStep) != 0 ? kTrapTrace : (why & kSlots) != 0 ? kTrapHardware : kTrapBreakpoint;
  send_fault(signal::kTrap, code, frame.rip);
}

void exception(TrapFrame& frame, u32 vector, u64 error) {
  if (vector == 14) return page_fault(frame, error);
  if ((frame.cs & 3) == 0) {
    if (apply_fixup(frame)) return;
    boot::panic_trap(exception_name(vector), frame, error, 0);
  }
  Thread& thread = Thread::current();
  thread.trap_error = error;
  thread.trap_number = vector;
  switch (vector) {
    case 0:
      return send_fault(signal::kFpe, 1, frame.rip);  // FPE_INTDIV
    case 1:
      return debug_trap(frame, thread);
    case 3:
      return send_fault(signal::kTrap, 0x80, 0);
    case 4:
    case 5:
      return send_fault(signal::kSegv, 0x80, 0);
    case 6:
      return send_fault(signal::kIll, 2, frame.rip);  // ILL_ILLOPN
    case 16:
    case 19:
      return send_fault(signal::kFpe, vector == 16 ? 0 : simd_fault_code(), frame.rip);
    case 17:
      return send_fault(signal::kBus, 1, 0);  // BUS_ADRALN
    default:
      return send_fault(signal::kSegv, 0x80, 0);  // SI_KERNEL: #GP, #SS and the like
  }
}

void interrupt(u32 vector) {
  Cpu& cpu = this_cpu();
  ++cpu.interrupts;
  cpu.in_interrupt = true;
  if (vector == kTimerVector) {
    end_of_interrupt();
    time::run_expired_timers();
  } else if (vector == kRescheduleVector) {
    end_of_interrupt();  // the flag that came with it is looked at on the way out
  } else if (vector == kShootdownVector) {
    end_of_interrupt();
    answer_shootdown();
  } else if (vector != kSpuriousVector) {
    end_of_interrupt();
    dispatch_device(static_cast<u8>(vector));
  }
  cpu.in_interrupt = false;
}

int simd_fault_code() {
  u32 mxcsr;
  asm volatile("stmxcsr %0" : "=m"(mxcsr));
  const u32 raised = mxcsr & ~(mxcsr >> 7) & 0x3f;
  if ((raised & 1) != 0) return 7;     // FPE_FLTINV
  if ((raised & 4) != 0) return 3;     // FPE_FLTDIV
  if ((raised & 8) != 0) return 4;     // FPE_FLTOVF
  if ((raised & 0x12) != 0) return 5;  // FPE_FLTUND
  if ((raised & 0x20) != 0) return 6;  // FPE_FLTRES
  return 0;
}

}  // namespace

extern "C" void trap_main(TrapFrame* frame, u32 vector, u64 error) {
  const bool user = (frame->cs & 3) != 0;
  if (user) Thread::current().frame = frame;
  const bool from_outside = vector >= 32;
  if (from_outside) {
    this_cpu().interrupted_at = user ? frame->rip : 0;
    interrupt(vector);
  } else {
    exception(*frame, vector, error);
  }
  if (!user) {
    if (frame->rip == reinterpret_cast<u64>(halt_instruction)) frame->rip = reinterpret_cast<u64>(halt_end);
    return;
  }
  sched::before_user(*frame);
  if (from_outside) this_cpu().resumed_at = 0;
}

extern "C" void fatal_trap_main(TrapFrame* frame, u32 vector, u64 error) {
  if (vector == 2 && boot::panicking()) {
    while (true)
      asm volatile("cli; hlt");
  }
  if (vector == 2) return;  // a stray NMI: common_fatal halts; nothing sends them but a panic
  boot::panic_trap(exception_name(vector), *frame, error, read_cr2());
}

}  // namespace uni::arch

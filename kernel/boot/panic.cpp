// SPDX-License-Identifier: Apache-2.0
// The end of the kernel (docs/IMAGE.md): says what happened and where on COM1, and switches the machine off. Uses no
// lock, no memory and no other thread; a panic within the panic ends it at once.
#include "kernel/boot/panic.hpp"

#include <atomic>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/boot/symbols.hpp"
#include "kernel/dev/devices.hpp"
#include "kernel/sched/thread.hpp"

namespace uni {
namespace {

constexpr u32 kNobody = ~0u;
constexpr usize kMostFrames = 32;

std::atomic<u32> owner{kNobody};

template <typename... Args>
void say(StringView pattern, const Args&... args) {
  char buffer[512];
  BufferWriter out(buffer);
  format(out, pattern, args...);
  log::write_raw(out.view());
}

[[noreturn]] void finish() {
  log::write_raw("uni-kernel: panic end");
  dev::power_off();
  arch::reset();
}

// The first processor that comes here reports; the others wait to be stopped.
void begin() {
  u32 nobody = kNobody;
  const u32 me = sched::current_cpu();
  if (owner.compare_exchange_strong(nobody, me)) {
    arch::stop_other_processors();
    return;
  }
  if (nobody == me) finish();
  while (true)
    arch::cpu_relax();
}

void write_place(const char* before, u64 address) {
  char buffer[400];
  BufferWriter out(buffer);
  out.write(before);
  boot::write_symbol(out, address);
  log::write_raw(out.view());
}

void write_backtrace(u64 frame) {
  u64 address = 0;
  for (usize i = 0; i < kMostFrames && frame != 0 && arch::next_frame(&frame, &address); ++i) {
    // A return address is behind its call, which may be the last instruction of a function that does not return.
    if (address != 0) write_place("  from ", address - 1);
  }
}

void write_thread() {
  const u64 thread = reinterpret_cast<u64>(&Thread::current());
  if (thread == 0) return;  // before the first thread
  const Thread& t = *reinterpret_cast<const Thread*>(thread);
  usize size = 0;
  while (size < sizeof t.name && t.name[size] != '\0')
    ++size;
  say("  processor {}, thread {} `{}`", sched::current_cpu(), raw(t.tid()), StringView(t.name, size));
}

}  // namespace

void panic(const char* message, const char* file, int line) {
  begin();
  say("uni-kernel: panic: {} ({}:{})", message, file, line);
  write_thread();
  write_backtrace(arch::current_frame());
  finish();
}

namespace boot {

bool panicking() {
  return owner.load(std::memory_order_relaxed) != kNobody;
}

void panic_trap(const char* what, const TrapFrame& f, u64 error, u64 address) {
  begin();
  say("uni-kernel: panic: {} (error {:#x}, address {:#x})", what, error, address);
  write_thread();
  write_place("  at   ", f.rip);
  say("  rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x}", f.rax, f.rbx, f.rcx, f.rdx);
  say("  rsi {:016x} rdi {:016x} rbp {:016x} rsp {:016x}", f.rsi, f.rdi, f.rbp, f.rsp);
  say("  r8  {:016x} r9  {:016x} r10 {:016x} r11 {:016x}", f.r8, f.r9, f.r10, f.r11);
  say("  r12 {:016x} r13 {:016x} r14 {:016x} r15 {:016x}", f.r12, f.r13, f.r14, f.r15);
  say("  rip {:016x} cs {:x} rflags {:x} ss {:x}", f.rip, f.cs, f.rflags, f.ss);
  if ((f.cs & 3) == 0) write_backtrace(f.rbp);
  finish();
}

}  // namespace boot
}  // namespace uni

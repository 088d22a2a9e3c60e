// SPDX-License-Identifier: Apache-2.0
// Local APIC by MMIO or, where the processor is already in x2APIC mode or offers it under a hypervisor, by MSR. Device
// vectors are given out once and never returned. The boot processor takes all device interrupts.
#include "kernel/arch/x86_64/apic.hpp"

#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/dev/devices.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::arch {
namespace {

constexpr u32 kMsrApicBase = 0x1b, kMsrX2apic = 0x800, kMsrTscDeadline = 0x6e0;
enum Reg : u32 {
  kId = 0x20,
  kEoi = 0xb0,
  kSpurious = 0xf0,
  kIcrLow = 0x300,
  kIcrHigh = 0x310,
  kLvtTimer = 0x320,
  kLvtLint0 = 0x350,
  kLvtLint1 = 0x360,
  kLvtError = 0x370,
  kTimerInitial = 0x380,
  kTimerCurrent = 0x390,
  kTimerDivide = 0x3e0
};

volatile u8* registers = nullptr;
bool x2 = false;
u64 tsc_rate_khz = 0;
u64 timer_rate_khz = 0;
bool deadline_mode = false;

u32 apic_read(Reg reg) {
  if (x2) return static_cast<u32>(rdmsr(kMsrX2apic + (reg >> 4)));
  return *reinterpret_cast<volatile u32*>(registers + reg);
}
void apic_write(Reg reg, u32 value) {
  if (x2)
    wrmsr(kMsrX2apic + (reg >> 4), value);
  else
    *reinterpret_cast<volatile u32*>(registers + reg) = value;
}

void send_command(u32 id, u32 low) {
  if (x2) {
    wrmsr(kMsrX2apic + (kIcrLow >> 4), (u64{id} << 32) | low);
    return;
  }
  apic_write(kIcrHigh, id << 24);
  apic_write(kIcrLow, low);
  while ((apic_read(kIcrLow) & (1u << 12)) != 0)
    asm volatile("pause");
}

struct Handler {
  IrqHandler call;
  void* context;
  Handler* next;
};
struct Line {
  Handler* first;
  u32 gsi;
  bool is_gsi;
};
Line lines[256];
constinit SpinLock lines_lock{Rank::kDevice};
u8 next_vector = kFirstDeviceVector;

struct IoApicState {
  volatile u32* base;
  u32 first, count;
};
IoApicState io_apics[4];
usize io_apic_count = 0;

u32 io_read(const IoApicState& a, u32 reg) {
  a.base[0] = reg;
  return a.base[4];
}
void io_write(const IoApicState& a, u32 reg, u32 value) {
  a.base[0] = reg;
  a.base[4] = value;
}

Result<void> add_handler(Line& line, IrqHandler call, void* context) {
  auto* h = new (std::nothrow) Handler{call, context, line.first};
  if (h == nullptr) return Errno::NoMemory;
  line.first = h;
  return {};
}

}  // namespace

void apic_enable_local() {
  const u64 base = rdmsr(kMsrApicBase);
  if (x2)
    wrmsr(kMsrApicBase, base | (1u << 11) | (1u << 10));
  else
    wrmsr(kMsrApicBase, base | (1u << 11));
  apic_write(kSpurious, 0x100 | kSpuriousVector);
  apic_write(kLvtLint0, 1u << 16);
  apic_write(kLvtLint1, 0x400);  // NMI
  apic_write(kLvtError, 1u << 16);
  apic_write(kTimerDivide, 0xb);  // by 1
  apic_write(kLvtTimer, (deadline_mode ? 2u << 17 : 0u) | kTimerVector);
}

void apic_init() {
  const u64 base = rdmsr(kMsrApicBase);
  x2 = (base & (1u << 10)) != 0 || features.x2apic;
  if (!x2) registers = static_cast<volatile u8*>(mm::map_device(mm::PhysAddr{base & 0xffffff000}, kPageSize));
  deadline_mode = features.tsc_deadline;
  apic_enable_local();
  this_cpu().apic_id = apic_id();
  for (const dev::IoApic& a : dev::acpi_io_apics()) {
    if (io_apic_count == sizeof io_apics / sizeof io_apics[0]) break;
    auto* regs = static_cast<volatile u32*>(mm::map_device(mm::PhysAddr{a.address}, kPageSize));
    if (regs == nullptr) continue;
    IoApicState& s = io_apics[io_apic_count++];
    s = {regs, a.gsi_base, 0};
    s.count = ((io_read(s, 1) >> 16) & 0xff) + 1;
  }
}

u32 apic_id() {
  return x2 ? apic_read(kId) : apic_read(kId) >> 24;
}
void end_of_interrupt() {
  apic_write(kEoi, 0);
}
void send_ipi(u32 id, u8 vector) {
  send_command(id, vector | (1u << 14));
}
void send_init(u32 id) {
  send_command(id, 0x4500);
}
void send_startup(u32 id, u8 page) {
  send_command(id, 0x4600 | page);
}
void send_nmi_others() {
  if (registers != nullptr || x2) send_command(0, 0xc4400);
}

void timer_program(u64 deadline_tsc) {
  if (deadline_mode) {
    wrmsr(kMsrTscDeadline, deadline_tsc == 0 ? 1 : deadline_tsc);
    return;
  }
  const u64 now = read_cycle_counter();
  u64 ticks = 1;
  if (deadline_tsc > now) {
    const u64 delta = deadline_tsc - now;
    // Longer waits than the counter holds end early and are set again.
    ticks = delta > (u64{1} << 40) ? 0xfffffff0 : delta * timer_rate_khz / tsc_rate_khz;
    ticks = min<u64>(max<u64>(ticks, 1), 0xfffffff0);
  }
  apic_write(kTimerInitial, static_cast<u32>(ticks));
}

void timer_stop() {
  if (deadline_mode)
    wrmsr(kMsrTscDeadline, 0);
  else
    apic_write(kTimerInitial, 0);
}

namespace {

// KVM's clock page tells the TSC's rate (Documentation/virt/kvm/x86/msr: MSR_KVM_SYSTEM_TIME_NEW).
u64 tsc_khz_from_kvmclock() {
  const CpuidResult h = cpuid(0x40000000);
  if (h.ebx != 0x4b4d564b || h.ecx != 0x564b4d56) return 0;  // "KVMKVMKVM"
  if ((cpuid(0x40000001).eax & (1u << 3)) == 0) return 0;
  struct PvClock {
    u32 version, pad0;
    u64 tsc_timestamp, system_time;
    u32 mul;
    i8 shift;
    u8 flags, pad[2];
  };
  mm::Page* page = mm::alloc_page(mm::Zero::kYes);
  if (page == nullptr) return 0;
  wrmsr(0x4b564d01, mm::raw(mm::phys_of(*page)) | 1);
  const auto* clock = static_cast<volatile const PvClock*>(mm::address_of(*page));
  const u32 mul = clock->mul;
  const i8 shift = clock->shift;
  wrmsr(0x4b564d01, 0);
  mm::put_page(*page);
  if (mul == 0) return 0;
  // ns = (tsc << shift) * mul >> 32, so kHz = 10^6 * 2^32 / mul, shifted back.
  const u64 khz = (u64{1000000} << 32) / mul;
  return shift < 0 ? khz << -shift : khz >> shift;
}

u64 tsc_khz_from_cpuid() {
  const u32 highest = cpuid(0).eax;
  if (highest >= 0x15) {
    const CpuidResult r = cpuid(0x15);
    if (r.eax != 0 && r.ebx != 0 && r.ecx != 0) return u64{r.ecx} * r.ebx / r.eax / 1000;
  }
  if ((cpuid(1).ecx >> 31) != 0 && cpuid(0x40000000).eax >= 0x40000010) return cpuid(0x40000010).eax;
  return 0;
}

u16 read_pit() {
  out8(0x43, 0x00);  // latch channel 0
  const u8 low = in8(0x40);
  return static_cast<u16>(low | (in8(0x40) << 8));
}

// Counts both clocks over a window of the PIT's channel 0 (8254; 1,193,182 Hz). Channel 2 would need port 0x61, which
// microvm lacks.
void measure_with_pit() {
  constexpr u32 kWindow = 2386;  // 2 ms
  out8(0x43, 0x30);              // channel 0, both bytes, mode 0: counts down once, its interrupt stays masked
  out8(0x40, 0xff);
  out8(0x40, 0xff);
  const u16 pit_start = read_pit();
  const u64 tsc_start = read_cycle_counter();
  apic_write(kTimerInitial, 0xffffffff);
  u32 elapsed = 0;
  for (u32 polls = 0; elapsed < kWindow && polls < 200000; ++polls) {
    for (int i = 0; i < 100; ++i)
      asm volatile("pause");
    elapsed = static_cast<u16>(pit_start - read_pit());
  }
  const u64 tsc = read_cycle_counter() - tsc_start;
  const u64 ticks = 0xffffffffu - apic_read(kTimerCurrent);
  apic_write(kTimerInitial, 0);
  if (elapsed < kWindow) {  // no PIT: a guess keeps the machine going, clocks will be off
    if (tsc_rate_khz == 0) tsc_rate_khz = 1000000;
    timer_rate_khz = 1000000;
    return;
  }
  if (tsc_rate_khz == 0) tsc_rate_khz = tsc * 1193182 / elapsed / 1000;
  timer_rate_khz = ticks * 1193182 / elapsed / 1000;
}

}  // namespace

void calibrate() {
  tsc_rate_khz = tsc_khz_from_cpuid();
  if (tsc_rate_khz == 0) tsc_rate_khz = tsc_khz_from_kvmclock();
  if (deadline_mode && tsc_rate_khz != 0) {
    timer_rate_khz = tsc_rate_khz;
    return;
  }
  if (deadline_mode) apic_write(kLvtTimer, 1u << 16);  // one-shot while measuring
  measure_with_pit();
  if (deadline_mode) apic_write(kLvtTimer, (2u << 17) | kTimerVector);
}

u64 apic_timer_khz() {
  return timer_rate_khz;
}
u64 tsc_khz() {
  return tsc_rate_khz;
}

Result<void> register_gsi(u32 gsi, Trigger trigger, IrqHandler handler, void* context) {
  LockGuard guard(lines_lock);
  for (Line& line : lines) {
    if (line.is_gsi && line.gsi == gsi && line.first != nullptr) return add_handler(line, handler, context);
  }
  for (usize i = 0; i < io_apic_count; ++i) {
    const IoApicState& a = io_apics[i];
    if (gsi < a.first || gsi >= a.first + a.count) continue;
    if (next_vector > kLastDeviceVector) return Errno::NoSpace;
    const u8 vector = next_vector++;
    Line& line = lines[vector];
    line.gsi = gsi;
    line.is_gsi = true;
    TRY(add_handler(line, handler, context));
    const u32 pin = gsi - a.first;
    u32 low = vector;
    if (trigger == Trigger::kLevelLow) low |= (1u << 13) | (1u << 15);
    if (trigger == Trigger::kLevelHigh) low |= 1u << 15;
    io_write(a, 0x11 + 2 * pin, cpu_at(0)->apic_id << 24);
    io_write(a, 0x10 + 2 * pin, low);
    return {};
  }
  return Errno::NoDevice;
}

Result<MsiMessage> register_msi(IrqHandler handler, void* context) {
  LockGuard guard(lines_lock);
  if (next_vector > kLastDeviceVector) return Errno::NoSpace;
  const u8 vector = next_vector;
  TRY(add_handler(lines[vector], handler, context));
  ++next_vector;
  return MsiMessage{0xfee00000 | (u64{cpu_at(0)->apic_id} << 12), vector};
}

void dispatch_device(u8 vector) {
  for (Handler* h = lines[vector].first; h != nullptr; h = h->next)
    h->call(h->context);
}

}  // namespace uni::arch

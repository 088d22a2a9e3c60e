// SPDX-License-Identifier: Apache-2.0
// COM1, a 16550 (or its absence: then the line-status register reads all ones, and writing goes nowhere). Each port
// access is a VM exit, so a line is written in FIFO-sized pieces: one status read and one string instruction each.
#include "kernel/boot/log.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/boot/panic.hpp"
#include "kernel/sync/spinlock.hpp"
#include "kernel/time/clock.hpp"

namespace uni::log {
namespace {

constexpr u16 kData = 0x3f8, kFifoControl = kData + 2, kLineStatus = kData + 5;
constexpr u8 kTransmitterEmpty = 0x20;
constexpr usize kFifoSize = 16;

constinit SpinLock lock{Rank::kLog};
constinit bool show_info = false;
constinit bool fifo_on = false;

void put(StringView text) {
  if (!fifo_on) {
    arch::out8(kFifoControl, 0x07);  // on, and both directions cleared
    fifo_on = true;
  }
  for (usize at = 0; at < text.size(); at += kFifoSize) {
    // A host that does not take the log must not hold the program up for ever.
    for (int tries = 0; (arch::in8(kLineStatus) & kTransmitterEmpty) == 0 && tries < 1'000'000; ++tries)
      arch::cpu_relax();
    const StringView piece = text.slice(at, kFifoSize);
    arch::out8_string(kData, piece.data(), piece.size());
  }
}

// A panic may come while this processor holds the lock; the others have been stopped then.
template <typename F>
void exclusively(F action) {
  if (boot::panicking()) {
    action();
  } else {
    LockGuard guard(lock);
    action();
  }
}

}  // namespace

void set_verbose(bool verbose) {
  show_info = verbose;
}

bool verbose() {
  return show_info;
}

void write_line(Level level, StringView text) {
  static constexpr const char* kNames[] = {"info", "warning", "error"};
  char buffer[576];
  BufferWriter out(buffer, sizeof buffer - 1);
  const u64 us = time::monotonic_ns() / 1000;
  format(out, "[{}.{:06}] {}: {}", us / 1'000'000, us % 1'000'000, kNames[static_cast<u8>(level)], text);
  buffer[out.view().size()] = '\n';
  exclusively([&] { put({buffer, out.view().size() + 1}); });
}

void write_raw(StringView text) {
  exclusively([&] {
    put(text);
    put("\n");
  });
}

}  // namespace uni::log

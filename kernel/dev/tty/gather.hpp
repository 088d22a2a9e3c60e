// SPDX-License-Identifier: Apache-2.0
// What the discipline causes while it works under the terminal's lock: echo goes out at once, signals after the lock.
#pragma once

#include "kernel/dev/tty/tty.hpp"

namespace uni::dev {

class Gather final : public LineDiscipline::Effects {
 public:
  explicit Gather(Tty& tty) : tty_(tty) {}
  // Echo for which there is no room is lost, as on a slow line.
  void echo(Span<const u8> bytes) override { tty_.push(bytes); }
  void signal(LineDiscipline::Signal which) override { signals_ |= 1u << static_cast<u8>(which); }
  void flow(bool stopped) override {
    tty_.tell_packet(stopped ? kPacketStart : kPacketStop, stopped ? kPacketStop : kPacketStart);
  }
  void flushed() override { tty_.tell_packet(0, kPacketFlushRead | kPacketFlushWrite); }
  // Sends what was gathered. Needs: no lock of the terminal.
  void deliver() const;

 private:
  Tty& tty_;
  u32 signals_ = 0;
};

}  // namespace uni::dev

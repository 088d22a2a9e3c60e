// SPDX-License-Identifier: Apache-2.0
// The orderly end: the host gets the program's last bytes, then how it ended, and the machine goes off.
#include <atomic>

#include "kernel/arch/machine.hpp"
#include "kernel/base/format.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/devices.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/fs/lacked_files.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::boot {
namespace {

std::atomic<bool> ending{false};

[[noreturn]] void shut_down(StringView word, int number) {
  // The second of two threads that end the machine waits for the first.
  while (ending.exchange(true))
    sched::sleep_until(time::kNever, Sleep::kUninterruptible);
  dev::drain_ports();
  if (number != 0) fs::tell_lacked_files();
  char buffer[32];
  BufferWriter out(buffer);
  format(out, "{} {}", word, number);
  dev::control_send(out.view());
  dev::drain_ports();
  dev::power_off();
  arch::reset();
}

}  // namespace

void shut_down_exited(int status) {
  shut_down("exit", status & 0xff);
}

void shut_down_killed(int signal) {
  shut_down("killed", signal);
}

}  // namespace uni::boot

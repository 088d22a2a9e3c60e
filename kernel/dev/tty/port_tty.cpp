// SPDX-License-Identifier: Apache-2.0
// Joins a Tty to a console port. Input is worked off at the interrupt, so that ^C arrives while the program computes.
#include "kernel/dev/tty/port_tty.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/console/console.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/dev/tty/tty_file.hpp"
#include "kernel/dev/tty/tty_table.hpp"
#include "kernel/fs/devpts.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::dev {
namespace {

using console::Console;
using console::Port;

class PortTty final : public Tty {
 public:
  PortTty(Port& port, u32 index, WindowSize size) : Tty(index, size), port_(port) {}

  Port& port() { return port_; }
  void on_port_interrupt() {
    auto sink = [](void* self, Span<const u8> bytes) {
      // What has no place any more is lost, as on a serial line.
      (void)static_cast<PortTty*>(self)->receive(bytes);
    };
    port_.take_all(sink, this);
    output_possible();
  }

 protected:
  usize push(Span<const u8> bytes) override { return port_.write_some(bytes); }
  bool has_room() override { return port_.write_ready(); }
  bool gone() override { return port_.host_gone(); }

 private:
  Port& port_;
};

PortTty* terminal = nullptr;

u16 config_number(BootKey key, u16 otherwise) {
  const auto value = parse_decimal(boot::config().get(key));
  return value.ok() && value.value() != 0 && value.value() < 10000 ? static_cast<u16>(value.value()) : otherwise;
}

}  // namespace

Result<RefPtr<fs::File>> open_port_tty(Port& port, u32 open_flags) {
  if (terminal == nullptr) {
    WindowSize size;
    size.rows = config_number(BootKey::rows, size.rows);
    size.columns = config_number(BootKey::cols, size.columns);
    TRY(port.start_transmit(Console::get()->transport()));
    TRY(port.start_receive(Console::get()->transport()));
    const u32 index = TRY(ttys::reserve());
    terminal = TRY(make_ref<PortTty>(port, index, size))
    .leak();
    fs::devpts::appear();
    ttys::show(*terminal);
    Console::get()->set_hook(port, [] { terminal->on_port_interrupt(); });
    terminal->on_port_interrupt();
  }
  if (&terminal->port() != &port) return Errno::NoDevice;
  RefPtr<fs::File> file = TRY(open_tty(*terminal, open_flags));
  if (const auto place = fs::devpts::place_of(*terminal); place.ok()) file->set_dentry(*place.value());
  return file;
}

void set_window_size(u16 rows, u16 columns) {
  if (terminal == nullptr) return;
  WindowSize size;
  size.rows = rows;
  size.columns = columns;
  terminal->resize(size);
}

bool signal_terminal(int number) {
  return terminal != nullptr && terminal->signal_foreground(number);
}

}  // namespace uni::dev

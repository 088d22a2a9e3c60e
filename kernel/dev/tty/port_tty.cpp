// SPDX-License-Identifier: Apache-2.0
// Joins a Tty to a console port. Input is worked off at the interrupt, so that ^C arrives while the program computes.
#include "kernel/dev/tty/port_tty.hpp"

#include "kernel/base/format.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/console/console.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/dev/tty/tty.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::dev {
namespace {

using console::Console;
using console::Port;

constexpr u64 kDevice = 0x8801;  // makedev(136, 1): a terminal of the pts family
constexpr u64 kFileSystem = 0x18;

class PortTty final : public TtyBackend {
 public:
  PortTty(Port& port, WindowSize size) : port_(port), tty_(*this, size) {}

  usize push(Span<const u8> bytes) override { return port_.write_some(bytes); }
  bool has_room() override { return port_.write_ready(); }
  bool gone() override { return port_.host_gone(); }

  Port& port() { return port_; }
  Tty& tty() { return tty_; }
  void on_port_interrupt() {
    auto sink = [](void* self, Span<const u8> bytes) { static_cast<PortTty*>(self)->tty_.receive(bytes); };
    port_.take_all(sink, this);
    tty_.output_possible();
  }

 private:
  Port& port_;
  Tty tty_;
};

PortTty* terminal = nullptr;

class TtyFile final : public fs::File {
 public:
  TtyFile(PortTty& terminal_of, u32 open_flags) : File(fs::FileKind::kDevice, open_flags), tty_(terminal_of.tty()) {}

  Result<usize> read(IoCursor& to, u64) override {
    if (!readable()) return Errno::BadFd;
    return tty_.read(to, must_not_wait(to) ? Tty::Wait::kNo : Tty::Wait::kYes);
  }
  Result<usize> write(IoCursor& from, u64) override {
    if (!writable()) return Errno::BadFd;
    return tty_.write(from, must_not_wait(from) ? Tty::Wait::kNo : Tty::Wait::kYes);
  }
  u32 poll() override { return tty_.poll(); }
  WaitQueue* poll_queue() override { return &tty_.changed(); }
  Result<i64> ioctl(u32 command, u64 argument) override { return tty_.ioctl(command, argument); }
  Result<void> stat(fs::Stat& out) override {
    out.device = kFileSystem;
    out.inode = 3;
    out.mode = fs::mode_type_bits(fs::FileType::kCharacter) | 0620;
    out.special_device = kDevice;
    return {};
  }
  usize describe(Span<char> out) override {
    BufferWriter w(out.data(), out.size());
    w.write("/dev/pts/1");
    return w.view().size();
  }

 private:
  Tty& tty_;
};

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
    auto made = TRY(make_own<PortTty>(port, size));
    TRY(port.start_transmit(Console::get()->transport()));
    TRY(port.start_receive(Console::get()->transport()));
    terminal = made.release();
    Console::get()->set_hook(port, [] { terminal->on_port_interrupt(); });
    terminal->on_port_interrupt();
  }
  if (&terminal->port() != &port) return Errno::NoDevice;
  return RefPtr<fs::File>(TRY(make_ref<TtyFile>(*terminal, open_flags)));
}

void set_window_size(u16 rows, u16 columns) {
  if (terminal == nullptr) return;
  WindowSize size;
  size.rows = rows;
  size.columns = columns;
  terminal->tty().resize(size);
}

void signal_terminal(int number) {
  if (terminal != nullptr) terminal->tty().signal_foreground(number);
}

bool have_terminal() {
  return terminal != nullptr;
}

}  // namespace uni::dev

// SPDX-License-Identifier: Apache-2.0
// Ports as Files: what a program has as its standard streams. They look like pipes to it, because that is what they are
// on the host more often than not.
#include "kernel/boot/log.hpp"
#include "kernel/dev/console/console.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/dev/tty/port_tty.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::dev {
namespace {

using console::Console;
using console::Port;

constexpr u32 kFionRead = 0x541b;  // ioctl_tty(2)
constexpr u64 kPipeDevice = 0x0d;  // st_dev of pipes

class PortFile final : public fs::File {
 public:
  PortFile(Port& port, u32 open_flags) : File(fs::FileKind::kDevice, open_flags), port_(port) {}

  Result<usize> read(IoCursor& to, u64) override {
    if (!readable()) return Errno::BadFd;
    TRY(port_.start_receive(Console::get()->transport()));
    return port_.read(to, must_not_wait(to) ? Port::Wait::kNo : Port::Wait::kYes);
  }
  Result<usize> write(IoCursor& from, u64) override {
    if (!writable()) return Errno::BadFd;
    TRY(port_.start_transmit(Console::get()->transport()));
    return port_.write(from, must_not_wait(from) ? Port::Wait::kNo : Port::Wait::kYes);
  }
  u32 poll() override {
    u32 bits = 0;
    if (readable()) {
      if (!port_.start_receive(Console::get()->transport()).ok()) return fs::kPollErr;
      const bool end = !port_.host_open();
      if (port_.readable_bytes() != 0) bits |= fs::kPollIn | fs::kPollRdNorm;
      if (end) bits |= fs::kPollHup;
    }
    if (writable()) {
      if (port_.write_ready()) bits |= fs::kPollOut | fs::kPollWrNorm;
      if (port_.host_gone()) bits |= fs::kPollErr;
    }
    return bits;
  }
  WaitQueue* poll_queue() override { return &port_.changed; }
  Result<i64> ioctl(u32 command, u64 argument) override {
    if (command != kFionRead) return Errno::NotTty;
    if (readable()) TRY(port_.start_receive(Console::get()->transport()));
    const int count = static_cast<int>(port_.readable_bytes());
    TRY(copy_to_user(UserAddr{argument}, &count, sizeof count));
    return 0;
  }
  Result<void> stat(fs::Stat& out) override {
    out.device = kPipeDevice;
    out.inode = port_.id() + 1;
    out.mode = fs::mode_type_bits(fs::FileType::kFifo) | 0600;
    return {};
  }
  usize describe(Span<char> out) override {
    BufferWriter w(out.data(), out.size());
    format(w, "pipe:[{}]", port_.id() + 1);
    return w.view().size();
  }

 private:
  Port& port_;
};

// The control channel. Lines from the host are gathered at the interrupt.
Port* control = nullptr;
void (*control_handler)(StringView line) = nullptr;
char control_line[256];
usize control_size = 0;

void control_bytes(void*, Span<const u8> bytes) {
  for (const u8 b : bytes) {
    if (b != '\n') {
      // A line that is too long is no command: its rest is dropped, and the whole ignored by its handler.
      if (control_size < sizeof control_line) control_line[control_size++] = static_cast<char>(b);
      continue;
    }
    const StringView line(control_line, exchange(control_size, usize{0}));
    control_handler(line);
  }
}

void control_hook() {
  control->take_all(control_bytes, nullptr);
}

Port* find_control() {
  if (control == nullptr && Console::get() != nullptr) control = Console::get()->find("uni.control");
  return control;
}

}  // namespace

Result<RefPtr<fs::File>> open_port(StringView name, u32 open_flags) {
  Console* console = Console::get();
  Port* port = console == nullptr ? nullptr : console->find(name);
  if (port == nullptr) return Errno::NoDevice;
  if (name == "uni.tty") return open_port_tty(*port, open_flags);
  return RefPtr<fs::File>(TRY(make_ref<PortFile>(*port, open_flags)));
}

void control_send(StringView line) {
  Port* port = find_control();
  if (port == nullptr || !port->start_transmit(Console::get()->transport()).ok()) return;
  char buffer[512];
  BufferWriter out(buffer, sizeof buffer - 1);
  out.write(line);
  const usize size = out.view().size();
  buffer[size] = '\n';
  port->write_some({reinterpret_cast<const u8*>(buffer), size + 1});
}

void write_control_word(Writer& out, StringView text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<u8>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      out.write({&c, 1});
    } else {
      const char escaped[3] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
      out.write({escaped, 3});
    }
  }
}

void control_on_line(void (*on_line)(StringView line)) {
  Port* port = find_control();
  if (port == nullptr) return;
  control_handler = on_line;
  if (!port->start_receive(Console::get()->transport()).ok()) return;
  Console::get()->set_hook(*port, control_hook);
  control_hook();  // what came before the hook was there
}

void drain_ports() {
  if (Console::get() == nullptr) return;
  // As long as the host has its side open and does not read, it may still read later: a local process's last output
  // waits in a pipe just so. The control channel is read by `uni run` itself, at once.
  Console::get()->each_port(
      [](Port& p) { p.drain(&p == control ? time::deadline_after(5 * time::kSecond) : time::kNever); });
}

}  // namespace uni::dev

// SPDX-License-Identifier: Apache-2.0
// The control queues (virtio 1.1, 5.3.6.2). The handshake: DEVICE_READY; the device answers PORT_ADD for each port; to
// each we send PORT_READY and PORT_OPEN at once, in one batch; the device answers with the name and whether the host
// has its side open. The device works our messages off in order and answers before it gives a message's buffer back, so
// when all of ours are back and nothing is left to read, every name is known: no time-out is needed to see that a port
// is not there.
#include "kernel/dev/console/console.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/boot/log.hpp"

namespace uni::dev::console {
namespace {

constexpr u64 kFeatureMultiport = 1u << 1;
constexpr u16 kControlIn = 2, kControlOut = 3;

enum Event : u16 {
  kDeviceReady = 0,
  kDeviceAdd = 1,
  kDeviceRemove = 2,
  kPortReady = 3,
  kConsolePort = 4,
  kResize = 5,
  kPortOpen = 6,
  kPortName = 7,
};

Console* the_console = nullptr;

}  // namespace

struct Console::Message {
  u32 id;
  u16 event;
  u16 value;
};

Console* Console::get() {
  return the_console;
}

Result<void> Console::start(OwnPtr<virtio::Transport> transport) {
  if (the_console != nullptr) return Errno::NoDevice;
  auto* console = new (std::nothrow) Console(uni::move(transport));
  if (console == nullptr) return Errno::NoMemory;
  if (auto done = console->init(); !done.ok()) {
    delete console;
    return done;
  }
  the_console = console;
  return {};
}

Result<void> Console::init() {
  const u64 features = TRY(transport_->negotiate(kFeatureMultiport | virtio::kFeatureEventIndex));
  if ((features & kFeatureMultiport) == 0) return Errno::NoDevice;
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  static_assert(kMostPorts * kReceiveSize + kControlQueueSize * sizeof(Message) <= kPageSize);
  messages_ = static_cast<u8*>(mm::address_of(*page));
  out_slots_ = messages_ + kMostPorts * kReceiveSize;
  TRY(transport_->start_queue(kControlIn, kControlQueueSize, control_in_));
  TRY(transport_->start_queue(kControlOut, kControlQueueSize, control_out_));
  TRY(transport_->listen(*this));
  transport_->ready();
  {
    LockGuard lock(control_in_.lock);
    for (usize i = 0; i < kMostPorts; ++i) {
      u8* at = messages_ + i * kReceiveSize;
      const virtio::Buffer b{mm::raw(mm::virt_to_phys(at)), kReceiveSize};
      control_in_.ring.add({}, {&b, 1}, at);
    }
    control_in_.publish();
  }
  LockGuard lock(control_out_.lock);
  send(0, kDeviceReady, 1);
  control_out_.publish();
  return {};
}

void Console::send(u32 port, u16 event, u16 value) {
  virtio::Used used;
  while (control_out_.ring.take(&used)) {
  }
  // Never full: at most two messages a port and one for the device are under way.
  auto* m = reinterpret_cast<Message*>(out_slots_) + next_slot_++ % kControlQueueSize;
  *m = {port, event, value};
  const virtio::Buffer b{mm::raw(mm::virt_to_phys(m)), sizeof(Message)};
  control_out_.ring.add({&b, 1}, {}, m);
}

// Works off what the device said. Gives whether it has said all that our messages ask for.
bool Console::settle() {
  bool answered;
  {
    LockGuard lock(control_out_.lock);
    virtio::Used used;
    while (control_out_.ring.take(&used)) {
    }
    answered = control_out_.ring.in_flight() == 0;
  }
  take_messages();
  LockGuard lock(control_out_.lock);
  if (answered && control_out_.ring.in_flight() == 0) return true;
  return false;
}

void Console::take_messages() {
  LockGuard guard(handling_);
  while (true) {
    union {
      Message message;
      u8 bytes[kReceiveSize];
    };
    usize size = 0;
    {
      LockGuard lock(control_in_.lock);
      virtio::Used used;
      if (!control_in_.ring.take(&used)) {
        control_in_.publish();
        if (control_in_.ring.enable_interrupts()) break;
        continue;
      }
      size = min(usize{used.written}, kReceiveSize);
      __builtin_memcpy(bytes, used.cookie, size);
      const virtio::Buffer b{mm::raw(mm::virt_to_phys(used.cookie)), kReceiveSize};
      control_in_.ring.add({}, {&b, 1}, used.cookie);
    }
    if (size < sizeof(Message)) continue;
    StringView name(reinterpret_cast<const char*>(bytes) + sizeof(Message), size - sizeof(Message));
    if (const usize end = name.find('\0'); end != StringView::kNotFound) name = name.slice(0, end);
    handle(message, name);
  }
  LockGuard lock(control_out_.lock);
  control_out_.publish();
}

void Console::handle(const Message& m, StringView name) {
  if (m.id >= kMostPorts) return;
  Port* port = ports_[m.id].load(std::memory_order_acquire);
  if (m.event == kDeviceAdd && port == nullptr) {
    port = new (std::nothrow) Port(m.id);
    if (port == nullptr) return;
    ports_[m.id].store(port, std::memory_order_release);
    LockGuard lock(control_out_.lock);
    send(m.id, kPortReady, 1);
    send(m.id, kPortOpen, 1);
  }
  if (port == nullptr) return;
  if (m.event == kPortName) port->set_name(name);
  if (m.event == kPortOpen) port->set_host_open(m.value != 0);
}

Port* Console::find(StringView name) {
  Port* found = nullptr;
  // Under an emulator all answers are there when the notification returns; otherwise they take some microseconds.
  bool all = settle();
  for (int i = 0; i < 200 && !all; ++i) {
    arch::cpu_relax();
    all = settle();
  }
  if (!all) {
    auto done = [this] {
      while (!settle()) {
        LockGuard lock(control_out_.lock);
        const u16 left = control_out_.ring.in_flight();
        if (left != 0 && control_out_.ring.enable_interrupts_after(left)) return false;
      }
      return true;
    };
    const Wake woken = settled_.wait(done, time::deadline_after(2 * time::kSecond), Sleep::kUninterruptible);
    if (woken != Wake::kReady) log::warn("the console's ports do not answer");
  }
  each_port([&](Port& p) {
    if (p.name() == name) found = &p;
  });
  return found;
}

void Console::set_hook(Port& port, Hook hook) {
  const usize n = hook_count_.load(std::memory_order_relaxed);
  ASSERT(n < kMostHooks);
  hooks_[n] = {&port, hook};
  hook_count_.store(n + 1, std::memory_order_release);
}

void Console::on_interrupt() {
  take_messages();
  settled_.wake_all();
  each_port([](Port& p) { p.on_interrupt(); });
  for (usize i = 0; i < hook_count_.load(std::memory_order_acquire); ++i)
    hooks_[i].hook();
}

}  // namespace uni::dev::console

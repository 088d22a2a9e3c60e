// SPDX-License-Identifier: Apache-2.0
// The virtio console device: finds out which ports there are and what they are called, and keeps their state.
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/dev/console/port.hpp"

namespace uni::dev::console {

class Console final : public virtio::Driver {
 public:
  // Takes the device over, if it has ports. Errors: NoDevice, NoMemory.
  static Result<void> start(OwnPtr<virtio::Transport> transport);
  // The console, or null.
  static Console* get();

  // The port called `name`, or null. Waits until the host has told all names that it has, at most 2 seconds.
  Port* find(StringView name);
  virtio::Transport& transport() { return *transport_; }
  template <typename F>
  void each_port(F action) {
    for (usize i = 0; i < kMostPorts; ++i) {
      if (Port* p = ports_[i].load(std::memory_order_acquire); p != nullptr) action(*p);
    }
  }

  // Hears of bytes of one port at the interrupt, without a reader: the control port and the terminal.
  using Hook = void (*)();
  void set_hook(Port& port, Hook hook);

  void on_interrupt() override;

 private:
  struct Message;  // struct virtio_console_control
  static constexpr usize kMostPorts = 31;
  static constexpr usize kMostHooks = 2;
  static constexpr u16 kControlQueueSize = 64;
  static constexpr usize kReceiveSize = 96;  // bytes of a receive buffer: a message and a name

  explicit Console(OwnPtr<virtio::Transport> transport) : transport_(uni::move(transport)) {}
  Result<void> init();
  void send(u32 port, u16 event, u16 value);  // needs: control_out_.lock
  bool settle();
  void take_messages();
  void handle(const Message& message, StringView name);

  OwnPtr<virtio::Transport> transport_;
  SpinLock handling_{Rank::kBlock};  // messages are worked off in order, by one processor
  virtio::Queue control_in_, control_out_;
  u8* messages_ = nullptr;   // a page: receive buffers
  u8* out_slots_ = nullptr;  // behind them: kControlQueueSize messages to send, slot by slot
  u16 next_slot_ = 0;
  std::atomic<Port*> ports_[kMostPorts] = {};
  WaitQueue settled_;
  struct {
    Port* port;
    Hook hook;
  } hooks_[kMostHooks] = {};
  std::atomic<usize> hook_count_{0};
};

}  // namespace uni::dev::console

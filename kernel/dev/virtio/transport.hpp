// SPDX-License-Identifier: Apache-2.0
// How a virtio device is reached: its registers over MMIO (virtio 1.1, 4.2) or PCI (4.1). Modern devices only
// (VIRTIO_F_VERSION_1). A driver derives from Driver, negotiates, starts its queues and hears of interrupts.
#pragma once

#include "kernel/arch/interrupts.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/dev/virtio/ring.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::dev::virtio {

enum class DeviceType : u32 { kNone = 0, kNet = 1, kBlock = 2, kConsole = 3, kRandom = 4, kBalloon = 5, k9p = 9 };

inline constexpr u64 kFeatureEventIndex = u64{1} << 29;
inline constexpr u64 kFeatureVersion1 = u64{1} << 32;

// What tells the device that a queue has news: one store.
struct Doorbell {
  volatile void* address = nullptr;
  u32 value = 0;
  bool wide = false;  // 32 bits instead of 16
  void ring() const {
    if (wide)
      *static_cast<volatile u32*>(address) = value;
    else
      *static_cast<volatile u16*>(address) = static_cast<u16>(value);
  }
};

// A ring with its lock and its doorbell.
struct Queue {
  SpinLock lock{Rank::kDevice};
  Ring ring;
  Doorbell doorbell;
  bool started() const { return doorbell.address != nullptr; }
  // Publishes what was added and notifies where the device wants it. Needs: lock.
  void publish() {
    if (ring.publish()) doorbell.ring();
  }
};

// What a driver hears from its device, from the interrupt handler with no lock held.
class Driver {
 public:
  virtual void on_interrupt() = 0;
  virtual void on_config_change() {}

 protected:
  ~Driver() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual DeviceType type() const = 0;

  // Resets the device and negotiates: what the device has of `wanted`, and always VIRTIO_F_VERSION_1. Gives the
  // outcome. Errors: NoDevice (legacy, or it refuses).
  Result<u64> negotiate(u64 wanted);
  // Allocates and enables queue `index` with at most `size` entries. Also after ready(): QEMU allows it, and a queue
  // that nobody uses then costs nothing. Errors: NoDevice (there is no such queue), NoMemory.
  Result<void> start_queue(u16 index, u16 size, Queue& queue);
  // Lets the device work (DRIVER_OK).
  void ready();
  // Tells the device that the driver has given up.
  void fail();

  // Calls `driver` on interrupts. May be put off until the first wait; called once.
  virtual Result<void> listen(Driver& driver) = 0;

  virtual u8 config8(u32 offset) = 0;
  virtual u16 config16(u32 offset) = 0;
  virtual u32 config32(u32 offset) = 0;
  u64 config64(u32 offset) { return config32(offset) | u64{config32(offset + 4)} << 32; }
  virtual void set_config32(u32 offset, u32 value) = 0;

 protected:
  struct QueueAddresses {
    u64 descriptors, available, used;
  };
  virtual u32 device_features(u32 half) = 0;
  virtual void set_driver_features(u32 half, u32 bits) = 0;
  virtual u8 status() = 0;
  virtual void set_status(u8 status) = 0;
  // Selects the queue and gives its largest size; 0 where there is none.
  virtual u16 select_queue(u16 index) = 0;
  virtual Doorbell enable_selected_queue(u16 index, u16 size, const QueueAddresses& at) = 0;

  Driver* driver_ = nullptr;

 private:
  u64 features_ = 0;
};

// The device behind `address` (a 0x200-byte register block) with its interrupt. Null where there is none, or it is
// legacy. Errors: NoMemory.
Result<OwnPtr<Transport>> open_mmio(u64 address, u32 gsi, arch::Trigger trigger);

// Calls `found` with each virtio function on the PCI buses. May block.
void scan_pci(void (*found)(OwnPtr<Transport>));

}  // namespace uni::dev::virtio

// SPDX-License-Identifier: Apache-2.0
// virtio over MMIO, register layout version 2 (virtio 1.1, 4.2.2). Register writes that would store the reset value
// (the upper halves of addresses below 4 GiB) are left out: each register access is a VM exit.
#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {
namespace {

constexpr u32 kMagic = 0x74726976;  // "virt"
constexpr usize kSlotSize = 0x200;

enum Register : u32 {
  kRegMagic = 0x00,
  kRegVersion = 0x04,
  kRegDeviceId = 0x08,
  kRegDeviceFeatures = 0x10,
  kRegDeviceFeaturesSelect = 0x14,
  kRegDriverFeatures = 0x20,
  kRegDriverFeaturesSelect = 0x24,
  kRegQueueSelect = 0x30,
  kRegQueueMax = 0x34,
  kRegQueueSize = 0x38,
  kRegQueueReady = 0x44,
  kRegQueueNotify = 0x50,
  kRegInterruptStatus = 0x60,
  kRegInterruptAck = 0x64,
  kRegStatus = 0x70,
  kRegDescriptors = 0x80,
  kRegAvailable = 0x90,
  kRegUsed = 0xa0,
  kRegConfig = 0x100,
};

class MmioTransport final : public Transport {
 public:
  MmioTransport(volatile u8* registers, DeviceType type, u32 gsi, arch::Trigger trigger)
      : registers_(registers), type_(type), gsi_(gsi), trigger_(trigger) {}

  DeviceType type() const override { return type_; }
  u8 config8(u32 offset) override { return registers_[kRegConfig + offset]; }
  u16 config16(u32 offset) override { return *at<u16>(kRegConfig + offset); }
  u32 config32(u32 offset) override { return get(kRegConfig + offset); }
  void set_config32(u32 offset, u32 value) override { set(kRegConfig + offset, value); }

  Result<void> listen(Driver& driver) override {
    driver_ = &driver;
    return arch::register_gsi(
        gsi_, trigger_, [](void* self) { static_cast<MmioTransport*>(self)->interrupt(); }, this);
  }

 protected:
  u32 device_features(u32 half) override {
    set(kRegDeviceFeaturesSelect, half);
    return get(kRegDeviceFeatures);
  }
  void set_driver_features(u32 half, u32 bits) override {
    set(kRegDriverFeaturesSelect, half);
    set(kRegDriverFeatures, bits);
  }
  u8 status() override { return static_cast<u8>(get(kRegStatus)); }
  void set_status(u8 status) override { set(kRegStatus, status); }
  u16 select_queue(u16 index) override {
    set(kRegQueueSelect, index);
    return static_cast<u16>(get(kRegQueueMax));
  }
  Doorbell enable_selected_queue(u16 index, u16 size, const QueueAddresses& a) override {
    set(kRegQueueSize, size);
    set64(kRegDescriptors, a.descriptors);
    set64(kRegAvailable, a.available);
    set64(kRegUsed, a.used);
    set(kRegQueueReady, 1);
    return {registers_ + kRegQueueNotify, index, true};
  }

 private:
  // SAFETY: the register block is mapped and each register is accessed at its own width and alignment.
  template <typename T>
  volatile T* at(u32 offset) const {
    return reinterpret_cast<volatile T*>(registers_ + offset);
  }
  u32 get(u32 offset) const { return *at<u32>(offset); }
  void set(u32 offset, u32 value) { *at<u32>(offset) = value; }
  void set64(u32 offset, u64 value) {
    set(offset, static_cast<u32>(value));
    if ((value >> 32) != 0) set(offset + 4, static_cast<u32>(value >> 32));
  }

  void interrupt() {
    // Acknowledged before the rings are read: what the device adds from now on raises the line again, so neither an
    // edge nor a level is lost.
    const u32 why = get(kRegInterruptStatus);
    if (why == 0) return;
    set(kRegInterruptAck, why);
    if ((why & 2) != 0) driver_->on_config_change();
    if ((why & 1) != 0) driver_->on_interrupt();
  }

  volatile u8* registers_;
  DeviceType type_;
  u32 gsi_;
  arch::Trigger trigger_;
};

}  // namespace

Result<OwnPtr<Transport>> open_mmio(u64 address, u32 gsi, arch::Trigger trigger) {
  auto* registers = static_cast<volatile u8*>(mm::map_device(mm::PhysAddr{address}, kSlotSize));
  if (registers == nullptr) return Errno::NoMemory;
  // SAFETY: as MmioTransport::at.
  auto* words = reinterpret_cast<volatile u32*>(registers);
  const auto type = static_cast<DeviceType>(words[kRegDeviceId / 4]);
  if (type == DeviceType::kNone || words[kRegMagic / 4] != kMagic || words[kRegVersion / 4] != 2) {
    return OwnPtr<Transport>();
  }
  return OwnPtr<Transport>(TRY(make_own<MmioTransport>(registers, type, gsi, trigger)));
}

}  // namespace uni::dev::virtio

// SPDX-License-Identifier: Apache-2.0
// virtio over PCI (virtio 1.1, 4.1), modern layout: vendor capabilities say where the registers are. Interrupts are
// MSI-X: entry 0 for the queues, entry 1 for changes of the configuration, so neither needs the ISR register.
#include "kernel/dev/pci/pci.hpp"

#include "kernel/boot/log.hpp"
#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {
namespace {

constexpr u16 kVendor = 0x1af4;
constexpr u16 kFirstTransitionalId = 0x1000, kFirstModernId = 0x1040, kLastId = 0x107f;
constexpr u16 kSubsystemId = 0x2e;
constexpr u8 kVendorCapability = 0x09;
constexpr u16 kQueueVector = 0, kConfigVector = 1;

// struct virtio_pci_common_cfg.
enum Common : u32 {
  kDeviceFeatureSelect = 0x00,
  kDeviceFeature = 0x04,
  kDriverFeatureSelect = 0x08,
  kDriverFeature = 0x0c,
  kMsixConfig = 0x10,
  kDeviceStatus = 0x14,
  kQueueSelect = 0x16,
  kQueueSize = 0x18,
  kQueueMsixVector = 0x1a,
  kQueueEnable = 0x1c,
  kQueueNotifyOff = 0x1e,
  kQueueDescriptors = 0x20,
  kQueueDriver = 0x28,
  kQueueDevice = 0x30,
};

enum CapabilityType : u8 { kCommonCfg = 1, kNotifyCfg = 2, kDeviceCfg = 4 };

class PciTransport final : public Transport {
 public:
  PciTransport(const pci::Function& function, DeviceType type) : function_(function), type_(type) {}

  // Errors: NoDevice (not modern, no MSI-X), NoMemory.
  Result<void> open() {
    for (u8 at = function_.find_capability(kVendorCapability); at != 0;
         at = function_.find_capability(kVendorCapability, at)) {
      const u8 kind = function_.read8(static_cast<u16>(at + 3));
      volatile u8** place = kind == kCommonCfg && common_ == nullptr   ? &common_
                            : kind == kNotifyCfg && notify_ == nullptr ? &notify_
                            : kind == kDeviceCfg && config_ == nullptr ? &config_
                                                                       : nullptr;
      if (place == nullptr) continue;
      const u64 base = function_.bar(function_.read8(static_cast<u16>(at + 4)));
      if (base == 0) continue;
      const u32 offset = function_.read32(static_cast<u16>(at + 8));
      const u32 size = function_.read32(static_cast<u16>(at + 12));
      if (size == 0 || size > kMiB) continue;
      *place = static_cast<volatile u8*>(mm::map_device(mm::PhysAddr{base + offset}, size));
      if (*place == nullptr) return Errno::NoMemory;
      if (kind == kNotifyCfg) {
        notify_size_ = size;
        notify_step_ = function_.read32(static_cast<u16>(at + 16));
      }
    }
    if (common_ == nullptr || notify_ == nullptr) return Errno::NoDevice;
    function_.enable();
    return msix_.open(function_);
  }

  DeviceType type() const override { return type_; }
  u8 config8(u32 offset) override { return config_ == nullptr ? u8{0} : config_[offset]; }
  u16 config16(u32 offset) override { return config_ == nullptr ? u16{0} : *at<u16>(config_, offset); }
  u32 config32(u32 offset) override { return config_ == nullptr ? 0 : *at<u32>(config_, offset); }
  void set_config32(u32 offset, u32 value) override {
    if (config_ != nullptr) *at<u32>(config_, offset) = value;
  }

  Result<void> listen(Driver& driver) override {
    driver_ = &driver;
    TRY(msix_.route(
        kQueueVector, [](void* self) { static_cast<PciTransport*>(self)->driver_->on_interrupt(); }, this));
    if (msix_.size() <= kConfigVector) return {};
    TRY(msix_.route(
        kConfigVector, [](void* self) { static_cast<PciTransport*>(self)->driver_->on_config_change(); }, this));
    *at<u16>(common_, kMsixConfig) = kConfigVector;
    return {};
  }

 protected:
  u32 device_features(u32 half) override {
    *at<u32>(common_, kDeviceFeatureSelect) = half;
    return *at<u32>(common_, kDeviceFeature);
  }
  void set_driver_features(u32 half, u32 bits) override {
    *at<u32>(common_, kDriverFeatureSelect) = half;
    *at<u32>(common_, kDriverFeature) = bits;
  }
  u8 status() override { return common_[kDeviceStatus]; }
  void set_status(u8 status) override { common_[kDeviceStatus] = status; }
  u16 select_queue(u16 index) override {
    *at<u16>(common_, kQueueSelect) = index;
    return *at<u16>(common_, kQueueSize);
  }
  Doorbell enable_selected_queue(u16 index, u16 size, const QueueAddresses& a) override {
    *at<u16>(common_, kQueueSize) = size;
    *at<u16>(common_, kQueueMsixVector) = kQueueVector;
    set64(kQueueDescriptors, a.descriptors);
    set64(kQueueDriver, a.available);
    set64(kQueueDevice, a.used);
    const u32 offset = *at<u16>(common_, kQueueNotifyOff) * notify_step_;
    *at<u16>(common_, kQueueEnable) = 1;
    return {notify_ + (offset + 2 <= notify_size_ ? offset : 0), index, false};
  }

 private:
  // SAFETY: the blocks are mapped device registers, and each field is accessed at its own width and alignment.
  template <typename T>
  static volatile T* at(volatile u8* block, u32 offset) {
    return reinterpret_cast<volatile T*>(block + offset);
  }
  void set64(u32 offset, u64 value) {
    *at<u32>(common_, offset) = static_cast<u32>(value);
    *at<u32>(common_, offset + 4) = static_cast<u32>(value >> 32);
  }

  pci::Function function_;
  DeviceType type_;
  pci::MsiX msix_;
  volatile u8* common_ = nullptr;
  volatile u8* notify_ = nullptr;
  volatile u8* config_ = nullptr;
  u32 notify_size_ = 0, notify_step_ = 0;
};

}  // namespace

void scan_pci(void (*found)(OwnPtr<Transport>)) {
  auto visit = [](void* context, const pci::Function& f) {
    const u16 id = f.device_id();
    if (f.vendor() != kVendor || id < kFirstTransitionalId || id > kLastId) return;
    // A transitional device has the type in its subsystem id; the modern registers work all the same (4.1.2.1).
    const u32 type = id < kFirstModernId ? f.read16(kSubsystemId) : u32{id} - kFirstModernId;
    auto transport = make_own<PciTransport>(f, static_cast<DeviceType>(type));
    if (!transport.ok()) return;
    if (auto opened = transport.value()->open(); !opened.ok()) {
      log::warn("PCI device {:02x}:{:02x}.{}: {}", f.bus, f.device, f.function, opened.error());
      return;
    }
    reinterpret_cast<void (*)(OwnPtr<Transport>)>(context)(transport.take());
  };
  pci::each_function(visit, reinterpret_cast<void*>(found));
}

}  // namespace uni::dev::virtio

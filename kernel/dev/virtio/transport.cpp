// SPDX-License-Identifier: Apache-2.0
// What both transports share: the order of initialisation (virtio 1.1, 3.1.1) and a queue's memory.
#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {
namespace {

enum Status : u8 { kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8, kFailed = 128 };

}  // namespace

Result<u64> Transport::negotiate(u64 wanted) {
  set_status(0);
  set_status(kAcknowledge | kDriver);
  const u64 offered = device_features(0) | u64{device_features(1)} << 32;
  if ((offered & kFeatureVersion1) == 0) {
    fail();
    return Errno::NoDevice;
  }
  features_ = offered & (wanted | kFeatureVersion1);
  set_driver_features(0, static_cast<u32>(features_));
  set_driver_features(1, static_cast<u32>(features_ >> 32));
  set_status(kAcknowledge | kDriver | kFeaturesOk);
  if ((status() & kFeaturesOk) == 0) {
    fail();
    return Errno::NoDevice;
  }
  return features_;
}

Result<void> Transport::start_queue(u16 index, u16 size, Queue& queue) {
  const u16 most = select_queue(index);
  if (most == 0) return Errno::NoDevice;
  while (size > most)
    size = static_cast<u16>(size / 2);
  unsigned order = 0;
  while ((kPageSize << order) < Ring::bytes(size))
    ++order;
  mm::Page* page = mm::alloc_pages(order, mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  queue.ring.attach(mm::address_of(*page), size, (features_ & kFeatureEventIndex) != 0);
  const u64 base = mm::raw(mm::phys_of(*page));
  const QueueAddresses at{base, base + Ring::available_offset(size), base + Ring::used_offset(size)};
  queue.doorbell = enable_selected_queue(index, size, at);
  return {};
}

void Transport::ready() {
  set_status(kAcknowledge | kDriver | kFeaturesOk | kDriverOk);
}

void Transport::fail() {
  set_status(kFailed);
}

}  // namespace uni::dev::virtio

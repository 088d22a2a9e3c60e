// SPDX-License-Identifier: Apache-2.0
// virtio-rng, asked once. The generator never needs more than one good seed, and a machine whose program wants no
// random numbers does not even initialise the device.
#include "kernel/dev/virtio/rng.hpp"

#include "kernel/dev/random.hpp"

namespace uni::dev::virtio {
namespace {

constexpr usize kWanted = 64;

class Rng final : public Driver {
 public:
  explicit Rng(OwnPtr<Transport> transport) : transport_(uni::move(transport)) {}

  Result<void> ask() {
    TRY(transport_->negotiate(0));
    bytes_ = mm::alloc_page(mm::Zero::kNo);
    if (bytes_ == nullptr) return Errno::NoMemory;
    TRY(transport_->start_queue(0, 2, queue_));
    TRY(transport_->listen(*this));
    transport_->ready();
    LockGuard lock(queue_.lock);
    const Buffer b{mm::raw(mm::phys_of(*bytes_)), kWanted};
    queue_.ring.add({}, {&b, 1}, this);
    queue_.publish();
    return {};
  }

  void on_interrupt() override {
    Used used;
    {
      LockGuard lock(queue_.lock);
      if (!queue_.ring.take(&used)) return;
    }
    random::add_entropy(mm::address_of(*bytes_), min(usize{used.written}, kWanted));
    __builtin_memset(mm::address_of(*bytes_), 0, kWanted);
  }

 private:
  OwnPtr<Transport> transport_;
  Queue queue_;
  mm::Page* bytes_ = nullptr;
};

Rng* rng = nullptr;
std::atomic<bool> unused{false};

}  // namespace

Result<void> start_rng(OwnPtr<Transport> transport) {
  if (rng != nullptr) return Errno::NoDevice;
  rng = TRY(make_own<Rng>(uni::move(transport)))
  .release();
  unused.store(true, std::memory_order_release);
  return {};
}

void request_entropy() {
  if (!unused.load(std::memory_order_acquire) || !unused.exchange(false)) return;
  // Without it there is still the host's seed.
  if (!rng->ask().ok()) return;
}

}  // namespace uni::dev::virtio

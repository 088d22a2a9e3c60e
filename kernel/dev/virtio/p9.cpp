// SPDX-License-Identifier: Apache-2.0
// One queue; a request is one chain of what the server reads and what it writes. The waiter's record lies on its stack
// and is completed by the interrupt, or by any other waiter that looks.
#include "kernel/dev/virtio/p9.hpp"

#include "kernel/fs/p9/transport.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni::dev::virtio {
namespace {

constexpr u64 kFeatureTag = 1;
constexpr usize kMaxTag = 64;

class P9 final : public fs::p9::P9Transport, public Driver {
 public:
  explicit P9(OwnPtr<Transport> transport) : transport_(uni::move(transport)) {}
  virtual ~P9() = default;

  Result<void> init() {
    const u64 features = TRY(transport_->negotiate(kFeatureTag));
    if ((features & kFeatureTag) == 0) return Errno::NoDevice;
    tag_size_ = min<usize>(transport_->config16(0), kMaxTag);
    for (usize i = 0; i < tag_size_; ++i)
      tag_[i] = static_cast<char>(transport_->config8(static_cast<u32>(2 + i)));
    TRY(transport_->start_queue(0, 16, queue_));
    TRY(transport_->listen(*this));
    transport_->ready();
    return {};
  }

  StringView tag() const override { return {tag_, tag_size_}; }

  Result<usize> request(Span<const u8> tx, Span<u8> rx) override {
    Waiting waiting;
    const Buffer out{mm::raw(mm::virt_to_phys(tx.data())), static_cast<u32>(tx.size())};
    const Buffer in{mm::raw(mm::virt_to_phys(rx.data())), static_cast<u32>(rx.size())};
    bool queued = false;
    // Room comes when another request is done.
    (void)done_.wait(
        [&] {
          LockGuard lock(queue_.lock);
          queued = queued || queue_.ring.add({&out, 1}, {&in, 1}, &waiting);
          return queued;
        },
        time::kNever, Sleep::kUninterruptible);
    {
      LockGuard lock(queue_.lock);
      queue_.publish();
    }
    (void)done_.wait(
        [&] {
          complete();
          return waiting.done.load(std::memory_order_acquire);
        },
        time::kNever, Sleep::kUninterruptible);
    return min<usize>(waiting.written, rx.size());
  }

  void on_interrupt() override {
    complete();
    done_.wake_all();
  }

 private:
  struct Waiting {
    std::atomic<bool> done{false};
    u32 written = 0;
  };

  void complete() {
    LockGuard lock(queue_.lock);
    Used used;
    while (queue_.ring.take(&used)) {
      auto* waiting = static_cast<Waiting*>(used.cookie);
      waiting->written = used.written;
      waiting->done.store(true, std::memory_order_release);
    }
  }

  OwnPtr<Transport> transport_;
  Queue queue_;
  WaitQueue done_;
  char tag_[kMaxTag] = {};
  usize tag_size_ = 0;
};

}  // namespace

Result<void> start_p9(OwnPtr<Transport> transport) {
  auto device = TRY(make_own<P9>(uni::move(transport)));
  TRY(device->init());
  fs::p9::register_transport(*device.release());
  return {};
}

}  // namespace uni::dev::virtio

// SPDX-License-Identifier: Apache-2.0
// virtio-net. Received frames lie in whole pages that go to the client; with mergeable buffers a large frame spans
// several. A sent frame is one chain: the header (in the frame's headroom, or in a slot of ours), then the client's
// pieces. Interrupts are off from the first one until a poll() has emptied the receive ring; finished sends are
// collected at polls and sends, and interrupt only while somebody waits for room.
#include "kernel/dev/virtio/net.hpp"

#include "kernel/boot/log.hpp"
#include "kernel/dev/net_device.hpp"

namespace uni::dev {
namespace virtio {
namespace {

enum Feature : u64 {
  kChecksum = u64{1} << 0,
  kGuestChecksum = u64{1} << 1,
  kMtu = u64{1} << 3,
  kMac = u64{1} << 5,
  kGuestTso4 = u64{1} << 7,
  kGuestTso6 = u64{1} << 8,
  kHostTso4 = u64{1} << 11,
  kHostTso6 = u64{1} << 12,
  kMergeable = u64{1} << 15,
  kStatus = u64{1} << 16,
};

struct Header {  // struct virtio_net_hdr_v1
  u8 flags, gso_type;
  u16 header_length, gso_size, checksum_start, checksum_offset, buffers;
};
static_assert(sizeof(Header) == kNetHeaderSize);
constexpr u8 kNeedsChecksum = 1, kDataValid = 2;

constexpr u16 kQueueSize = 256;
constexpr usize kMostPieces = 20;
constexpr usize kPostedPages = 128;

class Net final : public NetDevice, public Driver {
 public:
  explicit Net(OwnPtr<Transport> transport) : transport_(uni::move(transport)) {}

  // Negotiates, and allocates the queues. Errors: NoDevice, NoMemory.
  Result<void> init() {
    features_ = TRY(transport_->negotiate(kChecksum | kGuestChecksum | kMtu | kMac | kGuestTso4 | kGuestTso6 |
                                          kHostTso4 | kHostTso6 | kMergeable | kStatus | kFeatureEventIndex));
    for (u32 i = 0; i < 6; ++i)
      mac_[i] = transport_->config8(i);
    if ((features_ & kMtu) != 0) mtu_ = max<u32>(transport_->config16(10), 576);
    // Without mergeable buffers a frame of the host's segmentation would not fit a page.
    if ((features_ & kMergeable) == 0 && (features_ & (kGuestTso4 | kGuestTso6)) != 0) return Errno::NoDevice;
    TRY(transport_->start_queue(0, kQueueSize, receive_));
    TRY(transport_->start_queue(1, kQueueSize, send_));
    mm::Page* slots = mm::alloc_pages(2, mm::Zero::kYes);
    if (slots == nullptr) return Errno::NoMemory;
    // Twice the ring: as many may be finished and not yet told as are in flight, so that running out means some are in
    // flight.
    static_assert(2 * kQueueSize * sizeof(Slot) <= 4 * kPageSize);
    auto* first = static_cast<Slot*>(mm::address_of(*slots));
    for (usize i = 0; i < 2 * kQueueSize; ++i) {
      first[i].next = free_slots_;
      free_slots_ = &first[i];
    }
    return {};
  }

  Span<const u8> mac() const override { return {mac_, 6}; }
  u32 mtu() const override { return mtu_; }
  u32 features() const override {
    u32 f = 0;
    if ((features_ & kChecksum) != 0) f |= kChecksumTx;
    if ((features_ & kHostTso4) != 0) f |= kTso4;
    if ((features_ & kHostTso6) != 0) f |= kTso6;
    if ((features_ & kGuestChecksum) != 0) f |= kChecksumRx;
    if ((features_ & (kGuestTso4 | kGuestTso6)) != 0) f |= kBigRx;
    return f;
  }
  bool link_up() const override { return (features_ & kStatus) == 0 || (transport_->config16(6) & 1) != 0; }

  Result<void> start(NetClient& client) override {
    client_ = &client;
    TRY(transport_->listen(*this));
    {
      LockGuard lock(receive_.lock);
      post_locked();
      (void)receive_.ring.enable_interrupts();
    }
    {
      LockGuard lock(send_.lock);
      send_.ring.disable_interrupts();
    }
    transport_->ready();
    LockGuard lock(receive_.lock);
    receive_.publish();
    return {};
  }

  Result<void> transmit(Span<const NetSegment> segments, const NetOffload& offload, void* cookie) override {
    if (segments.empty() || segments.size() > kMostPieces) return Errno::Invalid;
    LockGuard lock(send_.lock);
    if (send_.ring.free_count() < kMostPieces + 2) collect_locked();
    while (!queue_locked(segments, offload, cookie)) {
      if (send_.ring.has_used()) {
        collect_locked();
        continue;
      }
      // The client has to hear of finished frames before their slots are free again.
      if (free_slots_ == nullptr && finished_ != nullptr) return Errno::Again;
      // Room comes with frames that finish: have the device interrupt for it.
      if (send_.ring.enable_interrupts_after(static_cast<u16>(send_.ring.in_flight() / 2 + 1))) return Errno::Again;
    }
    return {};
  }

  void flush() override {
    LockGuard lock(send_.lock);
    send_.publish();
  }

  Polled poll(usize budget) override {
    collect();
    bool more = true;
    for (usize n = 0; more && n < budget; ++n)
      more = receive_one();
    LockGuard lock(receive_.lock);
    post_locked();
    receive_.publish();
    if (receive_.ring.in_flight() == 0) return Polled::kStarved;
    return more || !receive_.ring.enable_interrupts() ? Polled::kMore : Polled::kEmpty;
  }

  void collect() override {
    if (finished_ == nullptr && !send_.ring.has_used()) return;
    while (true) {
      void* done[16];
      usize n = 0;
      {
        LockGuard lock(send_.lock);
        collect_locked();
        while (n < 16 && finished_ != nullptr) {
          Slot* slot = finished_;
          finished_ = slot->next;
          done[n++] = slot->cookie;
          slot->next = free_slots_;
          free_slots_ = slot;
        }
      }
      for (usize i = 0; i < n; ++i)
        client_->transmitted(done[i]);
      if (n < 16) return;
    }
  }

  bool has_received() const override { return receive_.ring.has_used(); }

  void on_interrupt() override {
    {
      LockGuard lock(receive_.lock);
      receive_.ring.disable_interrupts();
    }
    {
      LockGuard lock(send_.lock);
      send_.ring.disable_interrupts();
    }
    client_->interrupt();
  }

 private:
  struct Slot {
    Slot* next;
    void* cookie;
    Header header;
  };

  static void fill(u8* at, const NetOffload& o) {
    Header h{};
    if (o.checksum) {
      h.flags = kNeedsChecksum;
      h.checksum_start = o.checksum_start;
      h.checksum_offset = o.checksum_offset;
    }
    if (o.gso != NetGso::kNone) {
      h.gso_type = o.gso == NetGso::kTcp4 ? 1 : 4;
      h.gso_size = o.gso_size;
      h.header_length = o.gso_header_size;
    }
    __builtin_memcpy(at, &h, sizeof h);
  }

  bool queue_locked(Span<const NetSegment> segments, const NetOffload& offload, void* cookie) {
    Slot* slot = free_slots_;
    if (slot == nullptr) return false;
    Buffer pieces[kMostPieces + 1];
    usize count = 0;
    const usize head = offload.headroom ? kNetHeaderSize : 0;
    auto* first = static_cast<u8*>(const_cast<void*>(segments[0].data)) - head;
    fill(head != 0 ? first : reinterpret_cast<u8*>(&slot->header), offload);
    if (head == 0) pieces[count++] = {mm::raw(mm::virt_to_phys(&slot->header)), kNetHeaderSize};
    for (usize i = 0; i < segments.size(); ++i) {
      const void* data = i == 0 ? first : segments[i].data;
      pieces[count++] = {mm::raw(mm::virt_to_phys(data)), static_cast<u32>(segments[i].size + (i == 0 ? head : 0))};
    }
    if (!send_.ring.add({pieces, count}, {}, slot)) return false;
    free_slots_ = slot->next;
    slot->cookie = cookie;
    return true;
  }

  // Takes finished frames off the ring; the client hears of them in collect(), not inside a transmit() of its own.
  void collect_locked() {
    Used used;
    while (send_.ring.take(&used)) {
      auto* slot = static_cast<Slot*>(used.cookie);
      slot->next = finished_;
      finished_ = slot;
    }
  }

  // Fills the receive ring with pages, as far as memory allows.
  void post_locked() {
    while (receive_.ring.in_flight() < kPostedPages) {
      mm::Page* page = mm::alloc_page(mm::Zero::kNo);
      if (page == nullptr) return;
      const Buffer b{mm::raw(mm::phys_of(*page)), kPageSize};
      if (!receive_.ring.add({}, {&b, 1}, page)) {
        mm::put_page(*page);
        return;
      }
    }
  }

  // Delivers one frame; false where none is complete. What the device says of sizes is checked against our pages.
  bool receive_one() {
    NetPiece pieces[kMostPieces];
    usize count = 0;
    usize size = 0;
    u8 flags = 0;
    bool bad = false;
    {
      LockGuard lock(receive_.lock);
      Used used;
      if (!receive_.ring.take(&used)) return false;
      auto* page = static_cast<mm::Page*>(used.cookie);
      Header h;
      __builtin_memcpy(&h, mm::address_of(*page), sizeof h);
      flags = h.flags;
      u32 written = min<u32>(used.written, kPageSize);
      if (written <= kNetHeaderSize)
        bad = true;
      else
        pieces[count] = {page, kNetHeaderSize, written - static_cast<u32>(kNetHeaderSize)};
      if (bad) pieces[count] = {page, 0, 0};
      size = pieces[count].size;
      ++count;
      const usize wanted = (features_ & kMergeable) != 0 ? usize{h.buffers} : 1;
      if (wanted == 0 || wanted > kMostPieces) bad = true;
      for (usize i = 1; i < wanted && !bad; ++i) {
        if (!receive_.ring.take(&used)) {
          bad = true;  // the device gives all parts of a frame at once
          break;
        }
        written = min<u32>(used.written, kPageSize);
        pieces[count++] = {static_cast<mm::Page*>(used.cookie), 0, written};
        size += written;
      }
    }
    if (bad) {
      for (usize i = 0; i < count; ++i)
        mm::put_page(*pieces[i].page);
      return true;
    }
    client_->received({{pieces, count}, size, (flags & (kNeedsChecksum | kDataValid)) != 0});
    return true;
  }

  OwnPtr<Transport> transport_;
  Queue receive_, send_;
  NetClient* client_ = nullptr;
  Slot* free_slots_ = nullptr;
  Slot* finished_ = nullptr;  // sent, not yet told to the client
  u64 features_ = 0;
  u32 mtu_ = 1500;
  u8 mac_[6] = {};
};

constexpr usize kMostDevices = 4;
struct Known {
  Net* device;
  bool started;
  bool failed;
};
Known known[kMostDevices];
usize known_count = 0;
constinit SpinLock known_lock{Rank::kBlock};

}  // namespace

Result<void> note_net(OwnPtr<Transport> transport) {
  if (known_count == kMostDevices) return Errno::NoSpace;
  auto net = TRY(make_own<Net>(uni::move(transport)));
  known[known_count++] = {net.release(), false, false};
  return {};
}

}  // namespace virtio

NetDevice* net_device(usize n) {
  using namespace virtio;
  LockGuard guard(known_lock);
  if (n >= known_count || known[n].failed) return nullptr;
  Known& k = known[n];
  if (!k.started) {
    if (const auto up = k.device->init(); !up.ok()) {
      log::warn("network interface {} does not start: {}", n, up.error());
      k.failed = true;
      return nullptr;
    }
    k.started = true;
  }
  return k.device;
}

}  // namespace uni::dev

// SPDX-License-Identifier: Apache-2.0
// lwIP's Ethernet interface over a NetDevice. A received frame's pages become custom pbufs; a sent frame's pbufs are
// kept alive until the device is done with them, and wait in a queue of our own while its ring is full.
#include "kernel/net/wire.hpp"

#include "kernel/base/own_ptr.hpp"
#include "kernel/net/core.hpp"
#include "kernel/time/timer.hpp"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"
#include "netif/ethernet.h"

namespace uni::net {

namespace {

constexpr usize kMaxSegments = 16;
constexpr usize kBacklog = 2048;   // frames that wait for room in the ring
constexpr usize kPollBudget = 64;  // frames a poll
constexpr usize kPollRounds = 8;   // polls an interrupt; the rest comes with a timer, so that programs run in between
constexpr u64 kPollAgainNs = 50'000;
// Later, where frames wait for room in the ring or none can come in: an interrupt mostly comes first.
constexpr u64 kPollLaterNs = 2'000'000;

// A piece of a received frame. Goes back to the page allocator when lwIP and the sockets are done.
struct PagePbuf {
  pbuf_custom custom;
  mm::Page* page;
};

void free_page_pbuf(pbuf* p) {
  // SAFETY: the pbuf is the first member of a PagePbuf.
  PagePbuf* item = reinterpret_cast<PagePbuf*>(p);
  mm::put_page(*item->page);
  delete item;
}

class Wire final : public dev::NetClient {
 public:
  explicit Wire(dev::NetDevice& device) : device_(device) {}

  Result<void> start();
  err_t output(pbuf* frame);
  void flush() {
    if (!unflushed_) return;
    unflushed_ = false;
    device_.flush();
  }
  void poll();
  bool has_received() const { return device_.has_received(); }
  netif& interface() { return netif_; }
  dev::NetDevice& device() { return device_; }

  void received(const dev::NetFrame& frame) override;
  void transmitted(void* cookie) override;
  void interrupt() override {
    CoreGuard guard;
    poll();
  }

 private:
  bool push(pbuf* frame);
  static void poll_again(time::Timer&, void* context) {
    CoreGuard guard;
    static_cast<Wire*>(context)->poll();
  }

  dev::NetDevice& device_;
  netif netif_{};
  bool unflushed_ = false;
  bool polling_ = false;
  // Frames that the ring had no room for, oldest first.
  pbuf** backlog_ = nullptr;
  usize backlog_head_ = 0, backlog_count_ = 0;
  time::Timer again_{poll_again, this};
};

Wire* g_wire = nullptr;

// Which checksum of this frame the device shall fill in; lwIP has left the field zero (NETIF_CHECKSUM_GEN_* is off).
// The device wants the pseudo-header's sum there (virtio 1.1, 5.1.6.2).
void ask_for_checksum(pbuf* frame, dev::NetOffload* offload) {
  u8* bytes = static_cast<u8*>(frame->payload);
  const u16 type = static_cast<u16>(bytes[12] << 8 | bytes[13]);
  usize header = SIZEOF_ETH_HDR;
  u8 protocol = 0;
  u32 sum = 0;
  const auto add = [&](usize from, usize size) {
    for (usize i = from; i < from + size; i += 2)
      sum += static_cast<u32>(bytes[i] << 8 | bytes[i + 1]);
  };
  usize payload = 0;
  if (type == ETHTYPE_IP && frame->len >= header + IP_HLEN) {
    const u16 fragment = static_cast<u16>((bytes[header + 6] << 8 | bytes[header + 7]) & 0x3fff);
    if (fragment != 0) return;
    protocol = bytes[header + 9];
    add(header + 12, 8);
    const usize ip_size = (bytes[header] & 0xfu) * 4u;
    payload = static_cast<usize>(bytes[header + 2] << 8 | bytes[header + 3]) - ip_size;
    header += ip_size;
  } else if (type == ETHTYPE_IPV6 && frame->len >= header + IP6_HLEN) {
    protocol = bytes[header + 6];
    add(header + 8, 32);
    payload = static_cast<usize>(bytes[header + 4] << 8 | bytes[header + 5]);
    header += IP6_HLEN;
  }
  const usize field = protocol == IP_PROTO_TCP ? 16u : 6u;
  if ((protocol != IP_PROTO_TCP && protocol != IP_PROTO_UDP) || frame->len < header + field + 2) return;
  sum += protocol + static_cast<u32>(payload);
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  bytes[header + field] = static_cast<u8>(sum >> 8);
  bytes[header + field + 1] = static_cast<u8>(sum);
  offload->checksum = true;
  offload->checksum_start = static_cast<u16>(header);
  offload->checksum_offset = static_cast<u16>(field);
}

bool Wire::push(pbuf* frame) {
  if (pbuf_clen(frame) > kMaxSegments) {
    // Small writes, one behind the other. Without memory it is lost, and sent again as what a network loses.
    pbuf* whole = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
    if (whole == nullptr) return true;
    const bool taken = push(whole);
    pbuf_free(whole);
    return taken;
  }
  dev::NetSegment segments[kMaxSegments];
  usize count = 0;
  for (pbuf* p = frame; p != nullptr; p = p->next) {
    if (p->len == 0) continue;
    segments[count++] = {p->payload, p->len};
  }
  dev::NetOffload offload;
  if ((device_.features() & dev::NetDevice::kChecksumTx) != 0) ask_for_checksum(frame, &offload);
  const bool own_memory =
      (frame->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS) != 0 && (frame->flags & PBUF_FLAG_IS_CUSTOM) == 0;
  offload.headroom =
      own_memory && static_cast<u8*>(frame->payload) - reinterpret_cast<u8*>(frame + 1) >= isize{dev::kNetHeaderSize};
  pbuf_ref(frame);
  const Result<void> sent = device_.transmit({segments, count}, offload, frame);
  if (sent.ok()) {
    unflushed_ = true;
    CoreGuard::work_pending = true;
    return true;
  }
  pbuf_free(frame);
  return sent.error() != Errno::Again;
}

err_t Wire::output(pbuf* frame) {
  if (backlog_count_ == 0) {
    if (push(frame)) return ERR_OK;
    // Nothing is received here: lwIP is in the middle of sending.
    flush();
    device_.collect();
    if (backlog_count_ == 0 && push(frame)) return ERR_OK;
  }
  if (backlog_ == nullptr) backlog_ = new (std::nothrow) pbuf*[kBacklog];
  if (backlog_ == nullptr || backlog_count_ == kBacklog) return ERR_MEM;
  if (!again_.armed()) again_.arm(time::monotonic_ns() + kPollLaterNs);
  pbuf_ref(frame);
  backlog_[(backlog_head_ + backlog_count_++) % kBacklog] = frame;
  return ERR_OK;
}

void Wire::transmitted(void* cookie) {
  pbuf_free(static_cast<pbuf*>(cookie));
  while (backlog_count_ > 0) {
    pbuf* frame = backlog_[backlog_head_];
    if (!push(frame)) break;
    pbuf_free(frame);
    backlog_head_ = (backlog_head_ + 1) % kBacklog;
    --backlog_count_;
  }
}

void Wire::received(const dev::NetFrame& frame) {
  pbuf* head = nullptr;
  pbuf* tail = nullptr;
  bool lost = frame.size > 0xffff;
  for (const dev::NetPiece& piece : frame.pieces) {
    PagePbuf* item = lost ? nullptr : new (std::nothrow) PagePbuf;
    if (item == nullptr) {
      lost = true;
      mm::put_page(*piece.page);
      continue;
    }
    item->page = piece.page;
    item->custom.custom_free_function = free_page_pbuf;
    u8* at = static_cast<u8*>(mm::address_of(*piece.page)) + piece.offset;
    pbuf* p = pbuf_alloced_custom(PBUF_RAW, static_cast<u16>(piece.size), PBUF_REF, &item->custom, at,
                                  static_cast<u16>(piece.size));
    if (head == nullptr)
      head = p;
    else
      tail->next = p;
    tail = p;
  }
  usize left = frame.size;
  for (pbuf* p = head; p != nullptr; p = p->next) {
    p->tot_len = static_cast<u16>(left);
    left -= p->len;
  }
  if (lost) {
    if (head != nullptr) pbuf_free(head);
    return;
  }
  if (frame.checksum_good) {
    netif_.chksum_flags =
        static_cast<u16>(netif_.chksum_flags & ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP));
  } else {
    netif_.chksum_flags |= NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP;
  }
  if (ethernet_input(head, &netif_) != ERR_OK) pbuf_free(head);
}

void Wire::poll() {
  if (polling_) return;
  polling_ = true;
  using Polled = dev::NetDevice::Polled;
  Polled polled = Polled::kMore;
  for (usize round = 0; polled == Polled::kMore && round < kPollRounds; ++round) {
    polled = device_.poll(kPollBudget);
    flush();
  }
  polling_ = false;
  if (polled == Polled::kMore)
    again_.arm(time::monotonic_ns() + kPollAgainNs);
  else if (polled == Polled::kStarved || backlog_count_ > 0)
    again_.arm(time::monotonic_ns() + kPollLaterNs);
}

err_t initialise(netif* n) {
  const dev::NetDevice& device = static_cast<Wire*>(n->state)->device();
  n->name[0] = 'e';
  n->name[1] = 'n';
  n->hwaddr_len = ETH_HWADDR_LEN;
  __builtin_memcpy(n->hwaddr, device.mac().data(), ETH_HWADDR_LEN);
  n->mtu = static_cast<u16>(min<u32>(device.mtu(), 65535));
  n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
  n->output = etharp_output;
  n->output_ip6 = ethip6_output;
  n->linkoutput = [](netif* interface, pbuf* frame) { return static_cast<Wire*>(interface->state)->output(frame); };
  u16 checks = NETIF_CHECKSUM_ENABLE_ALL;
  if ((device.features() & dev::NetDevice::kChecksumTx) != 0) {
    checks = static_cast<u16>(checks & ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP));
  }
  NETIF_SET_CHECKSUM_CTRL(n, checks);
  return ERR_OK;
}

Result<void> Wire::start() {
  if (netif_add_noaddr(&netif_, this, initialise, ethernet_input) == nullptr) return Errno::NoMemory;
  netif_set_default(&netif_);
  netif_set_link_up(&netif_);
  netif_set_up(&netif_);
  return device_.start(*this);
}

}  // namespace

Result<void> wire_start(dev::NetDevice& device) {
  OwnPtr<Wire> wire = TRY(make_own<Wire>(device));
  g_wire = wire.release();  // lives as long as the machine
  return g_wire->start();
}

netif& wire_netif() {
  return g_wire->interface();
}

void wire_flush_device() {
  if (g_wire != nullptr) g_wire->flush();
}

void wire_poll_device() {
  if (g_wire != nullptr) g_wire->poll();
}

bool wire_has_received() {
  return g_wire != nullptr && g_wire->has_received();
}

}  // namespace uni::net

// SPDX-License-Identifier: Apache-2.0
// Network interfaces as the TCP/IP stack sees them. Buffers are pages or other kernel memory of the direct map; nothing
// is copied between the stack and the device.
//
// Locking: transmit, flush and poll take the device's own spin locks (Rank::kDevice) only while they touch the rings.
// The client's callbacks run inside poll(), in its caller's context and under its caller's locks, with no device lock
// held. Nothing here blocks.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/mm/page.hpp"

namespace uni::dev {

inline constexpr usize kNetHeaderSize = 12;  // struct virtio_net_hdr_v1 (virtio 1.1, 5.1.6)

// A physically contiguous piece of a frame.
struct NetSegment {
  const void* data;
  usize size;
};

enum class NetGso : u8 { kNone, kTcp4, kTcp6 };

// What the device shall complete in a frame that is sent. Only what features() offers may be asked for.
struct NetOffload {
  bool checksum = false;       // sum from checksum_start to the end, folded into checksum_start + checksum_offset,
  u16 checksum_start = 0;      // which holds the pseudo-header's sum
  u16 checksum_offset = 0;     //
  NetGso gso = NetGso::kNone;  // cut into segments; needs checksum
  u16 gso_size = 0;            // payload bytes of each (MSS)
  u16 gso_header_size = 0;     // Ethernet + IP + TCP headers
  // The first segment has kNetHeaderSize writable bytes in front of `data`: saves a descriptor.
  bool headroom = false;
};

// One piece of a received frame: part of a page, whose reference goes to the client (mm::put_page when done).
struct NetPiece {
  mm::Page* page;
  u32 offset;
  u32 size;
};

struct NetFrame {
  Span<const NetPiece> pieces;  // in order; the array is valid during the callback only
  usize size;                   // of the whole frame, Ethernet header included, without FCS
  bool checksum_good;           // TCP and UDP checksums need not be looked at (verified, or never left this host)
};

class NetClient {
 public:
  // A frame came. The client owns the pages of all its pieces from now on.
  virtual void received(const NetFrame& frame) = 0;
  // The device no longer needs the memory of a transmit() with this cookie.
  virtual void transmitted(void* cookie) = 0;
  // From the interrupt handler, no lock held: call NetDevice::poll here, or wake a thread that does. Further interrupts
  // stay off until a poll() has emptied the rings.
  virtual void interrupt() = 0;

 protected:
  ~NetClient() = default;
};

class NetDevice {
 public:
  enum Feature : u32 {
    kChecksumTx = 1,  // NetOffload::checksum
    kTso4 = 2,        // NetOffload::gso
    kTso6 = 4,
    kChecksumRx = 8,  // NetFrame::checksum_good may be true
    kBigRx = 16,      // frames of up to 64 KiB come in (the host's segmentation offload)
  };
  virtual ~NetDevice() = default;
  virtual Span<const u8> mac() const = 0;  // 6 bytes
  virtual u32 mtu() const = 0;             // of IP packets, 1500 unless the host says otherwise
  virtual u32 features() const = 0;
  virtual bool link_up() const = 0;

  // Posts receive buffers and lets frames come; called once.
  virtual Result<void> start(NetClient& client) = 0;
  // Queues one frame (Ethernet header first). Its memory must stay until transmitted(cookie). Errors: Again (no room:
  // try again after a transmitted(), which collect() or poll() may bring), Invalid (more than 20 segments).
  virtual Result<void> transmit(Span<const NetSegment> segments, const NetOffload& offload, void* cookie) = 0;
  // Tells the device about queued frames: once after a batch.
  virtual void flush() = 0;
  // Tells the client of all finished transmits.
  virtual void collect() = 0;
  // Delivers up to `budget` received frames and all finished transmits. Interrupts are on again after kEmpty; kMore:
  // call again; kStarved: no memory is left to receive into and no interrupt will come, so call again later.
  enum class Polled : u8 { kEmpty, kMore, kStarved };
  virtual Polled poll(usize budget) = 0;
  // True where poll() would find a received frame: two loads, for polling at system calls.
  virtual bool has_received() const = 0;
};

// The nth network interface found at boot, or null.
NetDevice* net_device(usize n);

}  // namespace uni::dev

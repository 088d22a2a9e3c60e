// SPDX-License-Identifier: Apache-2.0
// Sockets: what socket(2) makes, for every family. A Socket is a File; read and write are recv and send without a
// message. Numbers of options and message flags are Linux's, as the open flags are.
#pragma once

#include <atomic>

#include "kernel/fs/file.hpp"
#include "kernel/net/multicast.hpp"
#include "kernel/net/packet.hpp"
#include "kernel/net/socket_filter.hpp"
#include "kernel/net/zero_copy.hpp"

namespace uni::net {

enum class SocketType : u8 { kStream = 1, kDatagram = 2, kRaw = 3, kSeqPacket = 5 };

enum MessageFlag : u32 {
  kMsgOob = 0x1,
  kMsgPeek = 0x2,
  kMsgDontRoute = 0x4,
  kMsgCtrunc = 0x8,
  kMsgTrunc = 0x20,
  kMsgDontWait = 0x40,
  kMsgEor = 0x80,
  kMsgWaitAll = 0x100,
  kMsgConfirm = 0x800,
  kMsgErrQueue = 0x2000,
  kMsgNoSignal = 0x4000,
  kMsgMore = 0x8000,
  kMsgWaitForOne = 0x10000,
  kMsgZeroCopy = 0x4000000,
  kMsgFastOpen = 0x20000000,
  kMsgCmsgCloexec = 0x40000000,
};

// May a call wait, as far as the socket itself is not non-blocking?
enum class Waiting : u8 { kAllowed, kRefused };

enum class ShutdownHow : u8 { kRead = 0, kWrite = 1, kBoth = 2 };

// What sendmsg and recvmsg carry.
struct Message {
  explicit Message(IoCursor& memory) : data(memory) {}
  IoCursor& data;
  u32 flags = 0;      // MessageFlag, in
  u32 out_flags = 0;  // kMsgTrunc, kMsgCtrunc, out

  const Address* to = nullptr;  // send: the destination, or null
  Address* from = nullptr;      // receive: filled where not null (kNone: no name)

  OwnPtr<Rights> rights;  // both ways
  bool has_credentials = false;
  PeerCredentials credentials;  // send: SCM_CREDENTIALS; receive: the sender's
  // UDP, receive.
  bool has_packet_info = false;
  IpAddress packet_to = kAnyV4;
  u32 packet_interface = 0;
  u8 ttl = 0, tos = 0;
  // UDP, send: this datagram's alone; -1 for the socket's.
  i32 own_ttl = -1, own_tos = -1;
  i32 own_segment = -1;       // UDP_SEGMENT: bytes of each datagram, 0 for all in one
  u64 time_ns = 0;            // receive: when it came (SO_TIMESTAMP), 0 where that was not asked for
  OwnPtr<QueuedError> error;  // receive, of the error queue
};

// Options that are one number. Those with structures have functions of their own. Times are nanoseconds, 0 for never.
enum class Option : u8 {
  kReuseAddress,
  kReusePort,
  kBroadcast,
  kKeepAlive,
  kOobInline,
  kDontRoute,
  kPriority,
  kMark,
  kSendBuffer,
  kReceiveBuffer,
  kSendBufferForce,
  kReceiveBufferForce,
  kSendTimeout,
  kReceiveTimeout,
  kReceiveLowWater,
  kPassCredentials,
  kTimestamp,
  kTimestampNs,
  kLinger,              // seconds, -1 when off
  kError,               // read: the pending error, which it clears
  kAcceptsConnections,  // read
  kZeroCopy,
  kBusyPoll,
  // TCP
  kNoDelay,
  kCork,
  kMaxSegment,
  kKeepIdle,
  kKeepInterval,
  kKeepCount,
  kQuickAck,
  kDeferAccept,
  kSynCount,
  kUserTimeout,
  kLinger2,
  kWindowClamp,
  kFastOpen,
  kNotSentLowWater,
  // IP and IPv6
  kTos,
  kTtl,
  kReceiveTtl,
  kReceiveTos,
  kPacketInfo,
  kMtuDiscover,
  kMtu,
  kFreeBind,
  kTransparent,
  kReceiveError,
  kMulticastTtl,
  kMulticastLoop,
  kMulticastAll,
  kBindAddressNoPort,
  kHeaderIncluded,
  kV6Only,
  kV6Hops,
  kV6MulticastHops,
  kV6MulticastLoop,
  kV6MulticastInterface,
  kV6MulticastAll,
  kV6PacketInfo,
  kV6ReceiveHops,
  kV6TrafficClass,
  kV6ReceiveTrafficClass,
  // Remembered only: kept_options.cpp has their ranges.
  kSendLowWater,
  kNoChecksum,
  kReceiveOverflow,
  kPeekOffset,
  kIncomingCpu,
  kTimestamping,
  kSelectErrorQueue,
  kPassSecurity,
  kThinLinearTimeouts,
  kMinTtl,
  kReceiveIpOptions,
  kReturnOptions,
  kReceiveOriginalAddress,
  kUnicastInterface,
  kUdpCork,
  kUdpSegment,
  kUdpReceiveOffload,
  kV6DontFragment,
  kV6AutoFlowLabel,
  kV6ReceiveFragmentSize,
};

// How an option that is only remembered behaves; null for one that does something.
struct KeptOption {
  Option option;
  i64 initial, low, high;
  bool flag;  // any number but 0 is 1
};
const KeptOption* kept_option(Option option);

// TCP_INFO, the members that are known.
struct TcpInfo {
  u8 state = 0;  // Linux's TCP_ESTABLISHED = 1 ...
  u8 retransmits = 0;
  u8 send_scale = 0, receive_scale = 0;
  bool window_scaling = false, sack = false;
  u32 rto_us = 0, send_mss = 0, receive_mss = 0, unacked = 0;
  u32 rtt_us = 0, send_threshold = 0, send_window = 0, receive_space = 0;
};

class Socket : public fs::File {
 public:
  AddressFamily family() const { return family_; }
  SocketType type() const { return type_; }
  int protocol() const { return protocol_; }
  u64 number() const { return number_; }  // inode number, as in "socket:[N]"

  // bind(2) ... shutdown(2). Errors are Linux's. connect, accept, send and receive may block.
  virtual Result<void> bind(const Address& address) = 0;
  virtual Result<void> connect(const Address& address, Waiting waiting = Waiting::kAllowed) = 0;
  virtual Result<void> listen(int backlog);
  virtual Result<RefPtr<Socket>> accept(u32 open_flags, Waiting waiting = Waiting::kAllowed);
  virtual Result<Address> local_address() = 0;
  virtual Result<Address> peer_address() = 0;
  virtual Result<void> shutdown(ShutdownHow how) = 0;
  // Give the bytes moved.
  virtual Result<usize> send(Message& message) = 0;
  virtual Result<usize> receive(Message& message) = 0;

  virtual Result<void> set_option(Option option, i64 value);
  virtual Result<i64> get_option(Option option);
  virtual Result<PeerCredentials> peer_credentials();
  virtual Result<TcpInfo> tcp_info();
  // Memberships of groups and their filters (multicast.hpp); IP_MULTICAST_IF.
  virtual Result<void> change_group(GroupAction action, const GroupRequest& request);
  virtual Result<void> set_group_filter(const GroupRequest& request, GroupFilter&& filter);
  virtual Result<GroupFilter> group_filter(const GroupRequest& request);
  virtual Result<void> set_multicast_interface(const GroupRequest& request);
  virtual IpAddress multicast_interface() { return kAnyV4; }
  // ICMP_FILTER, ICMPV6_FILTER: a bit for each type that is not wanted, 4 or 32 bytes.
  virtual Result<void> set_icmp_filter(Span<const u8> mask);
  virtual Result<Span<const u8>> icmp_filter();
  // SO_BINDTODEVICE: the interface's name, empty for any.
  virtual Result<void> bind_to_device(StringView name);
  u32 bound_device() const { return bound_device_; }
  // SO_ATTACH_FILTER. Datagrams heed it.
  FilterSlot& filter() { return filter_; }
  bool oob_inline() const { return oob_inline_; }
  // The bytes that a blocking receive of `wanted` waits for.
  usize receive_target(const Message& message, usize wanted) const {
    if ((message.flags & kMsgWaitAll) != 0) return wanted;
    return min<usize>(receive_low_water_, wanted);
  }
  u32 receive_low_water() const { return receive_low_water_; }

  // send, and SIGPIPE for the calling thread where Linux sends it.
  Result<usize> send_with_signal(Message& message);

  Result<usize> read(IoCursor& to, u64 offset) override;
  Result<usize> write(IoCursor& from, u64 offset) override;
  WaitQueue* poll_queue() override { return &queue_; }
  Result<i64> ioctl(u32 command, u64 argument) override;
  Result<void> stat(fs::Stat& out) override;
  usize describe(Span<char> out) override;

  // Used by the code of the same family, under its locks.
  void wake(u32 bits) {
    if (queue_.has_waiters()) queue_.wake_all(bits);
  }
  void set_error(Errno e) { error_.store(static_cast<i32>(e), std::memory_order_release); }
  bool has_error() const { return error_.load(std::memory_order_acquire) != 0; }
  // The pending error, and clears it; Errno{} where there is none.
  Errno take_error() { return static_cast<Errno>(error_.exchange(0, std::memory_order_acq_rel)); }

  // Waits until ready() for a call with these message flags. Gives Again (would block, or the timeout passed),
  // RestartSys (or Interrupted with a timeout set, signal(7)).
  template <typename Ready>
  Result<void> wait_until(u32 message_flags, u64 timeout_ns, Ready ready, bool exclusive = false) {
    if (ready()) return {};
    if ((message_flags & kMsgDontWait) != 0 || nonblocking()) return Errno::Again;
    const u64 deadline = timeout_ns == 0 ? time::kNever : time::deadline_after(timeout_ns);
    return waited(queue_.wait(ready, deadline, Sleep::kInterruptible, exclusive), timeout_ns);
  }

 protected:
  Socket(AddressFamily family, SocketType type, int protocol, u32 open_flags);
  ~Socket() override;

  // Is the next byte the one behind urgent data? (SIOCATMARK)
  virtual bool at_mark() { return false; }
  // When a packet came, for who asked (SO_TIMESTAMP), else 0.
  u64 stamp() const { return timestamp_ == Stamp::kNone ? 0 : time::realtime_ns(); }
  // Bytes that FIONREAD and SIOCOUTQ tell.
  virtual usize readable_bytes() { return 0; }
  virtual usize unsent_bytes() { return 0; }

  static Result<void> waited(Wake wake, u64 timeout_ns);
  // What a send gave: where it was to go without a copy, its report is queued.
  Result<usize> with_report(const Message& message, Result<usize> sent);
  // Takes the reports of MSG_ZEROCOPY off the error queue. Errors: Again where there are none, NoMemory.
  Result<usize> receive_zero_copy_report(Message& message);

  WaitQueue queue_;
  ZeroCopyReports zero_copy_;
  std::atomic<i32> error_{0};
  // Options, Linux's defaults.
  u64 send_timeout_ = 0, receive_timeout_ = 0;
  u32 send_buffer_ = 212992, receive_buffer_ = 212992;
  i32 linger_ = -1;
  u32 priority_ = 0, mark_ = 0;
  u32 receive_low_water_ = 1;
  bool reuse_address_ = false, reuse_port_ = false, broadcast_ = false, keep_alive_ = false, oob_inline_ = false;
  bool dont_route_ = false, pass_credentials_ = false;
  bool send_buffer_chosen_ = false;  // by SO_SNDBUF: it does not grow by itself
  enum class Stamp : u8 { kNone, kMicroseconds, kNanoseconds };
  Stamp timestamp_ = Stamp::kNone;

 private:
  struct Kept {
    Option option;
    i64 value;
  };
  Vector<Kept> kept_;  // rarely any
  FilterSlot filter_;
  u32 bound_device_ = 0;
  AddressFamily family_;
  SocketType type_;
  int protocol_;
  u64 number_;
};

// The calling process, for SCM_CREDENTIALS and SO_PEERCRED.
PeerCredentials current_credentials();

}  // namespace uni::net

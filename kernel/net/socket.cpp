// SPDX-License-Identifier: Apache-2.0
// What all sockets share: numbers, the options of level SOL_SOCKET, read and write, ioctl's queue sizes.
#include "kernel/net/socket.hpp"

#include "kernel/base/format.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

std::atomic<u64> g_next_number{1};

constexpr u32 kIoctlReadable = 0x541B;  // FIONREAD, SIOCINQ
constexpr u32 kIoctlUnsent = 0x5411;    // TIOCOUTQ, SIOCOUTQ
constexpr u32 kIoctlAtMark = 0x8905;    // SIOCATMARK

// Linux doubles what the program asks for and keeps it within bounds (socket(7)).
u32 doubled_buffer(i64 value, u32 lowest) {
  constexpr u32 kLargest = 212992;  // net.core.rmem_max, wmem_max: compared without a sign
  const u64 wanted = min(static_cast<u32>(value), kLargest);
  return static_cast<u32>(max<u64>(wanted * 2, lowest));
}

}  // namespace

Socket::Socket(AddressFamily family, SocketType type, int protocol, u32 open_flags)
    : File(fs::FileKind::kSocket, open_flags | fs::kOpenReadWrite),
      family_(family),
      type_(type),
      protocol_(protocol),
      number_(g_next_number.fetch_add(1, std::memory_order_relaxed)) {}

Socket::~Socket() = default;

Result<void> Socket::waited(Wake wake, u64 timeout_ns) {
  switch (wake) {
    case Wake::kReady:
      return {};
    case Wake::kTimedOut:
      return Errno::Again;
    case Wake::kSignal:
      break;
  }
  return timeout_ns == 0 ? Errno::RestartSys : Errno::Interrupted;
}

Result<void> Socket::listen(int) {
  return Errno::NotSupported;
}

Result<RefPtr<Socket>> Socket::accept(u32, Waiting) {
  return Errno::NotSupported;
}

Result<PeerCredentials> Socket::peer_credentials() {
  return PeerCredentials{};
}

Result<TcpInfo> Socket::tcp_info() {
  return Errno::NotSupported;
}

Result<void> Socket::change_group(GroupAction, const GroupRequest&) {
  return Errno::NoProtocolOption;
}

Result<void> Socket::set_group_filter(const GroupRequest&, GroupFilter&&) {
  return Errno::NoProtocolOption;
}

Result<GroupFilter> Socket::group_filter(const GroupRequest&) {
  return Errno::AddressNotAvailable;
}

Result<void> Socket::set_multicast_interface(const GroupRequest&) {
  return Errno::Invalid;  // not on a stream
}

Result<void> Socket::set_icmp_filter(Span<const u8>) {
  return Errno::NoProtocolOption;
}

Result<Span<const u8>> Socket::icmp_filter() {
  return Errno::NoProtocolOption;
}

Result<void> Socket::bind_to_device(StringView name) {
  const u32 index = name.empty() ? 0 : interface_index(name);
  if (index == 0 && !name.empty()) return Errno::NoDevice;
  bound_device_ = index;
  return {};
}

Result<void> Socket::set_option(Option option, i64 value) {
  switch (option) {
    case Option::kReuseAddress:
      reuse_address_ = value != 0;
      return {};
    case Option::kReusePort:
      reuse_port_ = value != 0;
      return {};
    case Option::kBroadcast:
      broadcast_ = value != 0;
      return {};
    case Option::kKeepAlive:
      keep_alive_ = value != 0;
      return {};
    case Option::kOobInline:
      oob_inline_ = value != 0;
      return {};
    case Option::kDontRoute:
      dont_route_ = value != 0;
      return {};
    case Option::kPassCredentials:
      pass_credentials_ = value != 0;
      return {};
    case Option::kTimestamp:
      timestamp_ = value != 0 ? Stamp::kMicroseconds : Stamp::kNone;
      return {};
    case Option::kTimestampNs:
      timestamp_ = value != 0 ? Stamp::kNanoseconds : Stamp::kNone;
      return {};
    case Option::kPriority:
      priority_ = static_cast<u32>(value);
      return {};
    case Option::kMark:
      mark_ = static_cast<u32>(value);
      return {};
    case Option::kSendBuffer:
      send_buffer_ = doubled_buffer(value, 4608);
      send_buffer_chosen_ = true;
      return {};
    case Option::kReceiveBuffer:
      receive_buffer_ = doubled_buffer(value, 2304);
      return {};
    case Option::kSendBufferForce:
    case Option::kReceiveBufferForce: {
      // Beyond the administrator's limit, for who may (SO_SNDBUFFORCE).
      constexpr unsigned kCapNetAdmin = 12;
      if (!Process::current().credentials.capable(kCapNetAdmin)) return Errno::NotPermitted;
      const bool sends = option == Option::kSendBufferForce;
      const u64 wanted = value < 0 ? 0 : min<u64>(static_cast<u64>(value), 0x3fffffff) * 2;
      send_buffer_chosen_ |= sends;
      (sends ? send_buffer_ : receive_buffer_) = static_cast<u32>(max<u64>(wanted, sends ? 4608 : 2304));
      return {};
    }
    case Option::kSendTimeout:
      send_timeout_ = static_cast<u64>(value);
      return {};
    case Option::kReceiveTimeout:
      receive_timeout_ = static_cast<u64>(value);
      return {};
    case Option::kReceiveLowWater:
      receive_low_water_ = value <= 0 ? (value == 0 ? 1 : ~u32{0} >> 1) : static_cast<u32>(value);
      return {};
    case Option::kLinger:
      linger_ = static_cast<i32>(value);
      return {};
    case Option::kZeroCopy: {
      const bool internet = family_ == AddressFamily::kInet4 || family_ == AddressFamily::kInet6;
      constexpr int kUdp = 17;
      const bool can = type_ == SocketType::kStream || (type_ == SocketType::kDatagram && protocol_ == kUdp);
      if (!internet || !can) return Errno::NotSupported;
      if (value < 0 || value > 1) return Errno::Invalid;
      zero_copy_.allow(value != 0);
      return {};
    }
    default:
      break;
  }
  const KeptOption* kept = kept_option(option);
  if (kept == nullptr) return Errno::NoProtocolOption;
  if (kept->flag) value = value != 0;
  if (value < kept->low || value > kept->high) return Errno::Invalid;
  for (Kept& there : kept_) {
    if (there.option != option) continue;
    there.value = value;
    return {};
  }
  return kept_.push({option, value});
}

Result<i64> Socket::get_option(Option option) {
  switch (option) {
    case Option::kReuseAddress:
      return reuse_address_;
    case Option::kReusePort:
      return reuse_port_;
    case Option::kBroadcast:
      return broadcast_;
    case Option::kKeepAlive:
      return keep_alive_;
    case Option::kOobInline:
      return oob_inline_;
    case Option::kDontRoute:
      return dont_route_;
    case Option::kPassCredentials:
      return pass_credentials_;
    case Option::kTimestamp:
      return timestamp_ == Stamp::kMicroseconds;
    case Option::kTimestampNs:
      return timestamp_ == Stamp::kNanoseconds;
    case Option::kPriority:
      return priority_;
    case Option::kMark:
      return mark_;
    case Option::kSendBuffer:
      return send_buffer_;
    case Option::kReceiveBuffer:
      return receive_buffer_;
    case Option::kSendTimeout:
      return static_cast<i64>(send_timeout_);
    case Option::kReceiveTimeout:
      return static_cast<i64>(receive_timeout_);
    case Option::kReceiveLowWater:
      return receive_low_water_;
    case Option::kLinger:
      return linger_;
    case Option::kZeroCopy:
      return zero_copy_.allowed();
    case Option::kError:
      return static_cast<i64>(take_error());
    case Option::kAcceptsConnections:
      return 0;
    default:
      break;
  }
  for (const Kept& there : kept_) {
    if (there.option == option) return i64{there.value};
  }
  const KeptOption* kept = kept_option(option);
  return kept != nullptr ? Result<i64>(i64{kept->initial}) : Result<i64>(Errno::NoProtocolOption);
}

Result<usize> Socket::send_with_signal(Message& message) {
  Result<usize> sent = send(message);
  if (!sent.ok() && sent.error() == Errno::Pipe && (message.flags & kMsgNoSignal) == 0 &&
      type_ != SocketType::kDatagram) {
    signal::Info info;
    info.number = signal::kPipe;
    info.pid = raw(Process::current().pid());
    info.uid = Process::current().credentials.uid;
    (void)signal::send(Thread::current(), info).ok();
  }
  return sent;
}

Result<usize> Socket::with_report(const Message& message, Result<usize> sent) {
  if ((message.flags & kMsgZeroCopy) == 0 || !sent.ok() || !zero_copy_.allowed()) return sent;
  if (sent.value() == 0 && type_ == SocketType::kStream) return sent;
  zero_copy_.sent();
  wake(fs::kPollErr);
  return sent;
}

Result<usize> Socket::receive_zero_copy_report(Message& message) {
  if (!zero_copy_.waiting()) return Errno::Again;
  constexpr u8 kOriginZeroCopy = 5, kCopied = 1;  // SO_EE_ORIGIN_ZEROCOPY, SO_EE_CODE_ZEROCOPY_COPIED
  auto report = TRY(make_own<QueuedError>());
  report->origin = kOriginZeroCopy;
  report->code = kCopied;
  if (!zero_copy_.take(&report->info, &report->data)) return Errno::Again;
  message.error = uni::move(report);
  message.out_flags |= kMsgErrQueue;
  if (message.from != nullptr) message.from->family = AddressFamily::kNone;
  return usize{0};
}

Result<usize> Socket::read(IoCursor& to, u64) {
  Message message(to);
  if (to.no_wait()) message.flags = kMsgDontWait;
  return receive(message);
}

Result<usize> Socket::write(IoCursor& from, u64) {
  Message message(from);
  if (from.no_wait()) message.flags = kMsgDontWait;
  return send_with_signal(message);
}

Result<i64> Socket::ioctl(u32 command, u64 argument) {
  const UserPtr<u32> out{argument};
  switch (command) {
    case kIoctlReadable:
      TRY(out.write(static_cast<u32>(readable_bytes())));
      return i64{0};
    case kIoctlUnsent:
      TRY(out.write(static_cast<u32>(unsent_bytes())));
      return i64{0};
    case kIoctlAtMark:
      if (type() != SocketType::kStream && family() != AddressFamily::kUnix) return Errno::NotTty;
      TRY(out.write(at_mark() ? 1 : 0));
      return i64{0};
    default:
      return interface_ioctl(command, UserAddr{argument});
  }
}

Result<void> Socket::stat(fs::Stat& out) {
  constexpr u64 kSockFsDevice = 8;
  out.device = kSockFsDevice;
  out.inode = number_;
  out.mode = fs::mode_type_bits(fs::FileType::kSocket) | 0777;
  const Credentials& who = Process::current().credentials;
  out.uid = who.fsuid;
  out.gid = who.fsgid;
  return {};
}

usize Socket::describe(Span<char> out) {
  BufferWriter writer(out.data(), out.size());
  format(writer, "socket:[{}]", number_);
  return writer.view().size();
}

PeerCredentials current_credentials() {
  const Process& process = Process::current();
  return {raw(process.pid()), process.credentials.euid, process.credentials.egid};
}

}  // namespace uni::net

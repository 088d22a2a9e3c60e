// SPDX-License-Identifier: Apache-2.0
// Reads requests out of what is sent and queues the answers.
#include "kernel/net/netlink_socket.hpp"

#include "kernel/net/core.hpp"
#include "kernel/net/netlink_message.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

constexpr usize kAnswerSize = 8192;  // of one packet of answers
constexpr usize kRequestMax = 4096;
constexpr u8 kInet4 = 2, kInet6 = 10;

bool family_fits(u8 wanted, const IpAddress& ip) {
  return wanted == 0 || wanted == (ip.is_v4() ? kInet4 : kInet6);
}

void dump_links(NetlinkBuilder& out, const NetlinkHeader& request, u32 port) {
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n)
    out.link(i, request.sequence, port, kNlMulti);
}

void dump_addresses(NetlinkBuilder& out, const NetlinkHeader& request, u32 port, u8 family) {
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n) {
    for (usize a = 0; a < i.address_count; ++a) {
      if (family_fits(family, i.addresses[a].ip)) out.address(i, i.addresses[a], request.sequence, port);
    }
  }
}

void dump_routes(NetlinkBuilder& out, const NetlinkHeader& request, u32 port, u8 family) {
  Interface i;
  for (usize n = 1; interface_at(n, &i); ++n) {
    for (const bool six : {false, true}) {
      IpAddress gateway{};
      if (default_gateway(six, &gateway) && family_fits(family, gateway)) {
        out.route(i, nullptr, &gateway, request.sequence, port);
      }
    }
    for (usize a = 0; a < i.address_count; ++a) {
      if (family_fits(family, i.addresses[a].ip)) out.route(i, &i.addresses[a], nullptr, request.sequence, port);
    }
  }
}

void dump_neighbours(NetlinkBuilder& out, const NetlinkHeader& request, u32 port, u8 family) {
  Neighbour neighbour;
  for (usize n = 0; neighbour_at(n, &neighbour); ++n) {
    if (family_fits(family, neighbour.ip)) out.neighbour(neighbour, request.sequence, port);
  }
}

// The rules that a machine starts with: nothing else can be had.
void dump_rules(NetlinkBuilder& out, const NetlinkHeader& request, u32 port, u8 family) {
  constexpr u8 kLocal = 255, kMain = 254, kDefault = 253;
  constexpr u32 kMainPriority = 32766;
  for (const u8 each : {kInet4, kInet6}) {
    if (family != 0 && family != each) continue;
    out.rule(each, 0, kLocal, request.sequence, port);
    out.rule(each, kMainPriority, kMain, request.sequence, port);
    if (each == kInet4) out.rule(each, kMainPriority + 1, kDefault, request.sequence, port);
  }
}

}  // namespace

NetlinkSocket::NetlinkSocket(SocketType type, int protocol, u32 open_flags)
    : Socket(AddressFamily::kNetlink, type, protocol, open_flags) {}

NetlinkSocket::~NetlinkSocket() {
  destroy_all(queue_in_);
}

// A process's first socket has its pid for a port, further ones something negative (netlink_autobind).
void NetlinkSocket::choose_port() {
  static std::atomic<u32> next{0};
  if (port_ != 0) return;
  const u32 n = next.fetch_add(1, std::memory_order_relaxed);
  port_ = n == 0 ? raw(Process::current().pid()) : 0u - 4096u - n;
}

Result<void> NetlinkSocket::bind(const Address& address) {
  if (address.family != AddressFamily::kNetlink) return Errno::Invalid;
  if (port_ != 0 && address.netlink_port != port_ && address.netlink_port != 0) return Errno::Invalid;
  if (address.netlink_port != 0) port_ = address.netlink_port;
  groups_ = address.netlink_groups;
  choose_port();
  return {};
}

Result<void> NetlinkSocket::connect(const Address& address, Waiting) {
  if (address.family != AddressFamily::kNetlink) return Errno::Invalid;
  choose_port();
  return {};
}

Result<Address> NetlinkSocket::local_address() {
  Address a;
  a.family = AddressFamily::kNetlink;
  a.netlink_port = port_;
  a.netlink_groups = groups_;
  return a;
}

Result<Address> NetlinkSocket::peer_address() {
  Address a;
  a.family = AddressFamily::kNetlink;
  return a;
}

Result<void> NetlinkSocket::shutdown(ShutdownHow) {
  return Errno::NotSupported;
}

Result<void> NetlinkSocket::queue(const u8* data, usize size) {
  if (size == 0) return {};
  Packet* packet = Packet::create(size);
  if (packet == nullptr || packet->capacity < size) {
    if (packet != nullptr) Packet::destroy(packet);
    return Errno::NoBuffers;
  }
  __builtin_memcpy(packet->data, data, size);
  packet->size = static_cast<u32>(size);
  LockGuard guard(lock_);
  queue_in_.push_back(*packet);
  wake(fs::kPollIn | fs::kPollRdNorm);
  return {};
}

Result<void> NetlinkSocket::answer(const NetlinkHeader& request, Span<const u8> body) {
  if ((request.flags & kNlRequest) == 0) return {};
  constexpr int kDiagnosis = 4;
  if (protocol() == kDiagnosis) return answer_diagnosis(request, body);
  PacketPtr space(Packet::create(kAnswerSize));
  if (!space) return Errno::NoBuffers;
  NetlinkBuilder out(space->data, space->capacity);
  const u8 family = body.empty() ? u8{0} : body[0];
  // Link and address questions are always dumps in old programs; Linux dumps where either bit is set.
  const bool dump = (request.flags & kNlDump) != 0;
  Errno failure{};
  bool known = true;
  switch (request.type) {
    case kGetLink:
      if (dump) {
        dump_links(out, request, port_);
      } else {
        i32 index = 0;
        if (body.size() >= 8) __builtin_memcpy(&index, body.data() + 4, sizeof index);
        Interface i;
        if (index > 0 && interface_at(static_cast<usize>(index) - 1, &i)) {
          out.link(i, request.sequence, port_, 0);
          return queue(space->data, out.size());
        }
        failure = Errno::NoDevice;
      }
      break;
    case kGetAddress:
      dump_addresses(out, request, port_, family);
      break;
    case kGetRoute:
      if (dump)
        dump_routes(out, request, port_, family);
      else
        failure = Errno::NetworkUnreachable;
      break;
    case kGetNeighbour:
      dump_neighbours(out, request, port_, family);
      break;
    case kGetRule:
      dump_rules(out, request, port_, family);
      break;
    default:
      known = false;
      failure = request.type < 16 ? Errno{} : Errno::NotPermitted;
  }
  if (failure != Errno{})
    out.error(-static_cast<i32>(failure), request, port_);
  else if (known && dump)
    out.done(request.sequence, port_);
  else if ((request.flags & kNlAck) != 0)
    out.error(0, request, port_);
  TRY(queue(space->data, out.size()));
  return {};
}

Result<usize> NetlinkSocket::send(Message& message) {
  if ((message.flags & kMsgOob) != 0) return Errno::NotSupported;
  const usize size = message.data.remaining();
  if (size > kRequestMax) return Errno::MessageSize;
  constexpr int kUevent = 15;
  if (protocol() == kUevent) return size;  // to others of its group: there are none that would hear it
  TRY(init());
  choose_port();
  PacketPtr request(Packet::create(max<usize>(size, 1)));
  if (!request) return Errno::NoBuffers;
  if (size > 0 && TRY(message.data.take(request->data, size)) < size) return Errno::Fault;
  usize at = 0;
  while (size - at >= sizeof(NetlinkHeader)) {
    NetlinkHeader header;
    __builtin_memcpy(&header, request->data + at, sizeof header);
    if (header.size < sizeof header || header.size > size - at) break;
    TRY(answer(header, {request->data + at + sizeof header, header.size - sizeof header}));
    const usize step = align_up(header.size, 4);
    if (step >= size - at) break;
    at += step;
  }
  return size;
}

Result<usize> NetlinkSocket::receive(Message& message) {
  if ((message.flags & kMsgOob) != 0) return Errno::NotSupported;
  const bool keep = (message.flags & kMsgPeek) != 0;
  for (;;) {
    {
      LockGuard reading(reader_);
      Packet* packet = nullptr;
      PacketPtr taken;
      {
        LockGuard guard(lock_);
        packet = queue_in_.front();
        if (packet != nullptr && !keep) queue_in_.remove(*packet);
      }
      if (packet != nullptr) {
        if (!keep) taken = PacketPtr(packet);
        const usize part = min<usize>(packet->size, message.data.remaining());
        if (part > 0 && TRY(message.data.put(packet->data, part)) < part) return Errno::Fault;
        if (part < packet->size) message.out_flags |= kMsgTrunc;
        if (message.from != nullptr) {
          *message.from = Address::none();
          message.from->family = AddressFamily::kNetlink;
        }
        return (message.flags & kMsgTrunc) != 0 ? usize{packet->size} : part;
      }
    }
    TRY(wait_until(message.flags, receive_timeout_, [&] {
      LockGuard guard(lock_);
      return !queue_in_.empty();
    }));
  }
}

u32 NetlinkSocket::poll() {
  LockGuard guard(lock_);
  const u32 writable = fs::kPollOut | fs::kPollWrNorm | fs::kPollWrBand;
  return queue_in_.empty() ? writable : writable | fs::kPollIn | fs::kPollRdNorm;
}

usize NetlinkSocket::readable_bytes() {
  LockGuard guard(lock_);
  return queue_in_.empty() ? 0 : queue_in_.front()->size;
}

}  // namespace uni::net

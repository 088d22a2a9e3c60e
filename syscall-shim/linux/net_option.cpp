// SPDX-License-Identifier: Apache-2.0
// setsockopt(2) and getsockopt(2). Options that are a number come from syscall-shim/abi/sockopts.def; those with
// structures are here. An option that is in neither is ENOPROTOOPT.
#include "kernel/net/interfaces.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/net.hpp"
#include "syscall-shim/linux/net_common.hpp"
#include "syscall-shim/linux/net_group.hpp"

namespace uni::shim {

namespace {

using net::AddressFamily;
using net::Option;

enum class Kind : u8 { Int, Octet, Read, TimeOld, TimeNew, Linger };

struct Row {
  i32 level;
  i32 number;
  Kind kind;
  Option option;
};

constexpr Row kRows[] = {
#define SOCKOPT(level, name, number, kind, option, support, note) {abi::level, number, Kind::kind, Option::option},
#include "syscall-shim/abi/sockopts.def"
#undef SOCKOPT
};

const Row* find_row(i32 level, i32 number) {
  for (const Row& row : kRows) {
    if (row.level == level && row.number == number) return &row;
  }
  return nullptr;
}

// Options with structures.
enum Special : i32 {
  kSoType = 3,
  kSoPeerCred = 17,
  kSoBindToDevice = 25,
  kSoPeerName = 28,
  kSoProtocol = 38,
  kSoDomain = 39,
  kSoAttachFilter = 26,  // reading: SO_GET_FILTER
  kSoDetachFilter = 27,
  kSoPeerSecurity = 31,
  kSoLockFilter = 44,
  kSoIncomingNapiId = 56,
  kSoCookie = 57,
  kSoPeerGroups = 59,
  kTcpInfo = 11,
  kTcpCongestion = 13,
};

// Does the socket have options of this level?
bool level_fits(const net::Socket& socket, i32 level) {
  const AddressFamily family = socket.family();
  switch (level) {
    case abi::kSolSocket:
      return true;
    case abi::kSolTcp:
      return socket.protocol() == abi::kProtoTcp;
    case abi::kSolUdp:
      return socket.protocol() == abi::kProtoUdp;
    case abi::kSolRaw:
      return family == AddressFamily::kInet4 && socket.type() == net::SocketType::kRaw;
    case abi::kSolIcmpv6:
      return family == AddressFamily::kInet6 && socket.protocol() == abi::kProtoIcmpv6;
    case abi::kSolIp:
      return family == AddressFamily::kInet4 || family == AddressFamily::kInet6;
    case abi::kSolIpv6:
      return family == AddressFamily::kInet6;
    default:
      return false;
  }
}

// What setting answers for a level that the socket does not have; reading is always NotSupported.
Errno wrong_level(const net::Socket& socket) {
  return socket.family() == AddressFamily::kUnix ? Errno::NotSupported : Errno::NoProtocolOption;
}

// A struct timeval as nanoseconds, 0 for none (sock_set_timeout).
Result<i64> read_timeout(UserAddr value, i32 size) {
  if (static_cast<usize>(size) < sizeof(abi::Timeval)) return Errno::Invalid;
  const abi::Timeval t = TRY(UserPtr<abi::Timeval>(value).read());
  constexpr i64 kMicros = 1'000'000;
  if (t.tv_usec < 0 || t.tv_usec >= kMicros) return Errno::Domain;
  constexpr i64 kForever = i64{1} << 33;
  if (t.tv_sec >= kForever) return i64{0};
  if (t.tv_sec < 0) return i64{1};
  return t.tv_sec * static_cast<i64>(time::kSecond) + t.tv_usec * 1000;
}

Result<i64> read_number(const Row& row, UserAddr value, i32 size) {
  switch (row.kind) {
    case Kind::TimeOld:
    case Kind::TimeNew:
      return read_timeout(value, size);
    case Kind::Linger: {
      if (static_cast<usize>(size) < sizeof(abi::Linger)) return Errno::Invalid;
      const abi::Linger linger = TRY(UserPtr<abi::Linger>(value).read());
      return linger.on == 0 ? i64{-1} : i64{linger.seconds < 0 ? 0x7fffffff : linger.seconds};
    }
    case Kind::Octet:
      if (size >= 1 && static_cast<usize>(size) < sizeof(i32)) return i64 {
          TRY(UserPtr<u8>(value).read())
        };
      [[fallthrough]];
    case Kind::Int:
      if (static_cast<usize>(size) < sizeof(i32)) return Errno::Invalid;
      return i64 {
        TRY(UserPtr<i32>(value).read())
      };
    case Kind::Read:
      break;
  }
  return Errno::NoProtocolOption;
}

Result<void> bind_to_device(net::Socket& socket, UserAddr value, i32 size) {
  char name[16] = {};
  const usize length = min<usize>(static_cast<usize>(size), sizeof name - 1);
  TRY(copy_from_user(name, value, length));
  return socket.bind_to_device(StringView(name));
}

// struct sock_fprog: a program of classic BPF. Errors: Invalid, Fault, NotPermitted (SO_LOCK_FILTER).
Result<void> attach_filter(net::Socket& socket, UserAddr value, i32 size) {
  struct Program {
    u16 length;
    u16 pad[3];
    u64 instructions;
  };
  if (size != static_cast<i32>(sizeof(Program))) return Errno::Invalid;
  const Program given = TRY(UserPtr<Program>(value).read());
  if (socket.filter().locked()) return Errno::NotPermitted;
  if (given.length == 0 || given.length > bpf::kMostInstructions || given.instructions == 0) return Errno::Invalid;
  Vector<bpf::Instruction> program;
  TRY(program.resize(given.length));
  TRY(copy_from_user(program.data(), UserAddr{given.instructions}, given.length * sizeof(bpf::Instruction)));
  TRY(bpf::check({program.data(), program.size()}));
  RefPtr<net::SocketFilter> filter = TRY(make_ref<net::SocketFilter>(uni::move(program)));
  return socket.filter().set(uni::move(filter));
}

Result<void> lock_filter(net::Socket& socket, UserAddr value, i32 size) {
  if (static_cast<usize>(size) < sizeof(i32)) return Errno::Invalid;
  const i32 on = TRY(UserPtr<i32>(value).read());
  if (on == 0 && socket.filter().locked()) return Errno::NotPermitted;
  if (on != 0) socket.filter().lock_filter();
  return {};
}

// SO_GET_FILTER: the size counts instructions, not bytes.
Result<i64> give_filter(net::Socket& socket, UserAddr value, UserPtr<i32> size) {
  const RefPtr<net::SocketFilter> filter = socket.filter().get();
  const i32 count = filter ? static_cast<i32>(filter->program().size()) : 0;
  const i32 room = TRY(size.read());
  if (room != 0 && room < count) return Errno::Invalid;
  if (room != 0 && count != 0)
    TRY(copy_to_user(value, filter->program().data(), static_cast<usize>(count) * sizeof(bpf::Instruction)));
  TRY(size.write(count));
  return i64{0};
}

constexpr i32 kIcmpFilter = 1;  // of both levels

Result<void> set_icmp_filter(net::Socket& socket, UserAddr value, i32 size) {
  u8 mask[32];
  const Span<const u8> old = TRY(socket.icmp_filter());
  __builtin_memcpy(mask, old.data(), old.size());
  TRY(copy_from_user(mask, value, min(static_cast<usize>(size), old.size())));
  return socket.set_icmp_filter({mask, old.size()});
}

Result<void> set_special(net::Socket& socket, i32 level, i32 name, UserAddr value, i32 size) {
  if (level == abi::kSolSocket && name == kSoAttachFilter) return attach_filter(socket, value, size);
  if (level == abi::kSolSocket && name == kSoDetachFilter) return socket.filter().set(nullptr);
  if (level == abi::kSolSocket && name == kSoLockFilter) return lock_filter(socket, value, size);
  if (level == abi::kSolSocket && name == kSoBindToDevice) return bind_to_device(socket, value, size);
  if ((level == abi::kSolRaw || level == abi::kSolIcmpv6) && name == kIcmpFilter) {
    return set_icmp_filter(socket, value, size);
  }
  if (is_group_option(level, name)) return set_group_option(socket, level, name, value, size);
  if (level == abi::kSolTcp && name == kTcpCongestion) {
    char wanted[16] = {};
    TRY(copy_from_user(wanted, value, min<usize>(static_cast<usize>(size), sizeof wanted - 1)));
    return StringView(wanted) == "reno" ? Result<void>() : Result<void>(Errno::NoEntry);
  }
  return Errno::NoProtocolOption;
}

// Gives `size` bytes to the program, cut to its buffer.
Result<i64> give(UserAddr value, UserPtr<i32> size_at, const void* data, usize size) {
  const i32 room = TRY(size_at.read());
  if (room < 0) return Errno::Invalid;
  const usize part = min(size, static_cast<usize>(room));
  TRY(copy_to_user(value, data, part));
  TRY(size_at.write(static_cast<i32>(part)));
  return i64{0};
}

Result<i64> give_number(UserAddr value, UserPtr<i32> size_at, i32 number) {
  return give(value, size_at, &number, sizeof number);
}

// The groups of the process at the other end of an AF_UNIX stream, as they are now.
Result<i64> give_peer_groups(net::Socket& socket, UserAddr value, UserPtr<i32> size) {
  const net::PeerCredentials peer = TRY(socket.peer_credentials());
  RefPtr<Process> process = Process::find(Pid{peer.pid});
  if (peer.pid == 0 || !process) return Errno::NoData;
  const Vector<u32>& groups = process->credentials.groups;
  const usize bytes = groups.size() * sizeof(u32);
  if (static_cast<usize>(TRY(size.read())) < bytes) {
    TRY(size.write(static_cast<i32>(bytes)));
    return Errno::Range;
  }
  return give(value, size, groups.data(), bytes);
}

// The name of the interface that the socket is bound to, with its NUL; nothing where it is to none.
Result<i64> give_device(net::Socket& socket, UserAddr value, UserPtr<i32> size) {
  constexpr i32 kNameSize = 16;
  if (socket.bound_device() == 0) return give(value, size, "", 0);
  if (TRY(size.read()) < kNameSize) return Errno::Invalid;
  net::Interface interface;
  for (usize at = 0; net::interface_at(at, &interface); ++at) {
    if (interface.index != socket.bound_device()) continue;
    const StringView name(interface.name);
    char text[kNameSize] = {};
    __builtin_memcpy(text, name.data(), name.size());
    return give(value, size, text, name.size() + 1);
  }
  return Errno::NoDevice;
}

i32 domain_of(AddressFamily family) {
  switch (family) {
    case AddressFamily::kUnix:
      return abi::kAfUnix;
    case AddressFamily::kInet4:
      return abi::kAfInet;
    case AddressFamily::kInet6:
      return abi::kAfInet6;
    case AddressFamily::kNetlink:
      return abi::kAfNetlink;
    case AddressFamily::kNone:
      break;
  }
  return abi::kAfUnspec;
}

abi::TcpInfo tcp_info_of(const net::TcpInfo& from) {
  abi::TcpInfo to{};
  constexpr u8 kHasSack = 2, kHasScale = 4;
  to.state = from.state;
  to.retransmits = from.retransmits;
  to.options = static_cast<u8>((from.sack ? kHasSack : 0) | (from.window_scaling ? kHasScale : 0));
  to.scales = static_cast<u8>((from.send_scale & 15) | (from.receive_scale << 4));
  to.rto = from.rto_us;
  to.snd_mss = from.send_mss;
  to.rcv_mss = from.receive_mss;
  to.advmss = from.receive_mss;
  to.unacked = from.unacked;
  to.rtt = from.rtt_us;
  to.snd_ssthresh = from.send_threshold;
  to.snd_cwnd = from.send_window;
  to.rcv_space = from.receive_space;
  return to;
}

Result<i64> get_special(net::Socket& socket, i32 level, i32 name, UserAddr value, UserPtr<i32> size) {
  if (level == abi::kSolTcp && name == kTcpInfo) {
    const abi::TcpInfo info = tcp_info_of(TRY(socket.tcp_info()));
    return give(value, size, &info, sizeof info);
  }
  if (level == abi::kSolTcp && name == kTcpCongestion) {
    static constexpr char kName[16] = "reno";
    return give(value, size, kName, sizeof kName);
  }
  if ((level == abi::kSolRaw || level == abi::kSolIcmpv6) && name == kIcmpFilter) {
    const Span<const u8> mask = TRY(socket.icmp_filter());
    return give(value, size, mask.data(), mask.size());
  }
  if (is_group_option(level, name)) return get_group_option(socket, level, name, value, size);
  if (level != abi::kSolSocket) return Errno::NoProtocolOption;
  switch (name) {
    case kSoType:
      return give_number(value, size, static_cast<i32>(socket.type()));
    case kSoProtocol:
      return give_number(value, size, socket.protocol());
    case kSoDomain:
      return give_number(value, size, domain_of(socket.family()));
    case kSoIncomingNapiId:
      return give_number(value, size, 0);
    case kSoPeerCred: {
      const net::PeerCredentials peer = TRY(socket.peer_credentials());
      const abi::Ucred who{peer.pid, peer.uid, peer.gid};
      return give(value, size, &who, sizeof who);
    }
    case kSoAttachFilter:
      return give_filter(socket, value, size);
    case kSoLockFilter:
      return give_number(value, size, socket.filter().locked() ? 1 : 0);
    case kSoPeerGroups:
      return give_peer_groups(socket, value, size);
    case kSoPeerSecurity:
      return Errno::NoProtocolOption;  // no labels are kept
    case kSoCookie: {
      const u64 cookie = socket.number();
      if (TRY(size.read()) < static_cast<i32>(sizeof cookie)) return Errno::Invalid;
      return give(value, size, &cookie, sizeof cookie);
    }
    case kSoBindToDevice:
      return give_device(socket, value, size);
    case kSoPeerName: {
      abi::SockaddrStorage raw;
      const net::Address peer = TRY(socket.peer_address());
      const u32 length = write_sockaddr(peer, &raw);
      // Who asks for more than the address gets nothing (sk_getsockopt).
      if (static_cast<i64>(length) < TRY(size.read())) return Errno::Invalid;
      return give(value, size, &raw, length);
    }
    default:
      return Errno::NoProtocolOption;
  }
}

}  // namespace

Result<i64> sys_setsockopt(i32 fd, i32 level, i32 name, UserAddr value, i32 size) {
  if (size < 0) return Errno::Invalid;
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  if (!level_fits(*socket, level)) return wrong_level(*socket);
  const Row* row = find_row(level, name);
  if (row == nullptr) {
    TRY(set_special(*socket, level, name, value, size));
    return 0;
  }
  const i64 number = TRY(read_number(*row, value, size));
  TRY(socket->set_option(row->option, number));
  return 0;
}

Result<i64> sys_getsockopt(i32 fd, i32 level, i32 name, UserAddr value, UserPtr<i32> size) {
  RefPtr<net::Socket> socket = TRY(get_socket(fd));
  if (!level_fits(*socket, level)) return Errno::NotSupported;
  const i32 room = TRY(size.read());
  if (room < 0) return Errno::Invalid;
  const Row* row = find_row(level, name);
  if (row == nullptr) return get_special(*socket, level, name, value, size);
  const i64 number = TRY(socket->get_option(row->option));
  switch (row->kind) {
    case Kind::TimeOld:
    case Kind::TimeNew: {
      const i64 second = static_cast<i64>(time::kSecond);
      abi::Timeval t{};
      t.tv_sec = number / second;
      t.tv_usec = number % second / 1000;
      return give(value, size, &t, sizeof t);
    }
    case Kind::Linger: {
      const abi::Linger linger{number >= 0, number >= 0 ? static_cast<i32>(number) : 0};
      return give(value, size, &linger, sizeof linger);
    }
    case Kind::Octet:
      // A byte where that is all the program has room for (do_ip_getsockopt).
      if (room >= 1 && static_cast<usize>(room) < sizeof(i32) && number >= 0 && number <= 255) {
        const u8 octet = static_cast<u8>(number);
        return give(value, size, &octet, sizeof octet);
      }
      return give_number(value, size, static_cast<i32>(number));
    default:
      return give_number(value, size, static_cast<i32>(number));
  }
}

}  // namespace uni::shim

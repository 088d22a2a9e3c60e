// SPDX-License-Identifier: Apache-2.0
// TCP sockets: names, listening, and connections within the machine. What goes over the wire is in tcp_wire.cpp,
// options in tcp_options.cpp.
#include "kernel/net/tcp_socket.hpp"

#include "kernel/net/interfaces.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

constexpr u32 kSomaxconn = 4096;
constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm;
// What a local connection may hold in one direction: the sum of a send and a receive buffer.
constexpr u32 kLocalBuffer = 512 * kKiB;
// What a receiver takes beside a send buffer that the program has chosen: Linux's first window.
constexpr u32 kFirstWindow = 64 * kKiB;

}  // namespace

TcpSocket::TcpSocket(AddressFamily family, u32 open_flags) : Socket(family, SocketType::kStream, 6, open_flags) {
  use_.owner = this;
  local_ip_ = remote_ip_ = family == AddressFamily::kInet6 ? kAnyV6 : kAnyV4;
}

TcpSocket::~TcpSocket() {
  if (linger_ > 0 && pcb_ != nullptr) wire_linger();
  List<TcpSocket, &TcpSocket::node_> orphans;
  {
    CoreGuard guard;
    if (waits_for_listener_) node_.unlink();
    wire_unlisten();
    g_tcp_ports.remove(use_);
    groups_.leave_all();
    while (TcpSocket* client = waiting_.pop_front()) {
      client->waits_for_listener_ = false;
      client->state_.store(State::kClosed, std::memory_order_release);
      client->set_error(Errno::ConnectionRefused);
      client->wake(~0u);
    }
    while (TcpSocket* child = pending_.pop_front())
      orphans.push_back(*child);
    wire_close(linger_ == 0);
  }
  // What was not accepted is reset.
  while (TcpSocket* child = orphans.pop_front()) {
    child->linger_ = 0;
    child->unref();
  }
  if (stream_) stream_->close(end_, linger_ == 0);
}

Result<RefPtr<TcpSocket>> TcpSocket::create(AddressFamily family, u32 open_flags) {
  TRY(init());
  return make_ref<TcpSocket>(family, open_flags);
}

// The address in the form that this socket's family works with. Errors: AddressFamilyNotSupported, Invalid.
Result<Address> TcpSocket::resolve(const Address& address) const {
  const bool six = family() == AddressFamily::kInet6;
  if (address.family != (six ? AddressFamily::kInet6 : AddressFamily::kInet4)) {
    return Errno::AddressFamilyNotSupported;
  }
  if (six && v6_only_ && address.ip.is_v4()) return Errno::NetworkUnreachable;
  return address;
}

Address TcpSocket::shown(const IpAddress& ip, u16 port) const {
  Address a = Address::inet(ip, port, family());
  if (ip.is_link_local()) a.scope = scope_;
  return a;
}

Result<void> TcpSocket::claim_port(const IpAddress& ip, u16 port) {
  use_.ip = ip;
  use_.port = port;
  use_.uid = Process::current().credentials.euid;
  use_.dual_stack = family() == AddressFamily::kInet6 && !v6_only_;
  use_.reuse_address = reuse_address_;
  use_.reuse_port = reuse_port_;
  if (!g_tcp_ports.add(use_)) {
    use_.port = 0;
    return Errno::AddressInUse;
  }
  local_ip_ = ip;
  local_port_ = use_.port;
  return {};
}

Result<void> TcpSocket::bind(const Address& address) {
  const bool unspecified = address.family == AddressFamily::kNone && address.ip.is_any();
  Address at = address;
  // AF_UNSPEC with INADDR_ANY is taken for AF_INET (Linux's __inet_bind).
  if (unspecified && family() == AddressFamily::kInet4) at.family = AddressFamily::kInet4;
  at = TRY(resolve(at));
  if (at.ip.is_multicast() || at.ip.is_limited_broadcast()) return Errno::AddressNotAvailable;
  if (!at.ip.is_any() && !is_own_address(at.ip)) {
    wait_for_address(at.ip);
    if (!is_own_address(at.ip) && !free_bind_) return Errno::AddressNotAvailable;
  }
  constexpr u16 kFirstUnprivileged = 1024;
  constexpr unsigned kCapNetBindService = 10;
  if (at.port != 0 && at.port < kFirstUnprivileged && !Process::current().credentials.capable(kCapNetBindService)) {
    return Errno::Access;
  }
  CoreGuard guard;
  if (state() != State::kFresh || use_.bound()) return Errno::Invalid;
  scope_ = at.scope;
  return claim_port(at.ip, at.port);
}

Result<void> TcpSocket::listen(int backlog) {
  CoreGuard guard;
  if (state() != State::kFresh && state() != State::kListening) return Errno::Invalid;
  backlog_ = backlog < 0 ? kSomaxconn : min(static_cast<u32>(backlog), kSomaxconn);
  if (state() == State::kListening) return {};
  if (!use_.bound()) TRY(claim_port(family() == AddressFamily::kInet6 ? kAnyV6 : kAnyV4, 0));
  use_.reuse_address = reuse_address_;
  use_.reuse_port = reuse_port_;
  if (!g_tcp_ports.may_listen(use_)) return Errno::AddressInUse;
  TRY(wire_listen());
  use_.listening = true;
  state_.store(State::kListening, std::memory_order_release);
  wake(fs::kPollHup);
  return {};
}

bool TcpSocket::accept_queue_full(u32 least) const {
  return pending_count_ > max(backlog_, least);
}

void TcpSocket::inherit_from(const TcpSocket& listener) {
  no_delay_ = listener.no_delay_;
  keep_alive_ = listener.keep_alive_;
  keep_idle_s_ = listener.keep_idle_s_;
  keep_interval_s_ = listener.keep_interval_s_;
  keep_count_ = listener.keep_count_;
  linger_ = listener.linger_;
  send_buffer_ = listener.send_buffer_;
  send_buffer_chosen_ = listener.send_buffer_chosen_;
  receive_buffer_ = listener.receive_buffer_;
  send_timeout_ = listener.send_timeout_;
  receive_timeout_ = listener.receive_timeout_;
  reuse_address_ = listener.reuse_address_;
  reuse_port_ = listener.reuse_port_;
  v6_only_ = listener.v6_only_;
  tos_ = listener.tos_;
  ttl_ = listener.ttl_;
  mark_ = listener.mark_;
  oob_inline_ = listener.oob_inline_;
  dont_route_ = listener.dont_route_;
  receive_low_water_ = listener.receive_low_water_;
  timestamp_ = listener.timestamp_;
  cork_ = listener.cork_;
  syn_count_ = listener.syn_count_;
  linger2_ = listener.linger2_;
  user_timeout_ms_ = listener.user_timeout_ms_;
  not_sent_low_water_ = listener.not_sent_low_water_;
  zero_copy_.allow(listener.zero_copy_.allowed());
}

void TcpSocket::add_pending(TcpSocket& child) {
  pending_.push_back(child);
  ++pending_count_;
  queue_.wake_one(kReadBits);
}

// Makes the connection between this client and a child of `listener`.
bool TcpSocket::join_listener(TcpSocket& listener) {
  auto stream_made = make_ref<LocalStream>(StreamFlavour::kTcp);
  if (!stream_made.ok()) return false;
  RefPtr<LocalStream> stream = stream_made.take();
  // Last, because a socket's end takes the core lock.
  auto child_made = make_ref<TcpSocket>(listener.family(), 0u);
  if (!child_made.ok()) return false;
  RefPtr<TcpSocket> child = child_made.take();
  child->inherit_from(listener);
  child->local_ip_ = remote_ip_;
  child->local_port_ = remote_port_;
  child->remote_ip_ = local_ip_;
  child->remote_port_ = local_port_;
  child->stream_ = stream;
  child->end_ = 1;
  stream->attach(0, *this);
  stream->attach(1, *child);
  child->state_.store(State::kConnected, std::memory_order_release);
  stream_ = uni::move(stream);
  end_ = 0;
  state_.store(State::kConnected, std::memory_order_release);
  listener.add_pending(*child.leak());
  wake(kWriteBits);
  return true;
}

// Connects local clients that waited for room.
void TcpSocket::admit_waiting() {
  while (!waiting_.empty() && !accept_queue_full()) {
    TcpSocket* client = waiting_.pop_front();
    client->waits_for_listener_ = false;
    if (client->join_listener(*this)) continue;
    client->state_.store(State::kClosed, std::memory_order_release);
    client->set_error(Errno::NoBuffers);
    client->wake(~0u);
  }
}

Result<void> TcpSocket::connect_local(const Address& to) {
  if (local_ip_.is_any()) local_ip_ = to.ip;
  const u32 spread = static_cast<u32>(local_port_) * 31u + to.port;
  PortUse* found = g_tcp_ports.find(to.ip, to.port, nullptr, 0, spread);
  if (found == nullptr) return Errno::ConnectionRefused;
  // SAFETY: only TcpSockets are entered in the TCP table.
  TcpSocket& listener = *static_cast<TcpSocket*>(found->owner);
  if (listener.accept_queue_full()) {
    state_.store(State::kConnecting, std::memory_order_release);
    waits_for_listener_ = true;
    listener.waiting_.push_back(*this);
    return {};
  }
  return join_listener(listener) ? Result<void>() : Result<void>(Errno::NoBuffers);
}

Result<void> TcpSocket::connect_start(const Address& to) {
  if (!use_.bound()) {
    TRY([&]() -> Result<void> {
      const Result<void> r = claim_port(family() == AddressFamily::kInet6 ? kAnyV6 : kAnyV4, 0);
      return r.ok() ? r : Result<void>(Errno::AddressNotAvailable);
    }());
  }
  remote_ip_ = to.ip;
  remote_port_ = to.port;
  scope_ = to.scope;
  return is_own_address_locked(to.ip) ? connect_local(to) : wire_connect(to);
}

Result<void> TcpSocket::connect(const Address& address, Waiting waiting) {
  const bool no_wait = nonblocking() || waiting == Waiting::kRefused;
  if (address.family == AddressFamily::kNone) {
    // AF_UNSPEC dissolves the association (connect(2)).
    RefPtr<LocalStream> old;
    {
      CoreGuard guard;
      if (state() == State::kListening) return Errno::Invalid;
      wire_close(true);
      g_tcp_ports.remove(use_);
      state_.store(State::kFresh, std::memory_order_release);
      old = uni::move(stream_);
    }
    if (old) old->close(end_, true);
    return {};
  }
  Address to = TRY(resolve(address));
  // "This host" (RFC 1122, 3.2.1.3) is the loopback, as on Linux.
  if (to.ip.is_any()) to.ip = to.ip.is_v4() ? IpAddress::v4(127, 0, 0, 1) : IpAddress::v6_loopback();
  if (to.ip.is_multicast() || to.ip.is_limited_broadcast()) return Errno::NetworkUnreachable;
  if (state() == State::kFresh && !is_own_address(to.ip)) wait_for_address(to.ip);
  bool fresh = false;
  {
    CoreGuard guard;
    switch (state()) {
      case State::kListening:
        return Errno::IsConnected;
      case State::kConnected:
        if (connect_reported_) return Errno::IsConnected;
        connect_reported_ = true;
        return {};
      case State::kConnecting:
        if (no_wait) return Errno::Already;
        break;
      case State::kClosed: {
        // A failed attempt leaves the socket free for another one.
        const Errno e = take_error();
        if (e != Errno{}) {
          state_.store(State::kFresh, std::memory_order_release);
          return e;
        }
        if (connect_reported_) return Errno::IsConnected;
        state_.store(State::kFresh, std::memory_order_release);
        [[fallthrough]];
      }
      case State::kFresh: {
        fresh = true;
        const Result<void> started = connect_start(to);
        if (started.ok()) break;
        if (!no_wait || started.error() != Errno::ConnectionRefused) return started;
        // A non-blocking caller learns of the refusal later, as with the real handshake.
        set_error(started.error());
        state_.store(State::kClosed, std::memory_order_release);
        wake(~0u);
        return Errno::InProgress;
      }
    }
  }
  if (no_wait && fresh) return Errno::InProgress;
  const u64 deadline = send_timeout_ == 0 ? time::kNever : time::deadline_after(send_timeout_);
  const Wake woken = queue_.wait([&] { return state() != State::kConnecting; }, deadline);
  if (woken == Wake::kTimedOut) return Errno::InProgress;
  TRY(waited(woken, send_timeout_));
  CoreGuard guard;
  if (state() == State::kConnected) {
    connect_reported_ = true;
    return {};
  }
  const Errno e = take_error();
  state_.store(State::kFresh, std::memory_order_release);
  return e == Errno{} ? Errno::ConnectionAborted : e;
}

Result<RefPtr<Socket>> TcpSocket::accept(u32 open_flags, Waiting waiting) {
  if (state() != State::kListening) return Errno::Invalid;
  TcpSocket* child = nullptr;
  bool ended = false;
  TRY(wait_until(
      waiting == Waiting::kRefused ? u32{kMsgDontWait} : 0, receive_timeout_,
      [&] {
        CoreGuard guard;
        child = pending_.pop_front();
        ended = state() != State::kListening;
        if (child != nullptr) {
          --pending_count_;
          if (!waiting_.empty()) admit_waiting();
        }
        return child != nullptr || ended;
      },
      true));
  if (child == nullptr) return Errno::Invalid;
  child->set_flags(open_flags | fs::kOpenReadWrite);
  child->connect_reported_ = true;
  return RefPtr<Socket>(RefPtr<TcpSocket>::adopt(child));
}

Result<Address> TcpSocket::local_address() {
  CoreGuard guard;
  return shown(local_ip_, local_port_);
}

u32 TcpSocket::local_limit() const {
  return send_buffer_chosen_ ? send_buffer_ + kFirstWindow : max(send_buffer_, kLocalBuffer);
}

bool TcpSocket::is_over() const {
  return is_local() ? stream_->ended(end_).both() : pcb_ == nullptr;
}

Result<Address> TcpSocket::peer_address() {
  CoreGuard guard;
  if (state() != State::kConnected || is_over()) return Errno::NotConnected;
  return shown(remote_ip_, remote_port_);
}

Result<void> TcpSocket::shutdown(ShutdownHow how) {
  if (state() == State::kConnected && is_local()) {
    const bool over = stream_->ended(end_).both();
    stream_->shutdown(end_, how);
    return over ? Result<void>(Errno::NotConnected) : Result<void>();
  }
  CoreGuard guard;
  if (state() == State::kListening) {
    // Ends listening; blocked accepts give EINVAL (Linux's inet_shutdown).
    if (how == ShutdownHow::kWrite) return {};
    wire_unlisten();
    use_.listening = false;
    state_.store(State::kClosed, std::memory_order_release);
    queue_.wake_all();
    return {};
  }
  if (state() != State::kConnected || is_over()) return Errno::NotConnected;
  if (how != ShutdownHow::kWrite) read_shut_ = true;
  if (how != ShutdownHow::kRead && !write_shut_) {
    write_shut_ = true;
    wire_finish();
  }
  wake(~0u);
  return {};
}

Result<usize> TcpSocket::send(Message& message) {
  return with_report(message, send_data(message));
}

Result<usize> TcpSocket::send_data(Message& message) {
  const State s = state();
  if (s == State::kConnected && is_local()) {
    return stream_->send(end_, *this, message, send_timeout_, local_limit());
  }
  if (s == State::kConnecting) {
    TRY(wait_until(message.flags, send_timeout_, [&] { return state() != State::kConnecting; }));
    return send_data(message);
  }
  if (has_error()) {
    const Errno e = take_error();
    if (e != Errno{}) return e;
  }
  if (s != State::kConnected) return Errno::Pipe;
  return wire_send(message);
}

Result<usize> TcpSocket::receive(Message& message) {
  if ((message.flags & kMsgErrQueue) != 0) return receive_zero_copy_report(message);
  if ((message.flags & kMsgOob) != 0 && state() == State::kConnected && !is_local()) return wire_take_urgent(message);
  if (message.from != nullptr) message.from->family = AddressFamily::kNone;
  switch (state()) {
    case State::kConnected:
      break;
    case State::kConnecting:
      TRY(wait_until(message.flags, receive_timeout_, [&] { return state() != State::kConnecting; }));
      return receive(message);
    default: {
      const Errno e = take_error();
      return e != Errno{} ? e : Errno::NotConnected;
    }
  }
  // MSG_TRUNC: the bytes are dropped, not copied (tcp(7)).
  return is_local() ? stream_->receive(end_, *this, message, receive_timeout_) : wire_receive(message);
}

u32 TcpSocket::poll() {
  const u32 error = has_error() || zero_copy_.waiting() ? u32{fs::kPollErr} : 0;
  switch (state()) {
    case State::kConnected:
      if (is_local()) return stream_->poll(end_, local_limit()) | error;
      return wire_poll() | error;
    case State::kListening: {
      CoreGuard guard;
      return (pending_.empty() ? 0u : kReadBits) | error;
    }
    case State::kConnecting:
      return error;
    case State::kFresh:
      return kWriteBits | fs::kPollHup | error;
    case State::kClosed:
      break;
  }
  return kReadBits | kWriteBits | fs::kPollHup | fs::kPollRdHup | error;
}

usize TcpSocket::readable_bytes() {
  if (state() != State::kConnected) return 0;
  if (is_local()) return stream_->readable_bytes(end_);
  CoreGuard guard;
  const usize mark = wire_mark();
  return oob_inline() || mark == kNoMark ? rx_bytes_ : mark;
}

}  // namespace uni::net

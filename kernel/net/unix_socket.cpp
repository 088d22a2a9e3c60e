// SPDX-License-Identifier: Apache-2.0
// AF_UNIX: names, connections and what all types share. Datagrams are in unix_datagram.cpp.
#include "kernel/net/unix_socket.hpp"

#include "kernel/fs/vfs.hpp"
#include "kernel/net/flight.hpp"
#include "kernel/net/unix_names.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/security/landlock.hpp"

namespace uni::net {

namespace {

constexpr u32 kSomaxconn = 4096;

Address* copy_address(const Address* from) {
  return from == nullptr ? nullptr : new (std::nothrow) Address(*from);
}

StreamFlavour flavour_of(SocketType type) {
  return type == SocketType::kStream ? StreamFlavour::kUnixStream : StreamFlavour::kUnixSeqPacket;
}

}  // namespace

UnixSocket::UnixSocket(SocketType type, u32 open_flags) : Socket(AddressFamily::kUnix, type, 0, open_flags) {}

UnixSocket::~UnixSocket() {
  PacketList undelivered;
  {
    LockGuard guard(g_unix_lock);
    UnixNames::remove(*this);
    set_peer(nullptr);
    while (UnixSocket* sender = senders_.pop_front()) {
      sender->peer_ = nullptr;
      sender->peer_died_ = true;
      sender->wake(~0u);
    }
    while (Packet* p = queue_in_.pop_front())
      undelivered.push_back(*p);
    queue_.wake_all();
    if (door_) {
      door_->socket = nullptr;
      door_->queue.wake_all();
    }
  }
  destroy_all(undelivered);
  // What was not accepted is reset.
  while (UnixSocket* child = pending_.pop_front()) {
    child->stream_->close(child->end_, true);
    child->stream_ = nullptr;
    child->unref();
  }
  if (stream_) stream_->close(end_, false);
  delete name_;
  delete peer_name_;
  flight::look_soon();
}

// It may have been the last one, of a socket that travels: then only the search ends it.
void UnixSocket::descriptor_closed(fs::FileTable&) {
  if (travels_.load(std::memory_order_relaxed) != 0) flight::look_soon();
}

Result<RefPtr<UnixSocket>> UnixSocket::create(SocketType type, u32 open_flags) {
  RefPtr<UnixSocket> socket = TRY(make_ref<UnixSocket>(type, open_flags));
  socket->door_ = TRY(make_ref<UnixDoor>());
  socket->door_->socket = socket.get();
  socket->made_within_.set(Thread::current().landlock.get());
  return socket;
}

Result<void> UnixSocket::create_pair(SocketType type, u32 open_flags, RefPtr<Socket>* a, RefPtr<Socket>* b) {
  RefPtr<UnixSocket> first = TRY(create(type, open_flags));
  RefPtr<UnixSocket> second = TRY(create(type, open_flags));
  first->peer_credentials_ = second->peer_credentials_ = current_credentials();
  if (type == SocketType::kDatagram) {
    LockGuard guard(g_unix_lock);
    first->set_peer(second.get());
    second->set_peer(first.get());
  } else {
    RefPtr<LocalStream> stream = TRY(make_ref<LocalStream>(flavour_of(type)));
    stream->attach(0, *first);
    stream->attach(1, *second);
    first->stream_ = stream;
    second->stream_ = uni::move(stream);
    second->end_ = 1;
    first->state_.store(State::kConnected, std::memory_order_release);
    second->state_.store(State::kConnected, std::memory_order_release);
  }
  *a = uni::move(first);
  *b = uni::move(second);
  return {};
}

// An abstract name of five hexadecimal digits (unix(7), "Autobind feature").
Result<void> UnixSocket::autobind() {
  static std::atomic<u32> next{0};
  for (u32 attempt = 0; attempt < 0x100000; ++attempt) {
    Address address = Address::unix_unnamed();
    BufferWriter out(address.path + 1, 5);
    format(out, "{:05x}", next.fetch_add(1, std::memory_order_relaxed) & 0xfffff);
    address.path[0] = '\0';
    address.path_size = 6;
    Result<void> r = bind(address);
    if (r.ok() || r.error() != Errno::AddressInUse) return r;
  }
  return Errno::NoSpace;
}

Result<void> UnixSocket::bind(const Address& address) {
  if (address.family != AddressFamily::kUnix) return Errno::Invalid;
  {
    LockGuard guard(g_unix_lock);
    if (name_ != nullptr) return address.path_size == 0 ? Result<void>() : Result<void>(Errno::Invalid);
  }
  if (address.path_size == 0) return autobind();
  RefPtr<fs::Inode> inode;
  if (!address.is_abstract()) {
    Process& process = Process::current();
    const fs::PathStart start{*process.fs, process.credentials};
    constexpr u32 kMode = 0777;
    Result<RefPtr<fs::Inode>> made = fs::make_node(start, address.unix_name(), fs::FileType::kSocket, kMode, 0);
    if (!made.ok()) return made.error() == Errno::Exists ? Errno::AddressInUse : made.error();
    inode = made.take();
  }
  Address* name = copy_address(&address);
  if (name == nullptr) return Errno::NoMemory;
  RefPtr<UnixSocket> holder;  // given back after the lock: its end may take the lock
  LockGuard guard(g_unix_lock);
  if (address.is_abstract()) holder = UnixNames::find_abstract(address.unix_name());
  const bool taken = static_cast<bool>(holder);
  if (taken || name_ != nullptr) {
    delete name;
    return taken ? Errno::AddressInUse : Errno::Invalid;
  }
  name_ = name;
  inode_ = uni::move(inode);
  UnixNames::add(*this, inode_ ? UnixNames::hash_inode(*inode_) : UnixNames::hash_abstract(address.unix_name()));
  return {};
}

// The socket bound to `address`. Errors: ConnectionRefused, and those of the path.
Result<RefPtr<UnixSocket>> UnixSocket::find_peer(const Address& address) {
  if (address.family != AddressFamily::kUnix || address.path_size == 0) return Errno::Invalid;
  RefPtr<UnixSocket> found;
  bool abstract_stranger = false;
  if (address.is_abstract()) {
    LockGuard guard(g_unix_lock);
    found = UnixNames::find_abstract(address.unix_name());
    abstract_stranger = found && found.get() != peer_;
  } else {
    Process& process = Process::current();
    const fs::PathStart start{*process.fs, process.credentials};
    RefPtr<fs::Dentry> place = TRY(fs::lookup(start, address.unix_name(), fs::kFollow));
    fs::Inode& inode = *place->inode();
    constexpr u32 kMayWrite = 2;
    TRY(fs::check_access(inode, process.credentials, kMayWrite));
    if (inode.type() != fs::FileType::kSocket) return Errno::ConnectionRefused;
    LockGuard guard(g_unix_lock);
    found = UnixNames::find_inode(inode);
  }
  if (!found) return Errno::ConnectionRefused;
  if (found->type() != type()) return Errno::ProtocolType;
  if (abstract_stranger) TRY(landlock::check_scope(found->made_within_.get(), landlock::kAbstractUnix));
  return found;
}

Result<void> UnixSocket::connect(const Address& address, Waiting waiting) {
  return is_datagram() ? connect_datagram(address) : connect_stream(address, waiting);
}

Result<void> UnixSocket::connect_stream(const Address& address, Waiting waiting) {
  if (state_.load() == State::kConnected) return Errno::IsConnected;
  RefPtr<UnixSocket> listener = TRY(find_peer(address));
  RefPtr<UnixSocket> child = TRY(create(type(), 0));
  RefPtr<LocalStream> stream = TRY(make_ref<LocalStream>(flavour_of(type())));
  OwnPtr<Address> peer_name(copy_address(&address));
  OwnPtr<Address> child_name(copy_address(&address));
  OwnPtr<Address> own_name;
  if (!peer_name || !child_name) return Errno::NoMemory;
  {
    LockGuard guard(g_unix_lock);
    if (name_ != nullptr) own_name.reset(copy_address(name_));
  }
  const PeerCredentials me = current_credentials();
  for (;;) {
    {
      LockGuard guard(g_unix_lock);
      if (listener->state_.load() != State::kListening || listener->read_shut_) return Errno::ConnectionRefused;
      const State state = state_.load();
      if (state == State::kConnected) return Errno::IsConnected;
      if (state == State::kListening) return Errno::Invalid;
      if (listener->pending_count_ <= listener->backlog_) {
        child->stream_ = stream;
        child->end_ = 1;
        child->name_ = child_name.release();
        child->peer_name_ = own_name.release();
        child->peer_credentials_ = me;
        stream->attach(0, *this);
        stream->attach(1, *child);
        child->state_.store(State::kConnected, std::memory_order_release);
        peer_credentials_ = listener->own_credentials_;
        delete exchange(peer_name_, peer_name.release());
        stream_ = uni::move(stream);
        end_ = 0;
        state_.store(State::kConnected, std::memory_order_release);
        listener->pending_.push_back(*child.leak());
        ++listener->pending_count_;
        listener->queue_.wake_one(fs::kPollIn | fs::kPollRdNorm);
        wake(fs::kPollOut | fs::kPollWrNorm | fs::kPollWrBand);
        return {};
      }
    }
    if (nonblocking() || waiting == Waiting::kRefused) return Errno::Again;
    // The listener's door is woken when accept makes room, and by its end.
    const RefPtr<UnixDoor> door = listener->door_;
    listener = {};
    const u64 deadline = send_timeout_ == 0 ? time::kNever : time::deadline_after(send_timeout_);
    const Wake woken = door->queue.wait(
        [&] {
          LockGuard guard(g_unix_lock);
          const UnixSocket* s = door->socket;
          return s == nullptr || s->pending_count_ <= s->backlog_ || s->state_.load() != State::kListening ||
                 s->read_shut_;
        },
        deadline);
    TRY(waited(woken, send_timeout_));
    listener = TRY(find_peer(address));
  }
}

Result<void> UnixSocket::listen(int backlog) {
  if (is_datagram()) return Errno::NotSupported;
  const PeerCredentials me = current_credentials();
  LockGuard guard(g_unix_lock);
  if (name_ == nullptr || state_.load() == State::kConnected) return Errno::Invalid;
  backlog_ = backlog < 0 ? kSomaxconn : min(static_cast<u32>(backlog), kSomaxconn);
  own_credentials_ = me;
  state_.store(State::kListening, std::memory_order_release);
  queue_.wake_all();
  door_->queue.wake_all();
  return {};
}

Result<RefPtr<Socket>> UnixSocket::accept(u32 open_flags, Waiting waiting) {
  if (is_datagram()) return Errno::NotSupported;
  if (state_.load() != State::kListening) return Errno::Invalid;
  UnixSocket* child = nullptr;
  bool shut = false;
  TRY(wait_until(
      waiting == Waiting::kRefused ? u32{kMsgDontWait} : 0, receive_timeout_,
      [&] {
        LockGuard guard(g_unix_lock);
        child = pending_.pop_front();
        shut = read_shut_;
        if (child != nullptr && pending_count_-- > backlog_) door_->queue.wake_all();
        return child != nullptr || shut;
      },
      true));
  if (child == nullptr) return Errno::Invalid;
  child->set_flags(open_flags | fs::kOpenReadWrite);
  return RefPtr<Socket>(RefPtr<UnixSocket>::adopt(child));
}

Result<Address> UnixSocket::local_address() {
  LockGuard guard(g_unix_lock);
  return name_ == nullptr ? Address::unix_unnamed() : *name_;
}

Result<Address> UnixSocket::peer_address() {
  LockGuard guard(g_unix_lock);
  if (is_datagram()) {
    if (peer_ == nullptr) return Errno::NotConnected;
    return peer_->name_ == nullptr ? Address::unix_unnamed() : *peer_->name_;
  }
  if (state_.load() != State::kConnected) return Errno::NotConnected;
  return peer_name_ == nullptr ? Address::unix_unnamed() : *peer_name_;
}

Result<void> UnixSocket::shutdown(ShutdownHow how) {
  if (state_.load(std::memory_order_acquire) == State::kConnected) {
    stream_->shutdown(end_, how);
    return {};
  }
  LockGuard guard(g_unix_lock);
  if (how != ShutdownHow::kRead) write_shut_ = true;
  if (how != ShutdownHow::kWrite) read_shut_ = true;
  queue_.wake_all();
  door_->queue.wake_all();
  for (UnixSocket& sender : senders_)
    sender.wake(~0u);
  return {};
}

Result<usize> UnixSocket::send(Message& message) {
  if ((message.flags & kMsgOob) != 0 && type() != SocketType::kStream) return Errno::NotSupported;
  if (is_datagram()) return send_datagram(message);
  const bool connected = state_.load(std::memory_order_acquire) == State::kConnected;
  if (message.to != nullptr && type() == SocketType::kStream) {
    return connected ? Errno::IsConnected : Errno::NotSupported;
  }
  if (!connected) return write_shut_ ? Errno::Pipe : Errno::NotConnected;
  if (message.rights) TRY(flight::take_off(*message.rights));
  return stream_->send(end_, *this, message, send_timeout_, send_buffer_);
}

Result<usize> UnixSocket::receive(Message& message) {
  if ((message.flags & kMsgOob) != 0 && type() != SocketType::kStream) return Errno::NotSupported;
  if (is_datagram()) {
    Result<usize> received = receive_datagram(message);
    if (message.rights) flight::land(*message.rights);
    return received;
  }
  if (state_.load(std::memory_order_acquire) != State::kConnected) {
    return type() == SocketType::kStream ? Errno::Invalid : Errno::NotConnected;
  }
  if (message.from != nullptr) {
    message.from->family = AddressFamily::kNone;
    LockGuard guard(g_unix_lock);
    if (peer_name_ != nullptr) *message.from = *peer_name_;
  }
  Result<usize> received = stream_->receive(end_, *this, message, receive_timeout_);
  if (message.rights) flight::land(*message.rights);
  return received;
}

Result<i64> UnixSocket::get_option(Option option) {
  if (option == Option::kAcceptsConnections) return state_.load() == State::kListening;
  return Socket::get_option(option);
}

Result<PeerCredentials> UnixSocket::peer_credentials() {
  LockGuard guard(g_unix_lock);
  return peer_credentials_;
}

u32 UnixSocket::poll() {
  if (is_datagram()) return poll_datagram();
  const u32 error = has_error() ? u32{fs::kPollErr} : 0;
  switch (state_.load(std::memory_order_acquire)) {
    case State::kConnected:
      return stream_->poll(end_, send_buffer_) | error;
    case State::kListening: {
      LockGuard guard(g_unix_lock);
      return (pending_.empty() ? 0u : u32{fs::kPollIn | fs::kPollRdNorm}) | error;
    }
    case State::kFresh:
      break;
  }
  return fs::kPollOut | fs::kPollWrNorm | fs::kPollWrBand | fs::kPollHup | error;
}

usize UnixSocket::readable_bytes() {
  if (is_datagram()) {
    LockGuard guard(g_unix_lock);
    return queue_in_.empty() ? 0 : queue_in_.front()->size;
  }
  return state_.load(std::memory_order_acquire) == State::kConnected ? stream_->readable_bytes(end_) : 0;
}

usize UnixSocket::unsent_bytes() {
  return state_.load(std::memory_order_acquire) == State::kConnected ? stream_->unsent_bytes(end_) : 0;
}

}  // namespace uni::net

// SPDX-License-Identifier: Apache-2.0
// A socket that travels holds what its queue holds, and its queue may hold the socket itself, or another whose queue
// does. Such a ring has references for ever, but no descriptor. It is found as Linux's classic unix_gc finds it: of the
// sockets all of whose references travel, those that are not held by the queues of such sockets alone can be reached,
// and so can what their queues hold. From the queues of the rest the descriptors are taken, which ends them.
//
// g_lock (Rank::kFlight) is held over the whole search, and for every take-off and landing. Invariants:
//  - what lies in a queue has taken off before it came there, and lands after it left: so a travelling reference that
//    the search does not find in a queue makes its socket reachable;
//  - only who holds a reference that does not travel reads a socket's queue: so the queues of the searched sockets are
//    not read meanwhile. Others may still send to them.
#include "kernel/net/flight.hpp"

#include "kernel/base/late.hpp"
#include "kernel/net/unix_names.hpp"
#include "kernel/sched/deferred.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

constexpr unsigned kCapSysAdmin = 21, kCapSysResource = 24;

struct UserCount {
  u32 uid;
  u64 files;
};

constinit SpinLock g_lock{Rank::kFlight};

UnixSocket* unix_socket(fs::File& file) {
  if (file.kind() != fs::FileKind::kSocket) return nullptr;
  auto& socket = static_cast<Socket&>(file);
  return socket.family() == AddressFamily::kUnix ? static_cast<UnixSocket*>(&socket) : nullptr;
}

}  // namespace

// What the flights know; all under g_lock but `travelling`.
class Flights final : public sched::Deferred {
 public:
  static Flights& all() {  // needs g_lock
    static constinit Late<Flights> made;
    return made.get();
  }
  static constinit std::atomic<u32> travelling;  // sockets

  Result<void> count(u32 uid, u64 files, u64 limit) {
    UserCount* user = find(uid);
    if (user == nullptr) {
      TRY(users_.push({uid, 0}));
      user = &users_.back();
    }
    if (user->files > limit) return Errno::TooManyRefs;
    user->files += files;
    return {};
  }
  void discount(u32 uid, u64 files) {
    UserCount* user = find(uid);
    user->files -= files;
    if (user->files != 0) return;
    *user = users_.back();
    users_.pop();
  }
  void add(UnixSocket& socket) {
    if (socket.travels_.fetch_add(1, std::memory_order_relaxed) != 0) return;
    sockets_.push_back(socket);
    travelling.fetch_add(1, std::memory_order_relaxed);
  }
  void remove(UnixSocket& socket) {
    if (socket.travels_.fetch_sub(1, std::memory_order_relaxed) != 1) return;
    sockets_.remove(socket);
    travelling.fetch_sub(1, std::memory_order_relaxed);
  }

  void run_deferred() override {
    PacketList lost;
    {
      LockGuard guard(g_lock);
      find_lost(lost);
    }
    destroy_all(lost);
  }

 private:
  using Worklist = List<UnixSocket, &UnixSocket::search_node_>;

  UserCount* find(u32 uid) {
    for (UserCount& user : users_) {
      if (user.uid == uid) return &user;
    }
    return nullptr;
  }

  // The sockets in the packets that a receiver at `socket` could get, those of connections it has not accepted
  // included.
  template <typename Visit>
  static void each_held(UnixSocket& socket, Visit visit) {
    const auto look = [&](Packet& packet) {
      if (!packet.rights) return;
      for (const RefPtr<fs::File>& file : packet.rights->files) {
        if (UnixSocket* held = unix_socket(*file)) visit(*held);
      }
    };
    LockGuard guard(g_unix_lock);
    for (Packet& packet : socket.queue_in_)
      look(packet);
    if (socket.stream_) socket.stream_->each_packet(socket.end_, look);
    for (UnixSocket& child : socket.pending_)
      child.stream_->each_packet(child.end_, look);
  }

  static void take_queued(UnixSocket& socket, PacketList& out) {
    LockGuard guard(g_unix_lock);
    while (Packet* packet = socket.queue_in_.pop_front())
      out.push_back(*packet);
    socket.queued_ = socket.charge_ = socket.bytes_ = 0;
    if (socket.stream_) socket.stream_->take_all(socket.end_, out);
    for (UnixSocket& child : socket.pending_)
      child.stream_->take_all(child.end_, out);
  }

  // Packets that carry what nobody can receive are moved to `lost`.
  void find_lost(PacketList& lost) {
    bool any = false;
    for (UnixSocket& s : sockets_) {
      s.suspect_ = s.ref_count() == s.travels_.load(std::memory_order_relaxed);
      s.unexplained_ = s.travels_.load(std::memory_order_relaxed);
      any |= s.suspect_;
    }
    if (!any) return;
    std::atomic_thread_fence(std::memory_order_acquire);  // the last reader's changes, made before it let go
    for (UnixSocket& s : sockets_) {
      if (s.suspect_) each_held(s, [](UnixSocket& held) { --held.unexplained_; });
    }
    Worklist reached;
    for (UnixSocket& s : sockets_) {
      if (s.suspect_ && s.unexplained_ != 0) reached.push_back(s);
    }
    while (UnixSocket* s = reached.pop_front()) {
      s->suspect_ = false;
      each_held(*s, [&](UnixSocket& held) {
        if (held.suspect_ && !held.search_node_.linked()) reached.push_back(held);
      });
    }
    for (UnixSocket& s : sockets_) {
      if (s.suspect_) take_queued(s, lost);
    }
  }

  Vector<UserCount> users_;
  List<UnixSocket, &UnixSocket::flight_node_> sockets_;
};

constinit std::atomic<u32> Flights::travelling{0};

namespace flight {

Result<void> take_off(Rights& rights) {
  TRY(sched::prepare_deferred_work());
  const Process& process = Process::current();
  const Credentials& who = process.credentials;
  const bool free = who.capable(kCapSysResource) || who.capable(kCapSysAdmin);
  LockGuard guard(g_lock);
  Flights& flights = Flights::all();
  TRY(flights.count(who.uid, rights.files.size(), free ? ~u64{0} : process.limits[kLimitFiles].soft));
  rights.sender_uid = who.uid;
  rights.travels = true;
  for (const RefPtr<fs::File>& file : rights.files) {
    if (UnixSocket* socket = unix_socket(*file)) flights.add(*socket);
  }
  return {};
}

void land(Rights& rights) {
  if (!rights.travels) return;
  rights.travels = false;
  LockGuard guard(g_lock);
  Flights& flights = Flights::all();
  flights.discount(rights.sender_uid, rights.files.size());
  for (const RefPtr<fs::File>& file : rights.files) {
    if (UnixSocket* socket = unix_socket(*file)) flights.remove(*socket);
  }
}

void look_soon() {
  if (Flights::travelling.load(std::memory_order_relaxed) == 0) return;
  LockGuard guard(g_lock);
  sched::defer(Flights::all());
}

}  // namespace flight

Rights::~Rights() {
  flight::land(*this);
}

}  // namespace uni::net

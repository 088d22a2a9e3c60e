// SPDX-License-Identifier: Apache-2.0
// TCP over the wire: an lwIP pcb's life beside its socket, and lwIP's callbacks. Invariants: pcb_ is non-null only
// while lwIP's callbacks for it lead here; a pcb that lwIP frees by itself (TIME_WAIT, CLOSING) is let go before. All
// under the core lock but wire_linger.
#include "kernel/dev/random.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/tcp_socket.hpp"
#include "kernel/time/clock.hpp"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

namespace uni::net {

namespace {

constexpr u32 kReadBits = fs::kPollIn | fs::kPollRdNorm;
constexpr u32 kWriteBits = fs::kPollOut | fs::kPollWrNorm;
// Bursts of connections wait in the queue rather than being told to come again a second later.
constexpr u32 kLeastWireBacklog = 1024;

Errno errno_of(err_t e) {
  switch (e) {
    case ERR_MEM:
    case ERR_BUF:
      return Errno::NoBuffers;
    case ERR_RTE:
      return Errno::NetworkUnreachable;
    case ERR_USE:
      return Errno::AddressNotAvailable;
    case ERR_ISCONN:
      return Errno::IsConnected;
    case ERR_RST:
      return Errno::ConnectionReset;
    case ERR_ABRT:
      return Errno::TimedOut;
    default:
      return Errno::Invalid;
  }
}

}  // namespace

// One lwIP listener for all sockets that listen on the same address and port (SO_REUSEPORT).
struct WireListener {
  tcp_pcb* pcb = nullptr;
  u32 users = 0;
};

struct TcpSocket::WireEvents {
  static TcpSocket& socket(void* arg) { return *static_cast<TcpSocket*>(arg); }

  static err_t received(void* arg, tcp_pcb* pcb, pbuf* data, err_t) {
    if (arg == nullptr) {
      if (data != nullptr) {
        tcp_recved(pcb, data->tot_len);
        pbuf_free(data);
      }
      return ERR_OK;
    }
    TcpSocket& s = socket(arg);
    if (data == nullptr) {
      s.rx_end_ = true;
      if (pcb->state == TIME_WAIT || pcb->state == CLOSING) s.wire_detach();
      s.wake(kReadBits | fs::kPollRdHup | fs::kPollHup);
      return ERR_OK;
    }
    s.rx_bytes_ += data->tot_len;
    pbuf* last = data;
    while (last->next != nullptr)
      last = last->next;
    if (s.rx_tail_ == nullptr)
      s.rx_head_ = data;
    else
      s.rx_tail_->next = data;
    s.rx_tail_ = last;
    s.wake(s.urgent_ ? kReadBits | fs::kPollPri : kReadBits);
    return ERR_OK;
  }

  static err_t sent(void* arg, tcp_pcb* pcb, u16_t) {
    if (arg != nullptr && pcb->snd_buf >= TCP_SNDLOWAT) socket(arg).wake(kWriteBits);
    return ERR_OK;
  }

  // The pcb is gone already.
  static void failed(void* arg, err_t e) {
    if (arg == nullptr) return;
    TcpSocket& s = socket(arg);
    s.pcb_ = nullptr;
    s.rx_end_ = true;
    if (s.state() == State::kConnecting) {
      s.set_error(e == ERR_RST ? Errno::ConnectionRefused : errno_of(e));
      s.state_.store(State::kClosed, std::memory_order_release);
    } else if (e != ERR_CLSD) {
      s.set_error(errno_of(e));
    }
    s.write_shut_ = true;
    s.wake(~0u);
  }

  static err_t connected(void* arg, tcp_pcb* pcb, err_t) {
    if (arg == nullptr) return ERR_OK;
    TcpSocket& s = socket(arg);
    s.local_ip_ = from_lwip(pcb->local_ip);
    s.rx_start_ = pcb->rcv_nxt;
    pcb->cwnd = max<tcpwnd_size_t>(pcb->cwnd, kInitialWindow * pcb->mss);
    s.state_.store(State::kConnected, std::memory_order_release);
    s.wake(kWriteBits);
    return ERR_OK;
  }

  static err_t accepted(void*, tcp_pcb* pcb, err_t e) {
    if (pcb == nullptr || e != ERR_OK) return ERR_VAL;
    const IpAddress remote = from_lwip(pcb->remote_ip);
    const u32 spread = remote.v4_raw() * 31u + pcb->remote_port;
    PortUse* found = g_tcp_ports.find(from_lwip(pcb->local_ip), pcb->local_port, &remote, pcb->remote_port, spread);
    if (found == nullptr) {
      tcp_abort(pcb);
      return ERR_ABRT;
    }
    TcpSocket& listener = *static_cast<TcpSocket*>(found->owner);
    auto made = make_ref<TcpSocket>(listener.family(), 0u);
    if (!made.ok()) {
      tcp_abort(pcb);
      return ERR_ABRT;
    }
    TcpSocket& child = *made.take().leak();
    child.inherit_from(listener);
    child.local_ip_ = from_lwip(pcb->local_ip);
    child.local_port_ = pcb->local_port;
    child.remote_ip_ = remote;
    child.remote_port_ = pcb->remote_port;
    child.wire_adopt(pcb);
    child.rx_start_ = pcb->rcv_nxt;
    pcb->cwnd = max<tcpwnd_size_t>(pcb->cwnd, kInitialWindow * pcb->mss);
    child.state_.store(State::kConnected, std::memory_order_release);
    listener.add_pending(child);
    return ERR_OK;
  }

  static constexpr u32 kInitialWindow = 10;  // segments (RFC 6928)
};

Result<void> TcpSocket::wire_listen() {
  if (!has_wire() || use_.ip.is_loopback()) return {};
  WireListener* shared = nullptr;
  g_tcp_ports.each(use_.port, [&](PortUse& other) {
    if (&other == &use_ || !other.listening || !(other.ip == use_.ip) || other.dual_stack != use_.dual_stack) return;
    shared = static_cast<TcpSocket*>(other.owner)->wire_listener_;
  });
  if (shared == nullptr) {
    OwnPtr<WireListener> fresh = TRY(make_own<WireListener>());
    ip_addr_t at = to_lwip(use_.ip, scope_);
    if (use_.ip.is_any() && use_.dual_stack) at.type = IPADDR_TYPE_ANY;
    tcp_pcb* pcb = tcp_new_ip_type(at.type);
    if (pcb == nullptr) return Errno::NoBuffers;
    ip_set_option(pcb, SOF_REUSEADDR);
    err_t e = tcp_bind(pcb, &at, use_.port);
    if (e == ERR_OK) {
      tcp_pcb* listening = tcp_listen_with_backlog_and_err(pcb, 255, &e);
      if (listening != nullptr) {
        tcp_accept(listening, WireEvents::accepted);
        fresh->pcb = listening;
        pcb = nullptr;
      }
    }
    if (pcb != nullptr) {
      tcp_close(pcb);
      return errno_of(e) == Errno::AddressNotAvailable ? Errno::AddressInUse : errno_of(e);
    }
    shared = fresh.release();
  }
  ++shared->users;
  wire_listener_ = shared;
  return {};
}

void TcpSocket::wire_unlisten() {
  if (wire_listener_ == nullptr) return;
  if (--wire_listener_->users == 0) {
    tcp_close(wire_listener_->pcb);
    delete wire_listener_;
  }
  wire_listener_ = nullptr;
}

void TcpSocket::wire_adopt(tcp_pcb* pcb) {
  pcb_ = pcb;
  tcp_arg(pcb, this);
  tcp_recv(pcb, WireEvents::received);
  tcp_sent(pcb, WireEvents::sent);
  tcp_err(pcb, WireEvents::failed);
  wire_apply_options();
}

void TcpSocket::wire_apply_options() {
  if (pcb_ == nullptr) return;
  if (no_delay_)
    tcp_nagle_disable(pcb_);
  else
    tcp_nagle_enable(pcb_);
  if (keep_alive_)
    ip_set_option(pcb_, SOF_KEEPALIVE);
  else
    ip_reset_option(pcb_, SOF_KEEPALIVE);
  pcb_->keep_idle = keep_idle_s_ * 1000;
  pcb_->keep_intvl = keep_interval_s_ * 1000;
  pcb_->keep_cnt = keep_count_;
  pcb_->tos = tos_;
  pcb_->ttl = ttl_;
}

Result<void> TcpSocket::wire_connect(const Address& to) {
  IpAddress source{};
  if (!has_wire() || !source_address_locked(to.ip, &source)) return Errno::NetworkUnreachable;
  if (is_wire_broadcast_locked(to.ip)) return Errno::NetworkUnreachable;
  const ip_addr_t at = to_lwip(to.ip, to.scope);
  tcp_pcb* pcb = tcp_new_ip_type(at.type);
  if (pcb == nullptr) return Errno::NoBuffers;
  ip_set_option(pcb, SOF_REUSEADDR);
  const ip_addr_t local = to_lwip(local_ip_.is_any() ? source : local_ip_, to.scope);
  err_t e = tcp_bind(pcb, &local, local_port_);
  if (e == ERR_OK) {
    wire_adopt(pcb);
    state_.store(State::kConnecting, std::memory_order_release);
    e = tcp_connect(pcb, &at, to.port, WireEvents::connected);
  }
  if (e == ERR_OK) {
    local_ip_ = from_lwip(pcb->local_ip);
    return {};
  }
  wire_detach();
  state_.store(State::kFresh, std::memory_order_release);
  tcp_abort(pcb);
  return errno_of(e);
}

// lwIP goes on with the pcb alone.
void TcpSocket::wire_detach() {
  if (pcb_ == nullptr) return;
  tcp_arg(pcb_, nullptr);
  tcp_recv(pcb_, nullptr);
  tcp_sent(pcb_, nullptr);
  tcp_err(pcb_, nullptr);
  pcb_ = nullptr;
}

void TcpSocket::wire_finish() {
  if (pcb_ == nullptr) return;
  if (tcp_shutdown(pcb_, 0, 1) != ERR_OK) return;
  if (pcb_ != nullptr && (pcb_->state == TIME_WAIT || pcb_->state == CLOSING)) wire_detach();
}

void TcpSocket::wire_close(bool reset) {
  const bool unread = rx_head_ != nullptr;
  while (pbuf* p = rx_head_) {
    rx_head_ = p->next;
    p->next = nullptr;
    pbuf_free(p);
  }
  rx_tail_ = nullptr;
  rx_bytes_ = 0;
  tcp_pcb* pcb = pcb_;
  if (pcb == nullptr) return;
  if (consumed_ > 0) wire_consumed(0);
  wire_detach();
  // Data that nobody will read is answered with a reset (RFC 2525, 2.17).
  if (reset || unread || tcp_close(pcb) != ERR_OK) tcp_abort(pcb);
}

// Tells lwIP how much the program has read, so that the window opens again.
void TcpSocket::wire_consumed(usize bytes) {
  consumed_ += static_cast<u32>(bytes);
  if (pcb_ == nullptr) {
    consumed_ = 0;
    return;
  }
  while (consumed_ > 0) {
    const u16 part = static_cast<u16>(min<u32>(consumed_, 0x8000));
    tcp_recved(pcb_, part);
    consumed_ -= part;
  }
}

// SO_LINGER: close waits until all is acknowledged, at most linger_ seconds.
void TcpSocket::wire_linger() {
  {
    CoreGuard guard;
    if (pcb_ == nullptr || rx_head_ != nullptr) return;
    wire_finish();
  }
  (void)queue_.wait(
      [&] {
        CoreGuard guard;
        return pcb_ == nullptr || (pcb_->unsent == nullptr && pcb_->unacked == nullptr);
      },
      time::deadline_after(static_cast<u64>(linger_) * time::kSecond));
}

u32 TcpSocket::wire_poll() const {
  CoreGuard guard;
  u32 bits = 0;
  const bool receive_shut = rx_end_ || read_shut_;
  if (receive_shut) bits |= fs::kPollRdHup | kReadBits;
  if (receive_shut && write_shut_) bits |= fs::kPollHup;
  const usize readable = wire_readable();
  if (readable != 0 && readable >= receive_low_water_) bits |= kReadBits;
  if (wire_mark() != kNoMark && !urgent_taken_) bits |= fs::kPollPri;
  if (write_shut_ || pcb_ == nullptr || wire_may_send()) bits |= kWriteBits;
  return bits;
}

bool TcpSocket::wire_may_send() const {
  return pcb_->snd_buf >= TCP_SNDLOWAT && pcb_->snd_queuelen < TCP_SNDQUEUELOWAT;
}

TcpInfo TcpSocket::wire_info() const {
  CoreGuard guard;
  // lwIP's states in Linux's numbers (net/tcp_states.h).
  static constexpr u8 kStates[] = {7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6};
  constexpr u32 kTickUs = TCP_SLOW_INTERVAL * 1000;
  TcpInfo info;
  info.state = kStates[CLOSED];
  if (pcb_ == nullptr) return info;
  info.state = kStates[pcb_->state];
  info.retransmits = pcb_->nrtx;
  info.window_scaling = (pcb_->flags & TF_WND_SCALE) != 0;
  info.sack = (pcb_->flags & TF_SACK) != 0;
  info.send_scale = pcb_->snd_scale;
  info.receive_scale = pcb_->rcv_scale;
  info.rto_us = static_cast<u32>(pcb_->rto) * kTickUs;
  info.rtt_us = pcb_->sa > 0 ? static_cast<u32>(pcb_->sa >> 3) * kTickUs : 0;
  info.send_mss = info.receive_mss = pcb_->mss;
  for (const tcp_seg* seg = pcb_->unacked; seg != nullptr; seg = seg->next)
    ++info.unacked;
  info.send_threshold = pcb_->ssthresh / max<u32>(pcb_->mss, 1);
  info.send_window = pcb_->cwnd / max<u32>(pcb_->mss, 1);
  info.receive_space = pcb_->rcv_wnd;
  return info;
}

usize TcpSocket::unsent_bytes() {
  if (state() != State::kConnected) return 0;
  if (is_local()) return stream_->unsent_bytes(end_);
  CoreGuard guard;
  return pcb_ == nullptr ? 0 : TCP_SND_BUF - pcb_->snd_buf;
}

}  // namespace uni::net

void uni::net::TcpSocket::segment_is_urgent(tcp_pcb* pcb, u32 behind) {
  if (pcb->recv != WireEvents::received || pcb->callback_arg == nullptr) return;
  TcpSocket& s = WireEvents::socket(pcb->callback_arg);
  if (s.pcb_ == pcb && s.state() == State::kConnected) s.urgent_told(behind);
}

// Connection requests wait outside while the accept queue is full: the peer sends its SYN again.
extern "C" signed char uni_lwip_tcp_segment(tcp_pcb* pcb, tcp_hdr* header) {
  using namespace uni::net;
  if (pcb->state != LISTEN) [[likely]] {
    if ((TCPH_FLAGS(header) & TCP_URG) != 0) [[unlikely]]
      TcpSocket::segment_is_urgent(pcb, header->seqno + lwip_ntohs(header->urgp));
    return ERR_OK;
  }
  if ((TCPH_FLAGS(header) & TCP_SYN) == 0) return ERR_OK;
  const IpAddress to = from_lwip(*ip_current_dest_addr());
  const IpAddress from = from_lwip(*ip_current_src_addr());
  const uni::u32 spread = from.v4_raw() * 31u + header->src;
  PortUse* found = g_tcp_ports.find(to, pcb->local_port, &from, header->src, spread);
  if (found == nullptr) return ERR_OK;
  const bool full = static_cast<TcpSocket*>(found->owner)->accept_queue_full(kLeastWireBacklog);
  return full ? ERR_MEM : ERR_OK;
}

extern "C" u32_t uni_lwip_tcp_isn(const ip_addr_t*, u16_t, const ip_addr_t*, u16_t) {
  return static_cast<u32_t>(uni::random::next_u64());
}

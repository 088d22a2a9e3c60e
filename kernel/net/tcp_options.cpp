// SPDX-License-Identifier: Apache-2.0
// Options of TCP sockets (tcp(7), ip(7), ipv6(7)). Those that the wire knows take effect at once; the others are kept
// and shown again, and syscall-shim/abi/sockopts.def says what each does.
#include "kernel/net/tcp_socket.hpp"

namespace uni::net {

Result<void> TcpSocket::set_option(Option option, i64 value) {
  const u32 number = static_cast<u32>(value);
  CoreGuard guard;
  switch (option) {
    case Option::kNoDelay:
      no_delay_ = value != 0;
      break;
    case Option::kCork:
      cork_ = value != 0;
      if (!cork_) wire_flush();
      return {};
    case Option::kKeepIdle:
      if (value < 1 || value > 32767) return Errno::Invalid;
      keep_idle_s_ = number;
      break;
    case Option::kKeepInterval:
      if (value < 1 || value > 32767) return Errno::Invalid;
      keep_interval_s_ = number;
      break;
    case Option::kKeepCount:
      if (value < 1 || value > 127) return Errno::Invalid;
      keep_count_ = number;
      break;
    case Option::kQuickAck:
      quick_ack_ = value != 0;
      return {};
    case Option::kDeferAccept: {
      // Seconds become a number of SYN-ACKs, and that is shown as seconds again (secs_to_retrans).
      u32 seconds = 0;
      for (u32 step = 1; value > 0 && seconds < number && step <= 64; step *= 2)
        seconds += step;
      defer_accept_ = seconds;
      return {};
    }
    case Option::kSynCount:
      if (value < 1 || value > 127) return Errno::Invalid;
      syn_count_ = number;
      return {};
    case Option::kUserTimeout:
      if (value < 0) return Errno::Invalid;
      user_timeout_ms_ = number;
      return {};
    case Option::kLinger2:
      linger2_ = static_cast<i32>(value);
      return {};
    case Option::kWindowClamp:
      window_clamp_ = number;
      return {};
    case Option::kFastOpen:
      if (value < 0) return Errno::Invalid;
      fast_open_ = number;
      return {};
    case Option::kNotSentLowWater:
      not_sent_low_water_ = number;
      return {};
    case Option::kMaxSegment:
      if (value != 0 && (value < 88 || value > 32767)) return Errno::Invalid;
      max_segment_ = number;
      return {};
    case Option::kTos:
    case Option::kV6TrafficClass:
      tos_ = static_cast<u8>(value);
      break;
    case Option::kTtl:
    case Option::kV6Hops:
      if (value != -1 && (value < 1 || value > 255)) return Errno::Invalid;
      ttl_ = value == -1 ? u8{64} : static_cast<u8>(value);
      break;
    case Option::kV6Only:
      if (use_.bound()) return Errno::Invalid;
      v6_only_ = value != 0;
      return {};
    case Option::kFreeBind:
    case Option::kTransparent:
      free_bind_ = value != 0;
      return {};
    case Option::kMulticastTtl:
    case Option::kV6MulticastHops:
      return Errno::Invalid;  // not on a stream
    case Option::kHeaderIncluded:
    case Option::kSendLowWater:
      return Errno::NoProtocolOption;
    default:
      TRY(Socket::set_option(option, value));
      break;
  }
  wire_apply_options();
  return {};
}

Result<i64> TcpSocket::get_option(Option option) {
  constexpr i64 kLocalSegment = 65483;
  switch (option) {
    case Option::kAcceptsConnections:
      return state() == State::kListening;
    case Option::kNoDelay:
      return no_delay_;
    case Option::kCork:
      return cork_;
    case Option::kMaxSegment: {
      const i64 on_wire = state() == State::kConnected && !is_local() ? wire_info().send_mss : 0;
      if (on_wire != 0) return on_wire;
      return is_local() ? kLocalSegment : (max_segment_ != 0 ? i64{max_segment_} : i64{536});
    }
    case Option::kKeepIdle:
      return keep_idle_s_;
    case Option::kKeepInterval:
      return keep_interval_s_;
    case Option::kKeepCount:
      return keep_count_;
    case Option::kQuickAck:
      return quick_ack_;
    case Option::kDeferAccept:
      return defer_accept_;
    case Option::kSynCount:
      return syn_count_;
    case Option::kUserTimeout:
      return user_timeout_ms_;
    case Option::kLinger2:
      return linger2_;
    case Option::kWindowClamp:
      return window_clamp_;
    case Option::kFastOpen:
      return fast_open_;
    case Option::kNotSentLowWater:
      return not_sent_low_water_;
    case Option::kTos:
    case Option::kV6TrafficClass:
      return tos_;
    case Option::kTtl:
    case Option::kV6Hops:
      return ttl_;
    case Option::kV6Only:
      return v6_only_;
    case Option::kFreeBind:
    case Option::kTransparent:
      return free_bind_;
    case Option::kMulticastTtl:
    case Option::kV6MulticastHops:
      return 1;
    case Option::kHeaderIncluded:
      return 0;
    case Option::kMtu: {
      const i64 on_wire = state() == State::kConnected && !is_local() ? wire_info().send_mss + 40 : 0;
      if (state() != State::kConnected) return Errno::NotConnected;
      return on_wire != 0 ? on_wire : 65536;
    }
    default:
      return Socket::get_option(option);
  }
}

Result<void> TcpSocket::change_group(GroupAction action, const GroupRequest& request) {
  CoreGuard guard;
  return groups_.change(action, request);
}

Result<TcpInfo> TcpSocket::tcp_info() {
  if (state() == State::kConnected && !is_local()) return wire_info();
  constexpr u8 kEstablished = 1, kSynSent = 2, kFinWait2 = 5, kClose = 7, kCloseWait = 8, kListen = 10;
  TcpInfo info;
  switch (state()) {
    case State::kConnected: {
      const LocalStream::Ended ended = stream_->ended(end_);
      info.state = ended.both() ? kClose : ended.self ? kFinWait2 : ended.peer ? kCloseWait : kEstablished;
      info.send_mss = info.receive_mss = 65483;
      break;
    }
    case State::kListening:
      info.state = kListen;
      break;
    case State::kConnecting:
      info.state = kSynSent;
      break;
    default:
      info.state = kClose;
  }
  return info;
}

}  // namespace uni::net

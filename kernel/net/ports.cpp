// SPDX-License-Identifier: Apache-2.0
// The port tables: a hash by port number.
#include "kernel/net/ports.hpp"

#include "kernel/dev/random.hpp"

namespace uni::net {

PortTable g_tcp_ports{PortTable::Rules::kTcp};
PortTable g_udp_ports{PortTable::Rules::kUdp};
PortTable g_udp_lite_ports{PortTable::Rules::kUdp};
PortTable g_ping_identifiers{PortTable::Rules::kUdp};

namespace {

// Can one packet be meant for both?
bool overlaps(const PortUse& a, const PortUse& b) {
  if (a.ip == b.ip) return true;
  const bool same_family = a.ip.is_v4() == b.ip.is_v4();
  if (same_family) return a.ip.is_any() || b.ip.is_any();
  const PortUse& six = a.ip.is_v4() ? b : a;
  return six.ip.is_any() && six.dual_stack;
}

}  // namespace

bool PortTable::conflicts(const PortUse& use) {
  bool found = false;
  each(use.port, [&](PortUse& other) {
    if (&other == &use || found || !overlaps(use, other)) return;
    const bool both_reuse = use.reuse_address && other.reuse_address;
    const bool both_port = use.reuse_port && other.reuse_port && use.uid == other.uid;
    if (both_port) return;
    if (both_reuse && (rules_ == Rules::kUdp || (!other.listening && !use.listening))) return;
    found = true;
  });
  return found;
}

bool PortTable::add(PortUse& use) {
  if (use.port != 0) {
    if (conflicts(use)) return false;
  } else {
    constexpr u32 kCount = kEphemeralLast - kEphemeralFirst + 1u;
    const u32 start = static_cast<u32>(random::below(kCount));
    bool free = false;
    // Shared ports are for those who name them: a port that somebody has is passed over.
    for (u32 i = 0; i < kCount && !free; ++i) {
      use.port = static_cast<u16>(kEphemeralFirst + (start + i) % kCount);
      free = true;
      each(use.port, [&](PortUse&) { free = false; });
    }
    if (!free) {
      use.port = 0;
      return false;
    }
  }
  PortUse*& head = heads_[use.port % kBuckets];
  use.next_ = head;
  head = &use;
  return true;
}

void PortTable::remove(PortUse& use) {
  if (!use.bound()) return;
  for (PortUse** at = &heads_[use.port % kBuckets]; *at != nullptr; at = &(*at)->next_) {
    if (*at == &use) {
      *at = use.next_;
      break;
    }
  }
  use.port = 0;
}

bool PortTable::may_listen(const PortUse& use) {
  bool free = true;
  each(use.port, [&](PortUse& other) {
    if (&other == &use || !other.listening || !overlaps(use, other)) return;
    if (use.reuse_port && other.reuse_port && use.uid == other.uid) return;
    free = false;
  });
  return free;
}

PortUse* PortTable::find(const IpAddress& to, u16 port, const IpAddress* from, u16 from_port, u32 spread) {
  PortUse* best = nullptr;
  u32 best_score = 0;
  u32 equals = 0;
  each(port, [&](PortUse& use) {
    if (rules_ == Rules::kTcp ? !use.listening : false) return;
    if (!use.accepts(to)) return;
    u32 score = use.ip.is_any() ? (use.ip.is_v4() == to.is_v4() ? 2 : 1) : 4;
    if (use.connected) {
      if (from == nullptr || use.remote_port != from_port || !(use.remote == *from)) return;
      score += 8;
    }
    if (score < best_score) return;
    if (score > best_score) {
      best_score = score;
      best = &use;
      equals = 1;
      return;
    }
    // Reservoir choice: each of the equals is as likely, and the same `spread` gives the same one.
    ++equals;
    if ((spread * 2654435761u >> 8) % equals == 0) best = &use;
  });
  return best;
}

}  // namespace uni::net

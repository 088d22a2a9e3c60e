// SPDX-License-Identifier: Apache-2.0
// The stack's life: start by configuration, the lock's closing work, and lwIP's clock. lwIP's timers are counters that
// want a call every so often. They are called from one timer of ours, which runs four times a second while something
// may have to be sent again and once a minute else; what was missed in between is made up for (docs/NETWORK.md).
#include "kernel/net/core.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/net/resolver_file.hpp"
#include "kernel/net/wire.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/time/timer.hpp"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/init.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/priv/tcp_priv.h"

namespace uni::net {

SpinLock g_core_lock{Rank::kNetCore};
bool CoreGuard::work_pending = false;

namespace {

constexpr u64 kTickNs = TCP_TMR_INTERVAL * time::kMillisecond;
constexpr u64 kIdleTickNs = 60 * time::kSecond;
constexpr u64 kKeepTicking = 24;  // ticks after something was sent that may need an answer
constexpr u64 kAddressWaitNs = 5 * time::kSecond;
// From the stack's start: routers answer a solicitation within half a second (RFC 4861, 6.2.6), and an address that was
// made of the answer takes two to become unique.
constexpr u64 kRouterWaitNs = 700 * time::kMillisecond;
constexpr u64 kSixWaitNs = 4 * time::kSecond;

enum class Phase : u8 { kNew, kStarting, kReady };
std::atomic<Phase> g_phase{Phase::kNew};
bool g_wired = false;
bool g_dhcp = false;

struct Clock {
  Clock() : timer(fired, this) {}
  static void fired(time::Timer&, void* self) {
    CoreGuard guard;
    static_cast<Clock*>(self)->tick();
  }
  void tick();
  u64 due_tick() const { return (time::monotonic_ns() - started_ns) / kTickNs; }
  void arm(bool busy) {
    armed_busy = busy;
    timer.arm(time::monotonic_ns() + (busy ? kTickNs : kIdleTickNs));
  }
  time::Timer timer;
  WaitQueue address_changed;
  u64 ticks = 0;  // of 250 ms that have been played
  u64 started_ns = 0;
  u64 busy_until = 0;   // in ticks
  u64 quiet_until = 0;  // ticks up to this one passed while no connection was there
  bool armed_busy = false;
};
Clock* g_clock = nullptr;

// The name servers that DHCP gave.
constexpr usize kMaxNameServers = 3;
IpAddress g_name_servers[kMaxNameServers];
usize g_name_server_count = 0;

void add_name_server(const IpAddress& ip) {
  for (usize i = 0; i < g_name_server_count; ++i) {
    if (g_name_servers[i] == ip) return;
  }
  if (g_name_server_count < kMaxNameServers) g_name_servers[g_name_server_count++] = ip;
}

// Is a connection, a lease or an address waiting for time to pass?
bool stack_is_busy() {
  if (tcp_active_pcbs != nullptr || tcp_tw_pcbs != nullptr) return true;
  if (!g_wired) return false;
  netif& n = wire_netif();
  if (g_dhcp && !dhcp_supplied_address(&n)) return true;
  for (u8 i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (ip6_addr_istentative(netif_ip6_addr_state(&n, i))) return true;
  }
  return n.rs_count > 0;
}

// Plays one tick of 250 ms.
void play(u64 tick, bool connections) {
  constexpr u64 kSecondTicks = 4, kHalfTicks = 2, kMinuteTicks = 240;
  if (connections && (tcp_active_pcbs != nullptr || tcp_tw_pcbs != nullptr)) tcp_tmr();
  // IGMP and MLD count tenths of a second; a quarter is two or three of them.
  for (u64 i = tick % 2; i < 3; ++i) {
    igmp_tmr();
    mld6_tmr();
  }
  if (tick % kHalfTicks == 0) dhcp_fine_tmr();
  if (tick % kSecondTicks == 0) {
    etharp_tmr();
    ip_reass_tmr();
    nd6_tmr();
    ip6_reass_tmr();
  }
  if (tick % kMinuteTicks == 0) dhcp_coarse_tmr();
}

void Clock::tick() {
  // lwIP sends nothing again whose memory the device still has.
  wire_poll_device();
  const u64 due = due_tick();
  // A long sleep (a stopped machine) is not played back tick by tick.
  constexpr u64 kMost = 4 * 300;
  if (due > ticks + kMost) ticks = due - kMost;
  while (ticks < due) {
    ++ticks;
    play(ticks, ticks > quiet_until);
  }
  arm(stack_is_busy() || ticks < busy_until);
  if (address_changed.has_waiters()) address_changed.wake_all();
}

void address_changed(netif*) {
  if (g_clock != nullptr) g_clock->address_changed.wake_all();
}

// `static:ADDR/LEN,GATEWAY[,DNS]` (docs/IMAGE.md).
bool configure_static(StringView text) {
  netif& n = wire_netif();
  const usize comma = text.find(',');
  const StringView own = text.slice(0, comma);
  StringView rest = comma == StringView::kNotFound ? StringView() : text.slice(comma + 1);
  const usize slash = own.find('/');
  IpAddress ip{};
  if (slash == StringView::kNotFound || !parse_address(own.slice(0, slash), &ip)) return false;
  const u64 length = parse_decimal(own.slice(slash + 1)).value_or(~u64{0});
  if (length > (ip.is_v4() ? 32 : 128)) return false;
  const usize end = rest.find(',');
  IpAddress gateway{};
  const bool has_gateway = parse_address(rest.slice(0, end), &gateway);
  if (!ip.is_v4()) {
    s8_t index = 0;
    ip_addr_t six = to_lwip(ip);
    ip6_addr_assign_zone(ip_2_ip6(&six), IP6_UNICAST, &n);
    if (netif_add_ip6_address(&n, ip_2_ip6(&six), &index) != ERR_OK) return false;
    return true;
  }
  const u32 mask = length == 0 ? 0 : ~u32{0} << (32 - length);
  const ip4_addr_t a{ip.v4_raw()};
  const ip4_addr_t m{lwip_htonl(mask)};
  const ip4_addr_t g{has_gateway ? gateway.v4_raw() : 0};
  netif_set_addr(&n, &a, &m, &g);
  // Ask for the gateway now: the first packets need not wait.
  if (has_gateway) etharp_query(&n, &g, nullptr);
  return true;
}

Result<void> start_stack(dev::NetDevice& device) {
  g_clock = TRY(make_own<Clock>())
  .release();  // lives as long as the machine
  CoreGuard guard;
  g_clock->started_ns = time::monotonic_ns();
  TRY(wire_start(device));
  netif& n = wire_netif();
  netif_set_status_callback(&n, address_changed);
  n.hostname = "uni";
  netif_create_ip6_linklocal_address(&n, 1);
  n.ip6_autoconfig_enabled = 1;
  g_wired = true;
  const StringView net = boot::config().get(BootKey::net, "none");
  constexpr StringView kStatic = "static:";
  if (net == "dhcp") {
    g_dhcp = dhcp_start(&n) == ERR_OK;
  } else if (!net.starts_with(kStatic) || !configure_static(net.slice(kStatic.size()))) {
    log::error("net: cannot use `{}`", net);
  }
  // Asks for routers and whether the link-local address is taken, without the second that a timer would wait.
  nd6_tmr();
  g_clock->busy_until = kKeepTicking;
  g_clock->arm(true);
  return {};
}

}  // namespace

void CoreGuard::finish() {
  work_pending = false;
  for (netif* n = netif_list; n != nullptr; n = n->next) {
    if (n->loop_first != nullptr) netif_poll(n);
  }
  wire_flush_device();
}

Result<void> init() {
  if (g_phase.load(std::memory_order_acquire) == Phase::kReady) return {};
  Phase expected = Phase::kNew;
  if (!g_phase.compare_exchange_strong(expected, Phase::kStarting, std::memory_order_acq_rel)) {
    while (g_phase.load(std::memory_order_acquire) != Phase::kReady)
      sched::yield();
    return {};
  }
  {
    CoreGuard guard;
    lwip_init();
  }
  dev::NetDevice* device = dev::net_device(0);
  const bool wanted = !(boot::config().get(BootKey::net, "none") == "none");
  if (device != nullptr && wanted) {
    const Result<void> started = start_stack(*device);
    if (!started.ok()) log::error("net: the device does not start: {}", started.error());
  }
  g_phase.store(Phase::kReady, std::memory_order_release);
  return {};
}

bool name_server(usize n, IpAddress* out) {
  CoreGuard guard;
  if (n >= g_name_server_count) return false;
  *out = g_name_servers[n];
  return true;
}

bool has_wire() {
  return g_wired;
}

namespace {

// Is there an IPv6 address beyond the link, be it not yet known to be unique?
bool six_is_coming() {
  const netif& n = wire_netif();
  for (u8 i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (!ip6_addr_isinvalid(netif_ip6_addr_state(&n, i)) && !ip6_addr_islinklocal(netif_ip6_addr(&n, i))) return true;
  }
  return false;
}

bool six_is_ready(const IpAddress& to) {
  const bool link = to.is_link_local() || to.is_multicast();
  const netif& n = wire_netif();
  for (u8 i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
    if (!ip6_addr_isvalid(netif_ip6_addr_state(&n, i))) continue;
    if (link || !ip6_addr_islinklocal(netif_ip6_addr(&n, i))) return true;
  }
  return false;
}

void wait_for_six(const IpAddress& to, Router router) {
  if (!g_wired) return;
  const bool link = to.is_link_local() || to.is_multicast();
  const u64 started = g_clock->started_ns;
  if (time::monotonic_ns() >= started + kSixWaitNs) return;
  // Without a router nobody waits for long.
  const auto coming = [&] {
    CoreGuard guard;
    return link || six_is_coming();
  };
  const auto ready = [&] {
    CoreGuard guard;
    return six_is_ready(to);
  };
  if (!coming() && router == Router::kAwaited) (void)g_clock->address_changed.wait(coming, started + kRouterWaitNs);
  if (coming() && !ready()) (void)g_clock->address_changed.wait(ready, started + kSixWaitNs);
}

// Once: what DHCP or a router said of name servers becomes the resolver's.
void pass_on_name_servers() {
  static std::atomic<bool> written{false};
  IpAddress server{};
  if (name_server(0, &server) && !written.exchange(true)) write_resolver_file();
}

}  // namespace

void wait_for_address(const IpAddress& to, Router router) {
  if (!to.is_v4()) {
    wait_for_six(to, router);
    return pass_on_name_servers();
  }
  if (!g_dhcp) return;
  (void)g_clock->address_changed.wait(
      [] {
        CoreGuard guard;
        return dhcp_supplied_address(&wire_netif()) != 0;
      },
      time::deadline_after(kAddressWaitNs));
  pass_on_name_servers();
}

void poll_wire() {
  if (!wire_has_received()) return;
  CoreGuard guard;
  wire_poll_device();
}

void keep_ticking() {
  if (g_clock == nullptr) return;
  if (!g_clock->armed_busy) {
    // The ticks of a quiet time are still to be played, but not to what begins now.
    g_clock->quiet_until = g_clock->due_tick();
    g_clock->arm(true);
  }
  g_clock->busy_until = g_clock->ticks + kKeepTicking;
}

void release_wire_buffer(void* pbuf_chain) {
  CoreGuard guard;
  pbuf_free(static_cast<pbuf*>(pbuf_chain));
}

}  // namespace uni::net

extern "C" {

void uni_lwip_name_server(uint8_t, const ip_addr_t* server) {
  if (server != nullptr) uni::net::add_name_server(uni::net::from_lwip(*server));
}

const ip_addr_t* uni_lwip_get_name_server(uint8_t) {
  return IP6_ADDR_ANY;
}

// DHCP options that lwIP does not take itself: name servers (6) and the MTU (26, RFC 2132).
void uni_lwip_dhcp_option(netif* n, pbuf* packet, uint8_t option, uint8_t size, uint16_t offset) {
  using namespace uni;
  constexpr u8 kDnsServers = 6, kMtu = 26;
  if (option == kMtu && size == 2) {
    const u32 high = pbuf_get_at(packet, offset);
    const u32 mtu = high << 8 | pbuf_get_at(packet, static_cast<u16>(offset + 1));
    constexpr u32 kLeast = 1280;
    if (mtu >= kLeast) n->mtu = static_cast<u16>(mtu);
  }
  for (u16 i = 0; option == kDnsServers && i + 4 <= size; i = static_cast<u16>(i + 4)) {
    u32 address = 0;
    if (pbuf_copy_partial(packet, &address, 4, static_cast<u16>(offset + i)) == 4) {
      net::add_name_server(net::IpAddress::v4_raw(address));
    }
  }
}

// lwIP registered a connection: its clock must run (tcp_priv.h).
void tcp_timer_needed() {
  uni::net::keep_ticking();
}

uint32_t uni_lwip_random() {
  return static_cast<uint32_t>(uni::random::next_u64());
}

void* uni_lwip_malloc(size_t size) {
  return ::operator new(size, std::nothrow);
}

void* uni_lwip_calloc(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  void* memory = ::operator new(bytes, std::nothrow);
  if (memory != nullptr) __builtin_memset(memory, 0, bytes);
  return memory;
}

void uni_lwip_free(void* memory) {
  ::operator delete(memory);
}

void uni_lwip_panic(const char* message, const char* file, int line) {
  uni::panic(message, file, line);
}

// The Internet checksum (RFC 1071), not complemented, eight bytes at a time.
uint16_t uni_lwip_checksum(const void* data, int size) {
  const unsigned char* at = static_cast<const unsigned char*>(data);
  uint64_t sum = 0;
  uint64_t carry = 0;
  for (; size >= 32; size -= 32, at += 32) {
    uint64_t w[4];
    __builtin_memcpy(w, at, sizeof w);
    for (uint64_t x : w)
      carry += __builtin_add_overflow(sum, x, &sum);
  }
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t x = 0;
    __builtin_memcpy(&x, at, 8);
    carry += __builtin_add_overflow(sum, x, &sum);
  }
  if (size > 0) {
    uint64_t x = 0;
    __builtin_memcpy(&x, at, static_cast<size_t>(size));
    carry += __builtin_add_overflow(sum, x, &sum);
  }
  uint64_t folded = (sum & 0xffffffff) + (sum >> 32) + carry;
  while (folded >> 16 != 0)
    folded = (folded & 0xffff) + (folded >> 16);
  return static_cast<uint16_t>(folded);
}

}  // extern "C"

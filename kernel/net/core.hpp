// SPDX-License-Identifier: Apache-2.0
// The lock around the TCP/IP stack and the socket tables, and the stack's life. lwIP is not re-entrant: everything that
// calls it holds a CoreGuard. Nothing under it blocks or touches the program's memory (docs/NETWORK.md).
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"
#include "kernel/net/address.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::net {

extern SpinLock g_core_lock;

// Holds the core lock. At the end it hands over what the stack sent to itself and tells the device about new frames.
class [[nodiscard]] CoreGuard {
 public:
  CoreGuard() { g_core_lock.lock(); }
  ~CoreGuard() {
    if (work_pending) finish();
    g_core_lock.unlock();
  }
  CoreGuard(const CoreGuard&) = delete;
  CoreGuard& operator=(const CoreGuard&) = delete;

  // Set by the interfaces, under the lock, when finish() has something to do.
  static bool work_pending;

 private:
  static void finish();
};

// Makes the socket tables and, where the machine has a network device that the image wants (`net=`), starts the
// stack on it. The first call does the work; called when a socket that needs it is made. May block. Errors: NoMemory.
Result<void> init();

// Is there a network beside the loopback?
bool has_wire();
// Waits until there is an address to reach `to` from, a few seconds at most: DHCP's, or one of IPv6 that a router's
// advertisement gave and that is known to be unique. After the start's first seconds, or without a device, never waits.
// Router::kAsIs: for no router that has not spoken yet. connect(2) of UDP sends nothing, and resolvers only ask by it
// which of a name's addresses can be reached.
enum class Router : u8 { kAwaited, kAsIs };
void wait_for_address(const IpAddress& to, Router router = Router::kAwaited);
// Takes waiting frames from the device, where there are any, without waiting for its interrupt.
void poll_wire();

// Keeps the stack's clock ticking for some seconds: something may have to be sent again. Core lock held.
void keep_ticking();

// Frees a pbuf chain that a Packet carries. Takes the core lock.
void release_wire_buffer(void* pbuf_chain);

}  // namespace uni::net

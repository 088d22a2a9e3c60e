// SPDX-License-Identifier: Apache-2.0
// The network device under lwIP: an Ethernet netif whose frames go between lwIP's pbufs and the device without a copy.
// Everything here needs the core lock unless it says otherwise.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/types.hpp"
#include "kernel/dev/net_device.hpp"
#include "lwip/netif.h"

namespace uni::net {

// Adds the netif of `device` as the default one and starts the device. Errors: NoMemory, and the device's.
Result<void> wire_start(dev::NetDevice& device);
// The netif; only after wire_start.
netif& wire_netif();
// Tells the device about frames queued since the last flush.
void wire_flush_device();
// Takes received frames; from interrupts and before a reader sleeps.
void wire_poll_device();
bool wire_has_received();  // needs no lock

}  // namespace uni::net

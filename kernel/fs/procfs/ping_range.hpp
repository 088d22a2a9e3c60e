// SPDX-License-Identifier: Apache-2.0
// /proc/sys/net/ipv4/ping_group_range: whose groups may make "ping" sockets without a privilege (icmp(7)). All may, as
// systemd sets it.
#pragma once

namespace uni::fs::procfs {

// Is one of the calling process's groups within the range?
bool may_ping();

}  // namespace uni::fs::procfs

// SPDX-License-Identifier: Apache-2.0
// The options of groups that have structures: memberships, source filters, IP_MULTICAST_IF (ip(7), ipv6(7), RFC 3678).
#pragma once

#include "kernel/net/socket.hpp"
#include "syscall-shim/abi/socket.hpp"

namespace uni::shim {

bool is_group_option(i32 level, i32 name);
// Errors: Invalid, Fault, Protocol (a stream), and those of net::Multicast.
Result<void> set_group_option(net::Socket& socket, i32 level, i32 name, UserAddr value, i32 size);
// IP_MULTICAST_IF, IP_MSFILTER, MCAST_MSFILTER; others are NoProtocolOption.
Result<i64> get_group_option(net::Socket& socket, i32 level, i32 name, UserAddr value, UserPtr<i32> size);

}  // namespace uni::shim

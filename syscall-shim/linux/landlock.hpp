// SPDX-License-Identifier: Apache-2.0
// landlock(7) at the ABI: its three calls are declared in process.hpp.
#pragma once

#include "kernel/fs/file.hpp"
#include "kernel/net/socket.hpp"
#include "kernel/security/landlock.hpp"

namespace uni::shim {

// May the file, a device perhaps, have this ioctl? Those that only touch the descriptor or any file system always may.
bool landlock_allows_ioctl(const fs::File& file, u32 command);
// bind(2) and connect(2): TCP's ports. To end a connection (AF_UNSPEC) is always allowed. Errors: Access.
Result<void> check_landlock_port(const net::Socket& socket, const net::Address& address, landlock::NetAccess wanted);

}  // namespace uni::shim

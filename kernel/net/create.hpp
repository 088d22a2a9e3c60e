// SPDX-License-Identifier: Apache-2.0
// Makes sockets by family.
#pragma once

#include "kernel/net/socket.hpp"

namespace uni::net {

// A socket that was checked to be of a supported kind. Errors: ProtocolNotSupported, SocketTypeNotSupported,
// NotPermitted (raw), NoMemory.
Result<RefPtr<Socket>> create_inet(AddressFamily family, int type, int protocol, u32 open_flags);
Result<RefPtr<Socket>> create_unix(int type, int protocol, u32 open_flags);
Result<RefPtr<Socket>> create_netlink(int type, int protocol, u32 open_flags);

}  // namespace uni::net

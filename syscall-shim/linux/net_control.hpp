// SPDX-License-Identifier: Apache-2.0
// Control messages (cmsg(3)): descriptors, credentials, packet information.
#pragma once

#include "kernel/net/socket.hpp"
#include "syscall-shim/abi/socket.hpp"

namespace uni::shim {

// Takes the control messages of a sendmsg. Errors: Invalid, Fault, BadFd, NotPermitted, NoBuffers.
Result<void> read_control(const net::Socket& socket, const abi::Msghdr& header, net::Message& message);
// Writes those of a recvmsg, as far as there is room (kMsgCtrunc); gives the bytes used. Errors: Fault.
Result<u64> write_control(net::Socket& socket, const abi::Msghdr& header, net::Message& message);

}  // namespace uni::shim

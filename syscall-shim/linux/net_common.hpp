// SPDX-License-Identifier: Apache-2.0
// What the socket handlers share: descriptors to sockets, sockaddr to Address and back.
#pragma once

#include "kernel/net/socket.hpp"
#include "syscall-shim/abi/socket.hpp"

namespace uni::shim {

// Errors: BadFd, NotSocket.
Result<RefPtr<net::Socket>> get_socket(i32 fd);

// A sockaddr of the program. AF_UNSPEC gives AddressFamily::kNone, with `ip` set where the layout is sockaddr_in's.
// Errors: Invalid (the length), Fault, AddressFamilyNotSupported.
Result<net::Address> read_address(const net::Socket& socket, UserAddr from, i32 size);

// Lays out an address; gives its length, 0 for kNone.
u32 write_sockaddr(const net::Address& address, abi::SockaddrStorage* out);
// Copies as much of it as *size allows and stores the whole length there (move_addr_to_user). Errors: Fault, Invalid.
Result<void> put_address(const net::Address& address, UserAddr to, UserPtr<i32> size);

// accept4(2) on a socket: installs the descriptor. Errors: those of accept(2), Again where it may not wait.
Result<i64> accept_socket(net::Socket& socket, UserAddr address, UserPtr<i32> size, i32 flags, net::Waiting waiting);
// sendmsg(2) and recvmsg(2) on a socket.
Result<i64> send_one_message(net::Socket& socket, UserPtr<abi::Msghdr> message, u32 flags);
Result<i64> receive_one_message(net::Socket& socket, UserPtr<abi::Msghdr> message, u32 flags);

// The descriptors in `rights` get numbers in this process. Gives how many were placed in `numbers`.
usize install_rights(net::Rights& rights, bool close_on_exec, i32* numbers, usize room);

}  // namespace uni::shim

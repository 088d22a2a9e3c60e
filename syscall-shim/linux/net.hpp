// SPDX-License-Identifier: Apache-2.0
// Handlers of the net family: sockets.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/socket.hpp"
#include "syscall-shim/abi/time.hpp"

namespace uni::shim {

Result<i64> sys_socket(i32 family, i32 type, i32 protocol);
Result<i64> sys_socketpair(i32 family, i32 type, i32 protocol, UserPtr<i32> fds);
Result<i64> sys_bind(i32 fd, UserAddr address, i32 size);
Result<i64> sys_connect(i32 fd, UserAddr address, i32 size);
Result<i64> sys_listen(i32 fd, i32 backlog);
Result<i64> sys_accept(i32 fd, UserAddr address, UserPtr<i32> size);
Result<i64> sys_accept4(i32 fd, UserAddr address, UserPtr<i32> size, i32 flags);
Result<i64> sys_getsockname(i32 fd, UserAddr address, UserPtr<i32> size);
Result<i64> sys_getpeername(i32 fd, UserAddr address, UserPtr<i32> size);
Result<i64> sys_shutdown(i32 fd, i32 how);

Result<i64> sys_sendto(i32 fd, UserAddr data, u64 size, u32 flags, UserAddr address, i32 address_size);
Result<i64> sys_recvfrom(i32 fd, UserAddr data, u64 size, u32 flags, UserAddr address, UserPtr<i32> address_size);
Result<i64> sys_sendmsg(i32 fd, UserPtr<abi::Msghdr> message, u32 flags);
Result<i64> sys_recvmsg(i32 fd, UserPtr<abi::Msghdr> message, u32 flags);
Result<i64> sys_sendmmsg(i32 fd, UserPtr<abi::Mmsghdr> messages, u32 count, u32 flags);
Result<i64> sys_recvmmsg(i32 fd, UserPtr<abi::Mmsghdr> messages, u32 count, u32 flags, UserPtr<abi::Timespec> timeout);

Result<i64> sys_setsockopt(i32 fd, i32 level, i32 name, UserAddr value, i32 size);
Result<i64> sys_getsockopt(i32 fd, i32 level, i32 name, UserAddr value, UserPtr<i32> size);

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// Handlers of the io family: asynchronous I/O.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/aio.hpp"
#include "syscall-shim/abi/io_uring.hpp"
#include "syscall-shim/abi/poll.hpp"
#include "syscall-shim/abi/time.hpp"

namespace uni::shim {

// aio.cpp
Result<i64> sys_io_setup(u32 events, UserPtr<u64> id);
Result<i64> sys_io_destroy(u64 id);
Result<i64> sys_io_submit(u64 id, i64 count, UserPtr<u64> requests);
Result<i64> sys_io_cancel(u64 id, UserPtr<abi::Iocb> request, UserAddr result);
Result<i64> sys_io_getevents(u64 id, i64 least, i64 most, UserPtr<abi::IoEvent> events, UserPtr<abi::Timespec> timeout);
Result<i64> sys_io_pgetevents(u64 id, i64 least, i64 most, UserPtr<abi::IoEvent> events, UserPtr<abi::Timespec> timeout,
                              UserPtr<abi::SigSetArgument> mask);

// io_uring.cpp
Result<i64> sys_io_uring_setup(u32 entries, UserPtr<abi::UringParams> params);
Result<i64> sys_io_uring_enter(i32 fd, u32 to_submit, u32 least, u32 flags, UserAddr argument, u64 size);
Result<i64> sys_io_uring_register(i32 fd, u32 operation, UserAddr argument, u32 count);

}  // namespace uni::shim

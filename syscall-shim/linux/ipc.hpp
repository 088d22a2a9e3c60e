// SPDX-License-Identifier: Apache-2.0
// Handlers of the ipc family: System V shared memory, semaphores and message queues, and POSIX message queues.
#pragma once

#include "kernel/ipc/object.hpp"
#include "kernel/ipc/semaphores.hpp"
#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/ipc.hpp"
#include "syscall-shim/abi/mqueue.hpp"
#include "syscall-shim/abi/time.hpp"
#include "syscall-shim/linux/fs.hpp"

namespace uni::shim {

// ipc_shm.cpp
Result<i64> sys_shmget(i32 key, u64 size, u32 flags);
Result<i64> sys_shmat(i32 id, u64 address, u32 flags);
Result<i64> sys_shmdt(u64 address);
Result<i64> sys_shmctl(i32 id, i32 command, UserPtr<u8> argument);

// ipc_sem.cpp
Result<i64> sys_semget(i32 key, i32 count, u32 flags);
Result<i64> sys_semop(i32 id, UserPtr<ipc::SemaphoreOperation> operations, u32 count);
Result<i64> sys_semtimedop(i32 id, UserPtr<ipc::SemaphoreOperation> operations, u32 count,
                           UserPtr<abi::Timespec> timeout);
Result<i64> sys_semctl(i32 id, i32 number, i32 command, u64 argument);

// ipc_msg.cpp
Result<i64> sys_msgget(i32 key, u32 flags);
Result<i64> sys_msgsnd(i32 id, UserPtr<u8> message, u64 size, u32 flags);
Result<i64> sys_msgrcv(i32 id, UserPtr<u8> message, u64 size, i64 type, u32 flags);
Result<i64> sys_msgctl(i32 id, i32 command, UserPtr<u8> argument);

// ipc_mq.cpp
Result<i64> sys_mq_open(UserText name, i32 flags, u32 mode, UserPtr<abi::MqAttr> attributes);
Result<i64> sys_mq_unlink(UserText name);
Result<i64> sys_mq_timedsend(i32 fd, UserPtr<u8> text, u64 size, u32 priority, UserPtr<abi::Timespec> timeout);
Result<i64> sys_mq_timedreceive(i32 fd, UserPtr<u8> text, u64 size, UserPtr<u32> priority,
                                UserPtr<abi::Timespec> timeout);
Result<i64> sys_mq_notify(i32 fd, UserPtr<abi::Sigevent> event);
Result<i64> sys_mq_getsetattr(i32 fd, UserPtr<abi::MqAttr> fresh, UserPtr<abi::MqAttr> old);

inline abi::IpcPerm to_perm(const ipc::Object& o) {
  abi::IpcPerm p{};
  p.key = o.key;
  p.uid = o.uid;
  p.gid = o.gid;
  p.cuid = o.cuid;
  p.cgid = o.cgid;
  p.mode = o.mode;
  p.seq = static_cast<u16>(o.sequence);
  return p;
}
inline ipc::Ownership to_ownership(const abi::IpcPerm& p) {
  return {p.uid, p.gid, p.mode};
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// Linux's System V IPC structures and commands, x86-64 layout (asm-generic/ipcbuf.h, shmbuf.h, msgbuf.h; sembuf.h).
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct IpcPerm {
  i32 key;
  u32 uid, gid, cuid, cgid;
  u32 mode;
  u16 seq;
  u16 pad;
  u32 pad2;
  u64 unused[2];
};
static_assert(sizeof(IpcPerm) == 48);

struct ShmidDs {
  IpcPerm perm;
  u64 segsz;
  i64 atime, dtime, ctime;
  i32 cpid, lpid;
  u64 nattch;
  u64 unused[2];
};
static_assert(sizeof(ShmidDs) == 112);

struct ShmInfoLimits {  // struct shminfo64
  u64 shmmax, shmmin, shmmni, shmseg, shmall;
  u64 unused[4];
};
static_assert(sizeof(ShmInfoLimits) == 72);

struct ShmInfoUsed {  // struct shm_info
  i32 used_ids;
  i32 pad;
  u64 shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};
static_assert(sizeof(ShmInfoUsed) == 48);

struct SemidDs {
  IpcPerm perm;
  i64 otime;
  u64 unused1;
  i64 ctime;
  u64 unused2;
  u64 nsems;
  u64 unused[2];
};
static_assert(sizeof(SemidDs) == 104);

struct SemInfo {
  i32 semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};
static_assert(sizeof(SemInfo) == 40);

struct MsqidDs {
  IpcPerm perm;
  i64 stime, rtime, ctime;
  u64 cbytes, qnum, qbytes;
  i32 lspid, lrpid;
  u64 unused[2];
};
static_assert(sizeof(MsqidDs) == 120);

struct MsgInfo {
  i32 msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
  u16 msgseg;
  u16 pad;
};
static_assert(sizeof(MsgInfo) == 32);

// Commands of shmctl, semctl and msgctl.
inline constexpr i32 kIpcRmid = 0, kIpcSet = 1, kIpcStat = 2, kIpcInfo = 3;
inline constexpr i32 kShmLock = 11, kShmUnlock = 12, kShmStat = 13, kShmInfo = 14, kShmStatAny = 15;
inline constexpr i32 kSemGetPid = 11, kSemGetVal = 12, kSemGetAll = 13, kSemGetNcnt = 14, kSemGetZcnt = 15,
                     kSemSetVal = 16, kSemSetAll = 17, kSemStat = 18, kSemInfo = 19, kSemStatAny = 20;
inline constexpr i32 kMsgStat = 11, kMsgInfo = 12, kMsgStatAny = 13;
inline constexpr u32 kMsgNoError = 010000, kMsgExcept = 020000, kMsgCopy = 040000;

}  // namespace uni::abi

// SPDX-License-Identifier: Apache-2.0
// Linux's file structures and constants, x86-64 layout. Flags of open(2) are in kernel/fs/file.hpp, with Linux's
// values.
#pragma once

#include "syscall-shim/abi/time.hpp"
#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct Stat {
  u64 st_dev, st_ino, st_nlink;
  u32 st_mode, st_uid, st_gid, pad0;
  u64 st_rdev;
  i64 st_size, st_blksize, st_blocks;
  Timespec st_atim, st_mtim, st_ctim;
  i64 unused[3];
};
static_assert(sizeof(Stat) == 144);

struct StatxTimestamp {
  i64 tv_sec;
  u32 tv_nsec;
  i32 reserved;
};

struct Statx {
  u32 stx_mask, stx_blksize;
  u64 stx_attributes;
  u32 stx_nlink, stx_uid, stx_gid;
  u16 stx_mode, spare0;
  u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
  StatxTimestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
  u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
  u64 stx_mnt_id;
  u32 stx_dio_mem_align, stx_dio_offset_align;
  u64 spare[12];
};
static_assert(sizeof(Statx) == 256);
inline constexpr u32 kStatxBasic = 0x7ff, kStatxBirth = 0x800, kStatxMountId = 0x1000, kStatxReserved = 0x80000000;
inline constexpr u64 kStatxAttrMountRoot = 0x2000;

struct Statfs {
  i64 f_type, f_bsize;
  u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
  i32 f_fsid[2];
  i64 f_namelen, f_frsize, f_flags;
  i64 spare[4];
};
static_assert(sizeof(Statfs) == 120);

struct Ustat {
  i32 tfree;
  u64 tinode;
  char fname[6], fpack[6];
};
static_assert(sizeof(Ustat) == 32);

struct FileHandle {  // its bytes follow
  u32 bytes;
  i32 type;
};
inline constexpr u32 kLargestHandle = 128;  // MAX_HANDLE_SZ

// cachestat(2): struct cachestat_range; 0 for all that follows.
struct CacheRange {
  u64 offset, length;
};
struct CacheStat {
  u64 cached, dirty, writeback, evicted, recently_evicted;
};
static_assert(sizeof(CacheRange) == 16 && sizeof(CacheStat) == 40);

struct OpenHow {
  u64 flags, mode, resolve;
};
static_assert(sizeof(OpenHow) == 24);
struct MountAttr {
  u64 set, clear, propagation, user_namespace;
};
static_assert(sizeof(MountAttr) == 32);
enum ResolveFlag : u64 {
  kResolveNoXdev = 1,
  kResolveNoMagicLinks = 2,
  kResolveNoSymlinks = 4,
  kResolveBeneath = 8,
  kResolveInRoot = 16,
  kResolveCached = 32,
};

struct Flock {
  i16 l_type, l_whence;
  i32 pad0;
  i64 l_start, l_len;
  i32 l_pid, pad1;
};
static_assert(sizeof(Flock) == 32);
inline constexpr i16 kLockRead = 0, kLockWrite = 1, kLockUnlock = 2;

struct FOwner {
  i32 type, pid;
};

enum AtFlag : u32 {
  kAtSymlinkNoFollow = 0x100,
  kAtRemoveDirectory = 0x200,  // unlinkat
  kAtEffectiveAccess = 0x200,  // faccessat2
  kAtSymlinkFollow = 0x400,
  kAtNoAutomount = 0x800,
  kAtEmptyPath = 0x1000,
  kAtStatxSync = 0x6000,
};
inline constexpr i32 kAtCwd = -100;

enum FcntlCommand : i32 {
  kDupFd = 0,
  kGetFd = 1,
  kSetFd = 2,
  kGetFl = 3,
  kSetFl = 4,
  kGetLk = 5,
  kSetLk = 6,
  kSetLkWait = 7,
  kSetOwn = 8,
  kGetOwn = 9,
  kSetSig = 10,
  kGetSig = 11,
  kSetOwnEx = 15,
  kGetOwnEx = 16,
  kOfdGetLk = 36,
  kOfdSetLk = 37,
  kOfdSetLkWait = 38,
  kSetLease = 1024,
  kGetLease = 1025,
  kNotify = 1026,
  kCreatedQuery = 1028,
  kDupFdCloseOnExec = 1030,
  kSetPipeSize = 1031,
  kGetPipeSize = 1032,
  kAddSeals = 1033,
  kGetSeals = 1034,
};

enum IoctlCommand : u32 {
  kFioNonBlock = 0x5421,
  kFioAsync = 0x5452,
  kFioSetOwn = 0x8901,
  kSiocSetOwn = 0x8902,  // SIOCSPGRP
  kFioGetOwn = 0x8903,
  kSiocGetOwn = 0x8904,  // SIOCGPGRP
  kFioClose = 0x5451,    // FIOCLEX
  kFioNoClose = 0x5450,  // FIONCLEX
  kFioRead = 0x541b,     // FIONREAD
  kFigetBlockSize = 2,   // FIGETBSZ
};

// Bytes that one read or write moves at most (MAX_RW_COUNT).
inline constexpr u64 kMaxTransfer = 0x7ffff000;
inline constexpr u64 kMaxSegments = 1024;  // UIO_MAXIOV

enum RwFlag : u32 { kRwHighPriority = 1, kRwDsync = 2, kRwSync = 4, kRwNoWait = 8, kRwAppend = 16 };

}  // namespace uni::abi

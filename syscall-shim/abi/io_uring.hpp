// SPDX-License-Identifier: Apache-2.0
// Linux's io_uring structures and numbers (io_uring_setup(2), io_uring_enter(2), linux/io_uring.h).
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

// A submission queue entry. What the unions of linux/io_uring.h name differently is named by its first use here.
struct UringSqe {
  u8 opcode;
  u8 flags;
  u16 priority;
  i32 fd;
  u64 offset;   // also addr2
  u64 address;  // also splice_off_in
  u32 length;
  u32 op_flags;  // rw_flags, fsync_flags, poll32_events, msg_flags, timeout_flags, ...
  u64 user_data;
  u16 buffer_index;
  u16 personality;
  i32 splice_fd;  // also file_index
  u64 address3;
  u64 pad;
};
static_assert(sizeof(UringSqe) == 64);

struct UringCqe {
  u64 user_data;
  i32 result;
  u32 flags;
};
static_assert(sizeof(UringCqe) == 16);

struct UringSqOffsets {
  u32 head, tail, ring_mask, ring_entries, flags, dropped, array, reserved;
  u64 user_address;
};
struct UringCqOffsets {
  u32 head, tail, ring_mask, ring_entries, overflow, cqes, flags, reserved;
  u64 user_address;
};
struct UringParams {
  u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd;
  u32 reserved[3];
  UringSqOffsets sq_off;
  UringCqOffsets cq_off;
};
static_assert(sizeof(UringParams) == 120);

// The first page of the rings; the array and the completions lie behind it.
struct UringRings {
  u32 sq_head, sq_tail, cq_head, cq_tail;
  u32 sq_mask, cq_mask, sq_entries, cq_entries;
  u32 sq_dropped, sq_flags, cq_flags, cq_overflow;
};

struct UringGetEvents {
  u64 mask;
  u32 mask_size;
  u32 pad;
  u64 timeout;
};
static_assert(sizeof(UringGetEvents) == 24);

struct UringFilesUpdate {
  u32 offset;
  u32 reserved;
  u64 fds;
};
struct UringProbe {
  u8 last_op, ops_len;
  u16 reserved;
  u32 reserved2[3];
};
struct UringProbeOp {
  u8 op, reserved;
  u16 flags;
  u32 reserved2;
};

inline constexpr u64 kUringOffSqRing = 0, kUringOffCqRing = 0x8000000, kUringOffSqes = 0x10000000;

enum UringSetup : u32 {
  kSetupIoPoll = 1,
  kSetupSqPoll = 2,
  kSetupSqAff = 4,
  kSetupCqSize = 8,
  kSetupClamp = 16,
  kSetupAttachWq = 32,
  kSetupDisabled = 64,
  kSetupSubmitAll = 128,
  kSetupCoopTaskRun = 256,
  kSetupTaskRunFlag = 512,
  kSetupSingleIssuer = 4096,
  kSetupDeferTaskRun = 8192,
};

enum UringFeature : u32 {
  kFeatSingleMmap = 1,
  kFeatNoDrop = 2,
  kFeatSubmitStable = 4,
  kFeatRwCurPos = 8,
  kFeatCurPersonality = 16,
  kFeatFastPoll = 32,
  kFeatPoll32Bits = 64,
  kFeatExtArg = 256,
  kFeatNativeWorkers = 512,
  kFeatCqeSkip = 2048,
  kFeatLinkedFile = 4096,
};

enum UringEnter : u32 { kEnterGetEvents = 1, kEnterSqWakeup = 2, kEnterSqWait = 4, kEnterExtArg = 8 };

enum UringSqeFlag : u8 {
  kSqeFixedFile = 1,
  kSqeDrain = 2,
  kSqeLink = 4,
  kSqeHardLink = 8,
  kSqeAsync = 16,
  kSqeBufferSelect = 32,
  kSqeCqeSkip = 64,
};

enum UringSqFlag : u32 { kSqNeedWakeup = 1, kSqCqOverflow = 2, kSqTaskRun = 4 };
enum UringCqeFlag : u32 { kCqeBuffer = 1, kCqeMore = 2, kCqeSockNonEmpty = 4 };

enum UringOp : u8 {
  kOpNop,
  kOpReadV,
  kOpWriteV,
  kOpFsync,
  kOpReadFixed,
  kOpWriteFixed,
  kOpPollAdd,
  kOpPollRemove,
  kOpSyncFileRange,
  kOpSendMsg,
  kOpRecvMsg,
  kOpTimeout,
  kOpTimeoutRemove,
  kOpAccept,
  kOpAsyncCancel,
  kOpLinkTimeout,
  kOpConnect,
  kOpFallocate,
  kOpOpenAt,
  kOpClose,
  kOpFilesUpdate,
  kOpStatx,
  kOpRead,
  kOpWrite,
  kOpFadvise,
  kOpMadvise,
  kOpSend,
  kOpRecv,
  kOpOpenAt2,
  kOpEpollCtl,
  kOpSplice,
  kOpProvideBuffers,
  kOpRemoveBuffers,
  kOpTee,
  kOpShutdown,
  kOpRenameAt,
  kOpUnlinkAt,
  kOpMkdirAt,
  kOpSymlinkAt,
  kOpLinkAt,
  kOpMsgRing,
  kOpFsetxattr,
  kOpSetxattr,
  kOpFgetxattr,
  kOpGetxattr,
  kOpSocket,
  kOpLast,
};

enum UringTimeoutFlag : u32 {
  kTimeoutAbsolute = 1,
  kTimeoutUpdate = 2,
  kTimeoutBoottime = 4,
  kTimeoutRealtime = 8,
  kLinkTimeoutUpdate = 16,
  kTimeoutEtimeSuccess = 32,
};
enum UringPollFlag : u32 { kPollAddMulti = 1, kPollUpdateEvents = 2, kPollUpdateUserData = 4 };
enum UringCancelFlag : u32 { kCancelAll = 1, kCancelFd = 2, kCancelAny = 4, kCancelFdFixed = 8 };
inline constexpr u16 kAcceptMultishot = 1;
inline constexpr u32 kFsyncDatasync = 1;
inline constexpr u32 kSpliceFdInFixed = 1u << 31;
inline constexpr u32 kFileIndexAlloc = ~0u;

enum UringRegister : u32 {
  kRegisterBuffers,
  kUnregisterBuffers,
  kRegisterFiles,
  kUnregisterFiles,
  kRegisterEventFd,
  kUnregisterEventFd,
  kRegisterFilesUpdate,
  kRegisterEventFdAsync,
  kRegisterProbe,
  kRegisterPersonality,
  kUnregisterPersonality,
  kRegisterRestrictions,
  kRegisterEnableRings,
};

}  // namespace uni::abi

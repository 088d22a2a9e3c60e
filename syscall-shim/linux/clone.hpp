// SPDX-License-Identifier: Apache-2.0
// clone(2)'s flags, and whether the image may have more than one process.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::shim {

enum CloneFlag : u64 {
  kCloneVm = 0x100,
  kCloneFs = 0x200,
  kCloneFiles = 0x400,
  kCloneSigHand = 0x800,
  kClonePidFd = 0x1000,
  kClonePtrace = 0x2000,
  kCloneVfork = 0x4000,
  kCloneParent = 0x8000,
  kCloneThread = 0x10000,
  kCloneNewNs = 0x20000,
  kCloneSysvSem = 0x40000,
  kCloneSetTls = 0x80000,
  kCloneParentSetTid = 0x100000,
  kCloneChildClearTid = 0x200000,
  kCloneDetached = 0x400000,
  kCloneUntraced = 0x800000,
  kCloneChildSetTid = 0x1000000,
  kCloneIo = 0x80000000,
  kCloneClearSigHand = 0x100000000,
  kCloneIntoCgroup = 0x200000000,
};
// Mount, cgroup, UTS, IPC, user, PID, network and time namespaces.
inline constexpr u64 kCloneNamespaces = 0x7e020080;

// The manifest's `processes` permission. Where it is missing the host is told once, with the words that name it.
bool may_fork();
bool may_execute();

}  // namespace uni::shim

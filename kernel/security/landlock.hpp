// SPDX-License-Identifier: Apache-2.0
// landlock(7): what threads have given up for themselves and all that they make. A ruleset becomes a Domain when a
// thread restricts itself with it; each later one is a further layer, and every layer must allow what is done. Domains
// never change; a thread's is replaced only by one that stands on it. docs/PROCESSES.md, "Landlock".
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/fs/inode.hpp"

namespace uni {
class Process;
}

namespace uni::fs {
class Dentry;
}

namespace uni::landlock {

// LANDLOCK_ACCESS_FS_*.
enum FsAccess : u16 {
  kExecute = 1 << 0,
  kWriteFile = 1 << 1,
  kReadFile = 1 << 2,
  kReadDirectory = 1 << 3,
  kRemoveDirectory = 1 << 4,
  kRemoveFile = 1 << 5,
  kMakeCharacter = 1 << 6,
  kMakeDirectory = 1 << 7,
  kMakeRegular = 1 << 8,
  kMakeSocket = 1 << 9,
  kMakeFifo = 1 << 10,
  kMakeBlock = 1 << 11,
  kMakeSymlink = 1 << 12,
  kRefer = 1 << 13,
  kTruncate = 1 << 14,
  kIoctlDevice = 1 << 15,
};
inline constexpr u16 kAllFs = 0xffff;
// What has a meaning for something that is not a directory.
inline constexpr u16 kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;
// LANDLOCK_ACCESS_NET_* and LANDLOCK_SCOPE_*.
enum NetAccess : u16 { kBindTcp = 1, kConnectTcp = 2, kAllNet = 3 };
enum Scope : u16 { kAbstractUnix = 1, kSignals = 2, kAllScopes = 3 };

// What a layer takes away unless a rule gives it back.
struct Handled {
  u16 fs = 0, net = 0, scoped = 0;
};

// Rules of one layer. Not locked.
class Rules {
 public:
  explicit Rules(const Handled& handled) : handled_(handled) {}
  const Handled& handled() const { return handled_; }
  // Adds to what is allowed at the inode and below it, or on the port. Errors: NoMemory.
  Result<void> allow(fs::Inode& place, u16 access);
  Result<void> allow_port(u16 port, u16 access);
  u16 allowed(const fs::Inode& place) const;
  u16 allowed_port(u16 port) const;
  // Errors: NoMemory.
  Result<void> copy_to(Rules& other) const;

 private:
  struct Place {
    RefPtr<fs::FileSystem> file_system;  // first, as the inode must go before it
    RefPtr<fs::Inode> inode;
    u16 access = 0;
  };
  struct Port {
    u16 port, access;
  };
  usize find(const fs::Inode& place) const;  // where it is, or belongs
  Handled handled_;
  Vector<Place> places_;  // by file system and number
  Vector<Port> ports_;
};

class Domain : public RefCounted {
 public:
  static constexpr unsigned kMostLayers = 16;
  // A layer more on `below` (null: the first). Errors: TooBig (layers), NoMemory.
  static Result<RefPtr<Domain>> create(const Rules& rules, Domain* below);
  explicit Domain(const Handled& handled) : rules_(handled) {}

  const Domain* below() const { return below_.get(); }
  unsigned layer() const { return layer_; }  // 0: nothing below
  u16 handled_fs() const;                    // with what every layer that knows of files takes away
  const Rules& rules() const { return rules_; }
  bool knows_files() const;  // does any layer take away something of files?
  // Is it `other`, or does it stand on it?
  bool within(const Domain& other) const;

 private:
  Rules rules_;
  RefPtr<Domain> below_;
  unsigned layer_ = 0;
};

// --- what the kernel asks; the current thread's domain is meant. None blocks. ---

// Is anybody's thread bound? Where not, nothing below costs more than this.
bool bound();
// What is done at `place` (a directory for kMake* and kRemove*). Errors: Access.
Result<void> check(fs::Dentry& place, u16 wanted);
// Opening, with open(2)'s flags. Gives which of kTruncate and kIoctlDevice the file will not have. Errors: Access.
Result<u16> check_open(fs::Dentry& place, u32 flags);
// link(2) and rename(2): `moved` (in `from`) gets a name in `to`. `replaced` is what stands there, or null.
// Errors: Access, CrossDevice (it would gain rights by its new place).
enum class Refer : u8 { kLink, kRename, kExchange };
Result<void> check_refer(fs::Dentry& from, fs::Dentry& moved, fs::Dentry& to, fs::Dentry* replaced, Refer how);
// The kMake* right for an inode's type.
u16 right_to_make(fs::FileType type);
// Errors: NotPermitted (a domain that knows of files cannot change the tree of mounts).
Result<void> check_mount();
// bind(2) and connect(2) of TCP. Errors: Access.
Result<void> check_port(u16 port, NetAccess wanted);
// What binds the process's leader; null also for one that is gone.
RefPtr<Domain> domain_of(Process& process);
// May the current thread reach what `other` (null: nothing binds it) has made? Errors: NotPermitted.
Result<void> check_scope(const Domain* other, Scope scope);
// ptrace(2): only what stands on the tracer's own domain may be looked into.
bool may_trace(const Domain* tracer, const Domain* tracee);

}  // namespace uni::landlock

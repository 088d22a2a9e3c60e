// SPDX-License-Identifier: Apache-2.0
// landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2), as of ABI 7. There is no audit log, so
// the flags about it change nothing.
#include "syscall-shim/linux/landlock.hpp"

#include "kernel/fs/anonymous.hpp"
#include "kernel/fs/dentry.hpp"
#include "syscall-shim/linux/extensible.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/net_common.hpp"
#include "syscall-shim/linux/process.hpp"

namespace uni::shim {

namespace {

constexpr u32 kAskVersion = 1, kAskErrata = 2;
constexpr i64 kVersion = 7, kErrata = 7;
constexpr unsigned kCapSysAdmin = 21;

// struct landlock_ruleset_attr.
struct RulesetAttributes {
  u64 fs, net, scoped;
};
// struct landlock_path_beneath_attr, and landlock_net_port_attr.
struct [[gnu::packed]] PathBeneath {
  u64 access;
  i32 parent;
};
struct NetPort {
  u64 access, port;
};
static_assert(sizeof(RulesetAttributes) == 24 && sizeof(PathBeneath) == 12 && sizeof(NetPort) == 16);

// The descriptor of a ruleset. read and write give EINVAL, as File does.
class Ruleset final : public fs::File {
 public:
  explicit Ruleset(const landlock::Handled& handled)
      : File(fs::FileKind::kRuleset, fs::kOpenReadWrite), rules(handled) {}
  usize describe(Span<char> out) override { return fs::describe_anonymous("[landlock-ruleset]", out); }
  Mutex lock;
  landlock::Rules rules;  // under lock
};

// Errors: BadFd, BadFdState (not a ruleset).
Result<RefPtr<Ruleset>> ruleset_of(i32 fd) {
  RefPtr<fs::File> file = TRY(file_of(fd));
  if (file->kind() != fs::FileKind::kRuleset) return Errno::BadFdState;
  return RefPtr<Ruleset>(static_cast<Ruleset*>(file.get()));
}

Result<RulesetAttributes> read_attributes(UserAddr from, u64 size) {
  if (is_null(from)) return Errno::Fault;
  if (size < sizeof(RulesetAttributes::fs)) return Errno::Invalid;
  if (size > kPageSize) return Errno::TooBig;
  return read_extensible<RulesetAttributes>(from, size);
}

Result<void> add_path(Ruleset& ruleset, UserAddr from) {
  const PathBeneath given = TRY(UserPtr<PathBeneath>(from).read());
  if (given.access == 0) return Errno::NoMessage;
  if ((given.access & ~u64{ruleset.rules.handled().fs}) != 0) return Errno::Invalid;
  const RefPtr<fs::File> parent = TRY(file_of(given.parent, true));
  const fs::Dentry* place = parent->dentry();
  // Pipes, sockets and the like are in no tree.
  if (place == nullptr || place->mount() == nullptr || place->inode() == nullptr) return Errno::BadFdState;
  if (!place->is_directory() && (given.access & ~u64{landlock::kOfFiles}) != 0) return Errno::Invalid;
  LockGuard guard(ruleset.lock);
  return ruleset.rules.allow(*place->inode(), static_cast<u16>(given.access));
}

Result<void> add_port(Ruleset& ruleset, UserAddr from) {
  const NetPort given = TRY(UserPtr<NetPort>(from).read());
  if (given.access == 0) return Errno::NoMessage;
  if ((given.access & ~u64{ruleset.rules.handled().net}) != 0) return Errno::Invalid;
  if (given.port > 0xffff) return Errno::Invalid;
  LockGuard guard(ruleset.lock);
  return ruleset.rules.allow_port(static_cast<u16>(given.port), static_cast<u16>(given.access));
}

}  // namespace

Result<i64> sys_landlock_create_ruleset(UserAddr attributes, u64 size, u32 flags) {
  if (flags != 0) {
    if (!is_null(attributes) || size != 0) return Errno::Invalid;
    if (flags == kAskVersion) return kVersion;
    if (flags == kAskErrata) return kErrata;
    return Errno::Invalid;
  }
  const RulesetAttributes a = TRY(read_attributes(attributes, size));
  if ((a.fs & ~u64{landlock::kAllFs}) != 0 || (a.net & ~u64{landlock::kAllNet}) != 0 ||
      (a.scoped & ~u64{landlock::kAllScopes}) != 0) {
    return Errno::Invalid;
  }
  if (a.fs == 0 && a.net == 0 && a.scoped == 0) return Errno::NoMessage;
  const landlock::Handled handled{static_cast<u16>(a.fs), static_cast<u16>(a.net), static_cast<u16>(a.scoped)};
  RefPtr<Ruleset> ruleset = TRY(make_ref<Ruleset>(handled));
  return TRY(Process::current().files->install(uni::move(ruleset), true));
}

Result<i64> sys_landlock_add_rule(i32 ruleset_fd, u32 type, UserAddr rule, u32 flags) {
  enum : u32 { kPathBeneath = 1, kNetPort = 2 };
  if (flags != 0) return Errno::Invalid;
  const RefPtr<Ruleset> ruleset = TRY(ruleset_of(ruleset_fd));
  switch (type) {
    case kPathBeneath:
      TRY(add_path(*ruleset, rule));
      return 0;
    case kNetPort:
      TRY(add_port(*ruleset, rule));
      return 0;
    default:
      return Errno::Invalid;
  }
}

Result<i64> sys_landlock_restrict_self(i32 ruleset_fd, u32 flags) {
  constexpr u32 kLogSubdomainsOff = 4, kKnown = 7;
  const Process& process = Process::current();
  if (!process.no_new_privileges && !process.credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  // Only how layers made later are logged: nothing to enforce.
  if (ruleset_fd == -1 && flags == kLogSubdomainsOff) return 0;
  const RefPtr<Ruleset> ruleset = TRY(ruleset_of(ruleset_fd));
  Thread& self = Thread::current();
  LockGuard guard(ruleset->lock);
  const RefPtr<landlock::Domain> domain = TRY(landlock::Domain::create(ruleset->rules, self.landlock.get()));
  self.landlock.set(domain.get());
  return 0;
}

Result<void> check_landlock_port(const net::Socket& socket, const net::Address& address, landlock::NetAccess wanted) {
  using net::AddressFamily;
  const bool internet = socket.family() == AddressFamily::kInet4 || socket.family() == AddressFamily::kInet6;
  if (!landlock::bound() || !internet || socket.type() != net::SocketType::kStream) return {};
  if (address.family == AddressFamily::kNone && wanted == landlock::kConnectTcp) return {};
  return landlock::check_port(address.port, wanted);
}

bool landlock_allows_ioctl(const fs::File& file, u32 command) {
  if ((file.landlock_denied & landlock::kIoctlDevice) == 0) return true;
  switch (command) {
    case abi::kFioClose:
    case abi::kFioNoClose:
    case abi::kFioNonBlock:
    case abi::kFioAsync:
    case 0xc0045877:  // FIFREEZE
    case 0xc0045878:  // FITHAW
    case 0xc020660b:  // FS_IOC_FIEMAP
    case 2:           // FIGETBSZ
    case 0x40049409:  // FICLONE
    case 0x4020940d:  // FICLONERANGE
    case 0xc0189436:  // FIDEDUPERANGE
    case 0x80111500:  // FS_IOC_GETFSUUID
    case 0x80811501:  // FS_IOC_GETFSSYSFSPATH
      return true;
    default:
      return false;
  }
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// fcntl(2), ioctl(2), flock(2).
#include "kernel/fs/async_io.hpp"
#include "kernel/fs/dnotify.hpp"
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/lease.hpp"
#include "kernel/fs/locks.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/fs/pipe.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/landlock.hpp"

namespace uni::shim {

namespace {
namespace locks = fs::locks;

constexpr u32 kChangeableFlags =
    fs::kOpenAppend | fs::kOpenNonBlock | fs::kOpenAsync | fs::kOpenDirect | fs::kOpenNoAtime;
constexpr u64 kToTheEnd = ~u64{0};
constexpr u32 kCapSysResource = 24;

fs::FileTable& files() {
  return *Process::current().files;
}

void change_flags(fs::File& file, u32 clear, u32 set) {
  const u32 old = file.flags();
  file.set_flags((old & ~clear) | set);
  file.flags_changed(old);
}

// O_DIRECT is packet mode on a pipe and goes through the cache on a regular file; nothing else has it.
Result<i64> set_flags(fs::File& file, i32 fd, u32 wanted) {
  wanted &= kChangeableFlags;
  const fs::Inode* inode = file.inode();
  const bool regular = inode != nullptr && inode->type() == fs::FileType::kRegular;
  if (inode != nullptr && (inode->bound() & fs::kFileAppendOnly) != 0 &&
      ((wanted ^ file.flags()) & fs::kOpenAppend) != 0)
    return Errno::NotPermitted;
  if ((wanted & fs::kOpenDirect) != 0 && !regular && file.kind() != fs::FileKind::kPipe) return Errno::Invalid;
  if (((wanted ^ file.flags()) & fs::kOpenAsync) != 0) TRY(fs::set_async(file, fd, (wanted & fs::kOpenAsync) != 0));
  change_flags(file, kChangeableFlags, wanted);
  return 0;
}

// F_SETOWN: a negative number is a group.
Result<i64> set_owner(fs::File& file, u64 argument) {
  const i32 number = static_cast<i32>(argument);
  if (number == INT32_MIN) return Errno::Invalid;
  const fs::OwnerKind kind = number < 0 ? fs::OwnerKind::kGroup : fs::OwnerKind::kProcess;
  TRY(fs::set_io_owner(file, {kind, static_cast<u32>(number < 0 ? -number : number)}));
  return 0;
}

Result<i64> owner_extended(fs::File& file, i32 command, UserPtr<abi::FOwner> user) {
  if (command == abi::kGetOwnEx) {
    const fs::IoOwner owner = fs::io_owner(file);
    TRY(user.write({static_cast<i32>(owner.kind), static_cast<i32>(owner.number)}));
    return 0;
  }
  const abi::FOwner wanted = TRY(user.read());
  if (wanted.type < 0 || wanted.type > static_cast<i32>(fs::OwnerKind::kGroup)) return Errno::Invalid;
  if (wanted.pid < 0) return Errno::NoProcess;
  TRY(fs::set_io_owner(file, {static_cast<fs::OwnerKind>(wanted.type), static_cast<u32>(wanted.pid)}));
  return 0;
}

// FS_IOC_GETFLAGS, FS_IOC_SETFLAGS (ioctl_iflags(2)).
constexpr u32 kGetFileFlags = 0x80086601, kSetFileFlags = 0x40086602;

Result<i64> file_flags(fs::File& file, u32 command, UserPtr<u32> user) {
  constexpr u32 kCapFowner = 3, kCapLinuxImmutable = 9, kBinding = fs::kFileImmutable | fs::kFileAppendOnly;
  fs::Inode& inode = *file.inode();
  const u32 wanted = command == kSetFileFlags ? TRY(user.read()) : 0;
  u32 flags = 0;
  {
    LockGuard guard(inode.lock);
    flags = TRY(inode.file_flags());
    if (command == kSetFileFlags) {
      const Credentials& who = Process::current().credentials;
      if (file.dentry() != nullptr) TRY(fs::writable_place(*file.dentry()));
      fs::Stat stat;
      TRY(inode.stat(stat));
      if (stat.uid != who.fsuid && !who.capable(kCapFowner)) return Errno::NotPermitted;
      if (((wanted ^ flags) & kBinding) != 0 && !who.capable(kCapLinuxImmutable)) return Errno::NotPermitted;
      TRY(inode.set_file_flags(wanted));
      return 0;
    }
  }
  TRY(user.write(flags));
  return 0;
}

// FICLONE and FICLONERANGE (ioctl_ficlonerange(2)): no file system here shares blocks.
constexpr u32 kClone = 0x40049409, kCloneRange = 0x4020940D;

Result<i64> clone_file(fs::File& to, i64 from_fd) {
  const RefPtr<fs::File> from = TRY(file_of(static_cast<i32>(from_fd)));
  const fs::Inode* inodes[] = {from->inode(), to.inode()};
  for (const fs::Inode* inode : inodes) {
    if (inode != nullptr && inode->type() == fs::FileType::kDirectory) return Errno::IsDirectory;
  }
  for (const fs::Inode* inode : inodes) {
    if (inode == nullptr || inode->type() != fs::FileType::kRegular) return Errno::Invalid;
  }
  if (!from->readable() || !to.writable() || (to.flags() & fs::kOpenAppend) != 0) return Errno::BadFd;
  return Errno::NotSupported;
}

Result<i64> duplicate(RefPtr<fs::File> file, u64 minimum, bool close_on_exec) {
  if (minimum >= files().limit()) return Errno::Invalid;
  return TRY(files().install(uni::move(file), close_on_exec, static_cast<int>(minimum)));
}

// The range of a struct flock (fcntl(2)): a negative length lies before the start.
Result<locks::Request> request_of(fs::File& file, const abi::Flock& from, locks::Kind kind) {
  locks::Request to{};
  to.kind = kind;
  to.owner = kind == locks::Kind::kOfd ? static_cast<const void*>(&file) : &files();
  to.pid = raw(Process::current().pid());
  switch (from.l_type) {
    case abi::kLockRead:
      to.type = locks::Type::kRead;
      break;
    case abi::kLockWrite:
      to.type = locks::Type::kWrite;
      break;
    case abi::kLockUnlock:
      to.type = locks::Type::kUnlock;
      break;
    default:
      return Errno::Invalid;
  }
  i64 base = 0;
  if (from.l_whence == 1) {
    LockGuard guard(file.position_lock);
    base = static_cast<i64>(file.position);
  } else if (from.l_whence == 2) {
    base = static_cast<i64>(file.inode()->size());
  } else if (from.l_whence != 0) {
    return Errno::Invalid;
  }
  i64 start = 0, end = 0;
  if (__builtin_add_overflow(base, from.l_start, &start)) return Errno::Overflow;
  if (__builtin_add_overflow(start, from.l_len, &end)) return Errno::Overflow;
  if (from.l_len < 0) uni::swap(start, end);
  if (start < 0) return Errno::Invalid;
  to.start = static_cast<u64>(start);
  to.end = from.l_len == 0 ? kToTheEnd : static_cast<u64>(end) - 1;
  return to;
}

Result<i64> get_lock(fs::File& file, UserPtr<abi::Flock> user, locks::Kind kind) {
  abi::Flock flock = TRY(user.read());
  if (flock.l_type == abi::kLockUnlock || (kind == locks::Kind::kOfd && flock.l_pid != 0)) return Errno::Invalid;
  const locks::Request request = TRY(request_of(file, flock, kind));
  locks::Request conflict{};
  if (locks::test(*file.inode(), request, &conflict)) {
    flock.l_type = conflict.type == locks::Type::kRead ? abi::kLockRead : abi::kLockWrite;
    flock.l_whence = 0;
    flock.l_start = static_cast<i64>(conflict.start);
    flock.l_len = conflict.end == kToTheEnd ? 0 : static_cast<i64>(conflict.end - conflict.start + 1);
    flock.l_pid = conflict.kind == locks::Kind::kOfd ? -1 : static_cast<i32>(conflict.pid);
  } else {
    flock.l_type = abi::kLockUnlock;
  }
  TRY(user.write(flock));
  return 0;
}

Result<i64> set_lock(fs::File& file, UserPtr<abi::Flock> user, locks::Kind kind, locks::Wait wait) {
  const abi::Flock flock = TRY(user.read());
  if (kind == locks::Kind::kOfd && flock.l_pid != 0) return Errno::Invalid;
  const locks::Request request = TRY(request_of(file, flock, kind));
  if (request.type == locks::Type::kRead && !file.readable()) return Errno::BadFd;
  if (request.type == locks::Type::kWrite && !file.writable()) return Errno::BadFd;
  TRY(locks::set(*file.inode(), request, wait));
  return 0;
}

Result<i64> record_lock(fs::File& file, i32 command, u64 argument) {
  const UserPtr<abi::Flock> user(argument);
  if (file.inode() == nullptr) {
    TRY(user.read());
    return Errno::Invalid;
  }
  switch (command) {
    case abi::kGetLk:
      return get_lock(file, user, locks::Kind::kPosix);
    case abi::kOfdGetLk:
      return get_lock(file, user, locks::Kind::kOfd);
    case abi::kSetLk:
      return set_lock(file, user, locks::Kind::kPosix, locks::Wait::kNo);
    case abi::kSetLkWait:
      return set_lock(file, user, locks::Kind::kPosix, locks::Wait::kYes);
    case abi::kOfdSetLk:
      return set_lock(file, user, locks::Kind::kOfd, locks::Wait::kNo);
    default:
      return set_lock(file, user, locks::Kind::kOfd, locks::Wait::kYes);
  }
}

Result<i64> pipe_size(fs::File& file, i32 command, u64 argument) {
  fs::Pipe* pipe = fs::pipe_of(file);
  if (pipe == nullptr) return Errno::BadFd;
  if (command == abi::kGetPipeSize) return static_cast<i64>(pipe->capacity());
  const u32 size = static_cast<u32>(argument);
  if (size > 0x80000000u) return Errno::Invalid;
  const usize wanted = fs::Pipe::rounded(size);
  if (wanted > pipe->capacity() && wanted > fs::g_largest_pipe.load(std::memory_order_relaxed) &&
      !Process::current().credentials.capable(kCapSysResource))
    return Errno::NotPermitted;
  return static_cast<i64>(TRY(pipe->resize(size)));
}

// A write seal needs that no mapping can store into the file.
Result<i64> seal(fs::File& file, i32 command, u64 argument) {
  fs::Inode* inode = file.inode();
  std::atomic<u32>* seals = inode != nullptr ? inode->seals() : nullptr;
  if (seals == nullptr) return Errno::Invalid;
  if (command == abi::kGetSeals) return i64{seals->load()};
  constexpr u64 kAll =
      fs::kSealSeal | fs::kSealShrink | fs::kSealGrow | fs::kSealWrite | fs::kSealFutureWrite | fs::kSealExec;
  if (!file.writable()) return Errno::NotPermitted;
  if ((argument & ~kAll) != 0) return Errno::Invalid;
  LockGuard guard(inode->lock);
  if ((seals->load() & fs::kSealSeal) != 0) return Errno::NotPermitted;
  // A file that can be executed and stays so must keep its content (memfd_add_seals).
  if ((argument & fs::kSealExec) != 0) {
    constexpr u32 kAnyExecute = 0111;
    fs::Stat stat;
    TRY(inode->stat(stat));
    if ((stat.mode & kAnyExecute) != 0)
      argument |= fs::kSealShrink | fs::kSealGrow | fs::kSealWrite | fs::kSealFutureWrite;
  }
  if ((argument & fs::kSealWrite) != 0 && inode->page_cache()->mapped_to_write()) return Errno::Busy;
  seals->fetch_or(static_cast<u32>(argument));
  return 0;
}
}  // namespace

static i64 io_owner_number(fs::File& file) {
  const fs::IoOwner owner = fs::io_owner(file);
  const i64 number = owner.number;
  return owner.kind == fs::OwnerKind::kGroup ? -number : number;
}

static Result<i64> set_lease(fs::File& file, i32 fd, u64 argument) {
  switch (static_cast<i32>(argument)) {
    case abi::kLockRead:
      TRY(fs::leases::set(file, fd, fs::leases::Type::kRead));
      return 0;
    case abi::kLockWrite:
      TRY(fs::leases::set(file, fd, fs::leases::Type::kWrite));
      return 0;
    case abi::kLockUnlock:
      TRY(fs::leases::set(file, fd, fs::leases::Type::kNone));
      return 0;
    default:
      return Errno::Invalid;
  }
}

static i64 get_lease(const fs::File& file) {
  constexpr i64 kShown[] = {abi::kLockUnlock, abi::kLockRead, abi::kLockWrite};
  return kShown[static_cast<usize>(fs::leases::get(file))];
}

// fcntl(2).
Result<i64> sys_fcntl(i32 fd, i32 command, u64 argument) {
  RefPtr<fs::File> file = TRY(file_of(fd, true));
  switch (command) {
    case abi::kDupFd:
      return duplicate(uni::move(file), argument, false);
    case abi::kDupFdCloseOnExec:
      return duplicate(uni::move(file), argument, true);
    case abi::kGetFd:
      return i64 {
        TRY(files().close_on_exec(fd))
        ? 1 : 0
      };
    case abi::kSetFd:
      TRY(files().set_close_on_exec(fd, (argument & 1) != 0));
      return 0;
    case abi::kGetFl:
      return i64{file->flags()};
    default:
      break;
  }
  if ((file->flags() & fs::kOpenPath) != 0) return Errno::BadFd;
  switch (command) {
    case abi::kSetFl:
      return set_flags(*file, fd, static_cast<u32>(argument));
    case abi::kGetLk:
    case abi::kSetLk:
    case abi::kSetLkWait:
    case abi::kOfdGetLk:
    case abi::kOfdSetLk:
    case abi::kOfdSetLkWait:
      return record_lock(*file, command, argument);
    case abi::kSetOwn:
      return set_owner(*file, argument);
    case abi::kGetOwn:
      return io_owner_number(*file);
    case abi::kSetOwnEx:
    case abi::kGetOwnEx:
      return owner_extended(*file, command, UserPtr<abi::FOwner>(argument));
    case abi::kSetSig:
      TRY(fs::set_io_signal(*file, static_cast<i32>(argument)));
      return 0;
    case abi::kGetSig:
      return i64{fs::io_signal(*file)};
    case abi::kGetLease:
      return get_lease(*file);
    case abi::kSetLease:
      return set_lease(*file, fd, argument);
    case abi::kNotify:
      TRY(fs::dnotify::set(*file, files(), fd, static_cast<u32>(argument)));
      return 0;
    case abi::kCreatedQuery:
      return i64{file->created ? 1 : 0};
    case abi::kSetPipeSize:
    case abi::kGetPipeSize:
      return pipe_size(*file, command, argument);
    case abi::kAddSeals:
    case abi::kGetSeals:
      return seal(*file, command, argument);
    default:
      return Errno::Invalid;
  }
}

// ioctl(2): what holds for every file; the rest is the file's.
Result<i64> sys_ioctl(i32 fd, u32 command, u64 argument) {
  const RefPtr<fs::File> file = TRY(file_of(fd));
  if (!landlock_allows_ioctl(*file, command)) return Errno::Access;
  switch (command) {
    case abi::kFioClose:
    case abi::kFioNoClose:
      TRY(files().set_close_on_exec(fd, command == abi::kFioClose));
      return 0;
    case abi::kFioNonBlock: {
      const i32 on = TRY(UserPtr<i32>(argument).read());
      change_flags(*file, fs::kOpenNonBlock, on != 0 ? u32{fs::kOpenNonBlock} : 0u);
      return 0;
    }
    case abi::kFioAsync: {
      const i32 on = TRY(UserPtr<i32>(argument).read());
      if (((file->flags() & fs::kOpenAsync) != 0) == (on != 0)) return 0;
      if (file->kind() != fs::FileKind::kPipe && file->kind() != fs::FileKind::kSocket &&
          file->kind() != fs::FileKind::kDevice && file->kind() != fs::FileKind::kInotify) {
        return Errno::NotTty;
      }
      TRY(fs::set_async(*file, fd, on != 0));
      change_flags(*file, fs::kOpenAsync, on != 0 ? u32{fs::kOpenAsync} : 0u);
      return 0;
    }
    case kClone:
      return clone_file(*file, static_cast<i32>(argument));
    case kCloneRange:
      return clone_file(*file, TRY(UserPtr<i64>(argument).read()));
    case abi::kFioSetOwn:
    case abi::kSiocSetOwn:
      if (file->kind() != fs::FileKind::kSocket) break;
      return set_owner(*file, static_cast<u64>(i64 { TRY(UserPtr<i32>(argument).read()) }));
    case abi::kFioGetOwn:
    case abi::kSiocGetOwn:
      if (file->kind() != fs::FileKind::kSocket) break;
      TRY(UserPtr<i32>(argument).write(static_cast<i32>(io_owner_number(*file))));
      return 0;
    default:
      break;
  }
  fs::Inode* inode = file->kind() == fs::FileKind::kInode ? file->inode() : nullptr;
  if (inode != nullptr && (command == kGetFileFlags || command == kSetFileFlags))
    return file_flags(*file, command, UserPtr<u32>(argument));
  if (inode != nullptr && inode->type() == fs::FileType::kRegular) {
    if (command == abi::kFioRead) {
      const i64 left = static_cast<i64>(inode->size()) - static_cast<i64>(file->position);
      TRY(UserPtr<i32>(argument).write(static_cast<i32>(left)));
      return 0;
    }
    if (command == abi::kFigetBlockSize) {
      fs::Stat stat;
      TRY(file->stat(stat));
      TRY(UserPtr<i32>(argument).write(static_cast<i32>(stat.block_size)));
      return 0;
    }
  }
  return file->ioctl(command, argument);
}

Result<i64> sys_flock(i32 fd, u32 operation) {
  constexpr u32 kShared = 1, kExclusive = 2, kNonBlock = 4, kUnlock = 8;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  const locks::Wait wait = (operation & kNonBlock) != 0 ? locks::Wait::kNo : locks::Wait::kYes;
  locks::Type type = locks::Type::kUnlock;
  switch (operation & ~kNonBlock) {
    case kShared:
      type = locks::Type::kRead;
      break;
    case kExclusive:
      type = locks::Type::kWrite;
      break;
    case kUnlock:
      break;
    default:
      return Errno::Invalid;
  }
  if (file->inode() == nullptr) return Errno::Invalid;
  TRY(locks::set(*file->inode(), {locks::Kind::kFlock, type, file.get(), 0, 0, kToTheEnd}, wait));
  return 0;
}

}  // namespace uni::shim

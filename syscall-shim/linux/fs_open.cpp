// SPDX-License-Identifier: Apache-2.0
// Descriptors: open(2), close(2), dup(2), pipe(2), memfd_create(2), memfd_secret(2) and their families.
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/secret_memory.hpp"
#include "syscall-shim/linux/extensible.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
// All that open(2) knows; unknown bits are ignored by it and refused by openat2.
constexpr u32 kKnownFlags = fs::kOpenAccessMask | fs::kOpenCreate | fs::kOpenExclusive | fs::kOpenNoCtty |
                            fs::kOpenTruncate | fs::kOpenAppend | fs::kOpenNonBlock | fs::kOpenSync | fs::kOpenAsync |
                            fs::kOpenDirect | fs::kOpenLargeFile | fs::kOpenDirectory | fs::kOpenNoFollow |
                            fs::kOpenNoAtime | fs::kOpenCloseOnExec | fs::kOpenPath | fs::kOpenTmpFile;
constexpr u32 kTmpFileBit = fs::kOpenTmpFile & ~u32{fs::kOpenDirectory};

fs::FileTable& files() {
  return *Process::current().files;
}

Result<i64> open_file(i32 directory, UserText path, u32 flags, u32 mode, u32 lookup_flags) {
  if ((flags & fs::kOpenPath) != 0)
    flags &= fs::kOpenPath | fs::kOpenDirectory | fs::kOpenNoFollow | fs::kOpenCloseOnExec;
  if ((flags & kTmpFileBit) != 0 && (flags & fs::kOpenDirectory) == 0) return Errno::Invalid;
  if ((flags & kTmpFileBit) != 0 && (flags & fs::kOpenAccessMask) == fs::kOpenReadOnly) return Errno::Invalid;
  if ((flags & (fs::kOpenCreate | fs::kOpenDirectory)) == (fs::kOpenCreate | fs::kOpenDirectory)) return Errno::Invalid;
  PathArgument argument;
  TRY(argument.read(directory, path));
  if (argument.text().empty()) return Errno::NoEntry;
  Result<RefPtr<fs::File>> file =
      fs::open(argument.start(), argument.text(), flags | fs::kOpenLargeFile, mode & 07777, lookup_flags);
  if (!file.ok()) {
    if (file.error() == Errno::NoEntry && (flags & fs::kOpenCreate) == 0) note_lacked(argument, fs::Asked::kOpened);
    return file.error();
  }
  return TRY(files().install(uni::move(file.value()), (flags & fs::kOpenCloseOnExec) != 0));
}
}  // namespace

Result<i64> sys_open(UserText path, u32 flags, u32 mode) {
  return open_file(abi::kAtCwd, path, flags & kKnownFlags, mode, 0);
}

Result<i64> sys_openat(i32 directory, UserText path, u32 flags, u32 mode) {
  return open_file(directory, path, flags & kKnownFlags, mode, 0);
}

Result<i64> sys_creat(UserText path, u32 mode) {
  return open_file(abi::kAtCwd, path, fs::kOpenCreate | fs::kOpenWriteOnly | fs::kOpenTruncate, mode, 0);
}

// openat2(2). A larger struct than ours is taken when the rest is zero. RESOLVE_CACHED always answers EAGAIN, as a
// kernel may.
Result<i64> sys_openat2(i32 directory, UserText path, UserPtr<abi::OpenHow> how, u64 size) {
  if (size < sizeof(abi::OpenHow)) return Errno::Invalid;
  if (size > kPageSize) return Errno::TooBig;
  const auto wanted = TRY(read_extensible<abi::OpenHow>(how.address(), size));
  if ((wanted.flags & ~u64{kKnownFlags}) != 0 || (wanted.resolve & ~u64{63}) != 0) return Errno::Invalid;
  const u32 flags = static_cast<u32>(wanted.flags);
  const bool makes = (flags & (fs::kOpenCreate | kTmpFileBit)) != 0;
  if ((wanted.mode & ~u64{07777}) != 0 || (!makes && wanted.mode != 0)) return Errno::Invalid;
  constexpr u64 kBoth = abi::kResolveBeneath | abi::kResolveInRoot;
  if ((wanted.resolve & kBoth) == kBoth) return Errno::Invalid;
  if ((wanted.resolve & abi::kResolveCached) != 0) return Errno::Again;
  u32 lookup_flags = 0;
  if ((wanted.resolve & abi::kResolveNoXdev) != 0) lookup_flags |= fs::kNoCrossMount;
  if ((wanted.resolve & abi::kResolveNoMagicLinks) != 0) lookup_flags |= fs::kNoMagicLinks;
  if ((wanted.resolve & abi::kResolveNoSymlinks) != 0) lookup_flags |= fs::kNoSymlinks;
  if ((wanted.resolve & abi::kResolveBeneath) != 0) lookup_flags |= fs::kBeneath;
  if ((wanted.resolve & abi::kResolveInRoot) != 0) lookup_flags |= fs::kInRoot;
  return open_file(directory, path, flags, static_cast<u32>(wanted.mode), lookup_flags);
}

Result<i64> sys_close(i32 fd) {
  TRY(files().close(fd));
  return 0;
}

// close_range(2). The table is copied first with CLOSE_RANGE_UNSHARE where it is shared.
Result<i64> sys_close_range(u32 first, u32 last, u32 flags) {
  constexpr u32 kUnshare = 2, kCloseOnExec = 4;
  if ((flags & ~(kUnshare | kCloseOnExec)) != 0 || first > last) return Errno::Invalid;
  Process& process = Process::current();
  if ((flags & kUnshare) != 0 && process.files->ref_count() > 1) {
    RefPtr<fs::FileTable> copy = TRY(process.files->copy());
    process.files = uni::move(copy);
  }
  constexpr u32 kLargest = 0x7fffffff;
  if (first <= kLargest)
    files().close_range(static_cast<int>(first), static_cast<int>(min(last, kLargest)), (flags & kCloseOnExec) != 0);
  return 0;
}

Result<i64> sys_dup(i32 fd) {
  RefPtr<fs::File> file = TRY(file_of(fd, true));
  return TRY(files().install(uni::move(file), false));
}

Result<i64> sys_dup2(i32 fd, i32 target) {
  RefPtr<fs::File> file = TRY(file_of(fd, true));
  if (fd == target) return target;
  return TRY(files().install_at(target, uni::move(file), false));
}

Result<i64> sys_dup3(i32 fd, i32 target, u32 flags) {
  if ((flags & ~u32{fs::kOpenCloseOnExec}) != 0 || fd == target) return Errno::Invalid;
  if (static_cast<u32>(target) >= files().limit()) return Errno::BadFd;
  RefPtr<fs::File> file = TRY(file_of(fd, true));
  return TRY(files().install_at(target, uni::move(file), (flags & fs::kOpenCloseOnExec) != 0));
}

Result<i64> sys_pipe2(UserPtr<i32> out, u32 flags) {
  if ((flags & ~u32{fs::kOpenCloseOnExec | fs::kOpenNonBlock | fs::kOpenDirect}) != 0) return Errno::Invalid;
  fs::PipeEnds ends = TRY(fs::make_pipe(flags & (fs::kOpenNonBlock | fs::kOpenDirect)));
  const bool close_on_exec = (flags & fs::kOpenCloseOnExec) != 0;
  i32 fds[2];
  fds[0] = TRY(files().install(uni::move(ends.reader), close_on_exec));
  ScopeGuard close_first([&] { files().close(fds[0]).take(); });
  fds[1] = TRY(files().install(uni::move(ends.writer), close_on_exec));
  ScopeGuard close_second([&] { files().close(fds[1]).take(); });
  TRY(copy_to_user(out.address(), fds, sizeof(fds)));
  close_first.dismiss();
  close_second.dismiss();
  return 0;
}

Result<i64> sys_pipe(UserPtr<i32> fds) {
  return sys_pipe2(fds, 0);
}

// memfd_create(2). MFD_HUGETLB is refused: there is no pool of huge pages.
Result<i64> sys_memfd_create(UserText name, u32 flags) {
  constexpr u32 kCloseOnExec = 1, kAllowSealing = 2, kHugeTlb = 4, kNoExecSeal = 8, kExec = 16;
  if ((flags & ~(kCloseOnExec | kAllowSealing | kHugeTlb | kNoExecSeal | kExec)) != 0) {
    return Errno::Invalid;
  }
  if ((flags & kHugeTlb) != 0) return Errno::NoMemory;
  if ((flags & (kNoExecSeal | kExec)) == (kNoExecSeal | kExec)) return Errno::Invalid;
  char text[250];
  Result<usize> length = copy_string_from_user(text, name.address(), sizeof(text));
  if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Invalid : length.error();
  u32 seals = fs::kSealSeal;
  if ((flags & kNoExecSeal) != 0)
    seals = fs::kSealExec;
  else if ((flags & kAllowSealing) != 0)
    seals = 0;
  RefPtr<fs::File> file = TRY(fs::make_memfd({text, length.value()}, seals));
  return TRY(files().install(uni::move(file), (flags & kCloseOnExec) != 0));
}

// memfd_secret(2).
Result<i64> sys_memfd_secret(u32 flags) {
  if ((flags & ~u32{fs::kOpenCloseOnExec}) != 0) return Errno::Invalid;
  RefPtr<fs::File> file = TRY(fs::make_secret_memory());
  return TRY(files().install(uni::move(file), (flags & fs::kOpenCloseOnExec) != 0));
}

}  // namespace uni::shim

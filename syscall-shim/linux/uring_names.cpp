// SPDX-License-Identifier: Apache-2.0
// Requests that are a system call with other arguments: names, descriptors, advice. Done by the call's own handler.
#include "syscall-shim/linux/mm.hpp"
#include "syscall-shim/linux/poll.hpp"
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

// A handler that works on a descriptor, for a registered file too: that gets a number for the call.
template <typename Call>
Result<i64> with_descriptor(UringRequest& request, Call call) {
  if ((request.sqe.flags & abi::kSqeFixedFile) == 0) return call(request.sqe.fd);
  RefPtr<fs::File> file = TRY(request.ring.fixed_file(static_cast<u32>(request.sqe.fd)));
  fs::FileTable& table = *Process::current().files;
  const int fd = TRY(table.install(uni::move(file), true));
  Result<i64> done = call(fd);
  (void)table.close(fd).ok();
  return done;
}

Result<i64> close(UringRequest& request) {
  const abi::UringSqe& sqe = request.sqe;
  if (sqe.splice_fd != 0) return request.ring.clear_slot(static_cast<u32>(sqe.splice_fd) - 1);
  // A ring does not end from within.
  const RefPtr<fs::File> file = TRY(file_of(sqe.fd, true));
  if (file->kind() == fs::FileKind::kUring) return Errno::BadFd;
  return sys_close(sqe.fd);
}

Result<i64> placed(UringRequest& request, Result<i64> fd) {
  const u32 slot = static_cast<u32>(request.sqe.splice_fd);
  if (!fd.ok() || slot == 0) return fd;
  return request.ring.install_file(slot, static_cast<i32>(fd.value()));
}

Result<i64> call_of(UringRequest& request, bool* known) {
  const abi::UringSqe& s = request.sqe;
  const UserText path(s.address);
  const i32 length = static_cast<i32>(s.length);
  const i64 offset = static_cast<i64>(s.offset);
  switch (s.opcode) {
    case abi::kOpSyncFileRange:
      return with_descriptor(request, [&](i32 fd) { return sys_sync_file_range(fd, offset, s.length, s.op_flags); });
    case abi::kOpFallocate:
      return with_descriptor(request,
                             [&](i32 fd) { return sys_fallocate(fd, length, offset, static_cast<i64>(s.address)); });
    case abi::kOpFadvise:
      return with_descriptor(request,
                             [&](i32 fd) { return sys_fadvise64(fd, offset, s.length, static_cast<i32>(s.op_flags)); });
    case abi::kOpFsetxattr:
      return with_descriptor(request, [&](i32 fd) {
        return sys_fsetxattr(fd, path, UserBytes(s.offset), s.length, static_cast<i32>(s.op_flags));
      });
    case abi::kOpFgetxattr:
      return with_descriptor(request, [&](i32 fd) { return sys_fgetxattr(fd, path, UserBytes(s.offset), s.length); });
    default:
      break;
  }
  const bool by_fd = s.opcode == abi::kOpFilesUpdate || s.opcode == abi::kOpClose;
  if ((s.flags & abi::kSqeFixedFile) != 0 && !by_fd) return Errno::BadFd;
  switch (s.opcode) {
    case abi::kOpMadvise:
      return sys_madvise(s.address, s.length, static_cast<i32>(s.op_flags));
    case abi::kOpOpenAt:
      return placed(request, sys_openat(s.fd, path, s.op_flags, s.length));
    case abi::kOpOpenAt2:
      return placed(request, sys_openat2(s.fd, path, UserPtr<abi::OpenHow>(s.offset), s.length));
    case abi::kOpClose:
      return close(request);
    case abi::kOpFilesUpdate:
      return request.ring.update_files(static_cast<u32>(s.offset), UserPtr<i32>(s.address), s.length);
    case abi::kOpStatx:
      return sys_statx(s.fd, path, s.op_flags, s.length, UserPtr<abi::Statx>(s.offset));
    case abi::kOpEpollCtl:
      return sys_epoll_ctl(s.fd, length, static_cast<i32>(s.offset), UserPtr<abi::EpollEvent>(s.address));
    case abi::kOpRenameAt:
      return sys_renameat2(s.fd, path, length, UserText(s.offset), s.op_flags);
    case abi::kOpUnlinkAt:
      return sys_unlinkat(s.fd, path, s.op_flags);
    case abi::kOpMkdirAt:
      return sys_mkdirat(s.fd, path, s.length);
    case abi::kOpSymlinkAt:
      return sys_symlinkat(path, s.fd, UserText(s.offset));
    case abi::kOpLinkAt:
      return sys_linkat(s.fd, path, length, UserText(s.offset), s.op_flags);
    case abi::kOpSetxattr:
      return sys_setxattr(UserText(s.address3), path, UserBytes(s.offset), s.length, static_cast<i32>(s.op_flags));
    case abi::kOpGetxattr:
      return sys_getxattr(UserText(s.address3), path, UserBytes(s.offset), s.length);
    default:
      *known = false;
      return Errno::Invalid;
  }
}

}  // namespace

bool execute_names(UringRequest& request, UringOutcome* out) {
  bool known = true;
  const Result<i64> done = call_of(request, &known);
  *out = done.ok() ? UringOutcome::done(done.value()) : uring_failure(done.error());
  return known;
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// The answers of a File that does not support an operation.
#include "kernel/fs/file.hpp"

#include "kernel/fs/notify.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::fs {

File::~File() {
  if (dentry_ == nullptr) return;
  if (notify::active()) [[unlikely]]
    notify::file_closed(*this);
  dentry_->unref();
}

void File::set_dentry(Dentry& dentry) {
  dentry.ref();
  if (Dentry* old = exchange(dentry_, &dentry)) old->unref();
}

Inode* File::inode() {
  return dentry_ != nullptr ? dentry_->inode() : nullptr;
}

Result<usize> File::read(IoCursor&, u64) {
  return Errno::Invalid;
}
Result<usize> File::write(IoCursor&, u64) {
  return Errno::Invalid;
}
u32 File::poll() {
  return kPollIn | kPollOut | kPollRdNorm | kPollWrNorm;
}
Result<i64> File::ioctl(u32, u64) {
  return Errno::NotTty;
}
Result<u64> File::seek(i64, int) {
  // Event files take any seek and stay where they are (Linux's noop_llseek).
  if (kind_ == FileKind::kEventFd || kind_ == FileKind::kTimerFd || kind_ == FileKind::kSignalFd ||
      kind_ == FileKind::kEpoll || kind_ == FileKind::kInotify)
    return u64{0};
  return Errno::IllegalSeek;
}

// What has neither inode nor answer of its own is an anonymous inode (epoll and the like): mode 0600.
Result<void> File::stat(Stat& out) {
  if (Inode* there = inode()) return there->stat(out);
  out = Stat{};
  out.mode = 0600;
  out.device = 15;
  out.inode = 1;
  return {};
}
Result<void> File::truncate(u64) {
  return Errno::Invalid;
}
Result<void> File::sync(bool) {
  return Errno::Invalid;
}
Result<void> File::allocate(int, u64, u64) {
  return Errno::NoDevice;
}
Result<RefPtr<mm::VmObject>> File::vm_object() {
  return Errno::NoDevice;
}
Result<usize> File::read_directory(IoCursor&) {
  return Errno::NotDirectory;
}

usize File::describe(Span<char> out) {
  BufferWriter text(out.data(), out.size());
  if (dentry_ != nullptr) {
    const Result<StringView> path = path_of(*dentry_, nullptr, out);
    if (!path.ok()) return 0;
    __builtin_memmove(out.data(), path.value().data(), path.value().size());
    return path.value().size();
  }
  constexpr const char* kNames[] = {"inode",      "pipe",    "socket", "[eventpoll]", "[eventfd]",  "[timerfd]",
                                    "[signalfd]", "inotify", "device", "[pidfd]",     "[io_uring]", "other"};
  format(text, "anon_inode:{}", kNames[static_cast<usize>(kind_)]);
  return text.view().size();
}

}  // namespace uni::fs

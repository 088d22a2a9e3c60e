// SPDX-License-Identifier: Apache-2.0
// io_uring_register(2): files, buffers, the eventfd, the probe. A registered buffer is remembered by its address; it is
// not pinned, so memory that the program unmaps is EFAULT for a request.
#include "kernel/mm/address_space.hpp"
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

constexpr u32 kMostFiles = 32768, kMostBuffers = 16384;
constexpr u64 kLargestBuffer = kGiB;

// What IORING_REGISTER_PROBE tells: everything but these.
constexpr bool supported(u8 op) {
  return op < abi::kOpLast && op != abi::kOpProvideBuffers && op != abi::kOpRemoveBuffers && op != abi::kOpMsgRing;
}

Result<RefPtr<fs::File>> registered_file(i32 fd) {
  if (fd == -1) return RefPtr<fs::File>();
  RefPtr<fs::File> file = TRY(file_of(fd));
  // A ring that holds a ring would keep both alive.
  if (file->kind() == fs::FileKind::kUring) return Errno::BadFd;
  return file;
}

Result<i64> probe(UserAddr argument, u32 count) {
  if (count > 256) return Errno::Invalid;
  abi::UringProbe head{};
  if (!copy_from_user(&head, argument, sizeof head).ok()) return Errno::Fault;
  if (head.last_op != 0 || head.ops_len != 0) return Errno::Invalid;
  count = min<u32>(count, abi::kOpLast);
  head = {};
  head.last_op = abi::kOpLast - 1;
  head.ops_len = static_cast<u8>(count);
  TRY(copy_to_user(argument, &head, sizeof head));
  for (u32 op = 0; op < count; ++op) {
    const abi::UringProbeOp one{static_cast<u8>(op), 0, u16{supported(static_cast<u8>(op))}, 0};
    TRY(copy_to_user(argument + sizeof head + u64{op} * sizeof one, &one, sizeof one));
  }
  return 0;
}

}  // namespace

Result<RefPtr<fs::File>> Uring::fixed_file(u32 index) {
  LockGuard guard(register_lock_);
  if (index >= files_.size() || !files_[index]) return Errno::BadFd;
  return files_[index];
}

Result<i64> Uring::clear_slot(u32 index) {
  RefPtr<fs::File> old;
  LockGuard guard(register_lock_);
  if (!has_files_) return Errno::NoDeviceOrAddress;
  if (index >= files_.size()) return Errno::Invalid;
  if (!files_[index]) return Errno::BadFd;
  uni::swap(files_[index], old);
  return 0;
}

Result<void> Uring::check_fixed_buffer(u32 index, u64 address, u64 size) {
  LockGuard guard(register_lock_);
  if (index >= buffers_.size()) return Errno::Fault;
  const IoSegment& buffer = buffers_[index];
  u64 end = 0;
  if (__builtin_add_overflow(address, size, &end)) return Errno::Fault;
  return address < buffer.base || end > buffer.base + buffer.length ? Result<void>(Errno::Fault) : Result<void>();
}

Result<i64> Uring::update_files(u32 first, UserPtr<i32> fds, u32 count) {
  constexpr i32 kSkip = -2;
  if (!has_files_) return Errno::NoDeviceOrAddress;
  u32 done = 0;
  Errno failure{};
  for (; done < count; ++done) {
    const Result<i32> fd = (fds + done).read();
    failure = fd.ok() ? Errno{} : fd.error();
    if (failure == Errno{} && (first >= files_.size() || done >= files_.size() - first)) failure = Errno::Invalid;
    if (failure != Errno{}) break;
    if (fd.value() == kSkip) continue;
    Result<RefPtr<fs::File>> file = registered_file(fd.value());
    if (!file.ok()) failure = file.error();
    if (failure != Errno{}) break;
    RefPtr<fs::File> old = file.take();
    LockGuard guard(register_lock_);
    uni::swap(files_[first + done], old);
  }
  if (done == 0 && failure != Errno{}) return failure;
  return i64{done};
}

// A direct descriptor (file_index): the file leaves the process's table.
Result<i64> Uring::install_file(u32 slot_plus_one, i32 fd) {
  fs::FileTable& table = *Process::current().files;
  Result<RefPtr<fs::File>> file = table.get(fd);
  (void)table.close(fd).ok();
  if (!file.ok()) return file.error();
  RefPtr<fs::File> old;
  LockGuard guard(register_lock_);
  if (!has_files_) return Errno::NoDeviceOrAddress;
  u32 slot = slot_plus_one - 1;
  if (slot_plus_one == abi::kFileIndexAlloc) {
    slot = 0;
    while (slot < files_.size() && files_[slot])
      ++slot;
    if (slot == files_.size()) return Errno::TooManyFilesSystem;
  }
  if (slot >= files_.size()) return Errno::Invalid;
  old = file.take();
  uni::swap(files_[slot], old);
  return slot_plus_one == abi::kFileIndexAlloc ? i64{slot} : i64{0};
}

Result<i64> Uring::register_call(u32 operation, UserAddr argument, u32 count) {
  switch (operation) {
    case abi::kRegisterBuffers: {
      if (has_buffers_) return Errno::Busy;
      if (count == 0 || count > kMostBuffers) return Errno::Invalid;
      Vector<IoSegment> buffers;
      TRY(buffers.resize(count));
      TRY(copy_from_user(buffers.data(), argument, count * sizeof(IoSegment)));
      for (const IoSegment& buffer : buffers) {
        if (buffer.base == 0 && buffer.length == 0) continue;
        if (buffer.base == 0 || buffer.length == 0 || buffer.length > kLargestBuffer) return Errno::Fault;
        if (!user_range_ok(UserAddr{buffer.base}, buffer.length)) return Errno::Fault;
        if (Process::current().space->shows_secret(buffer.base, buffer.length)) return Errno::Fault;
      }
      LockGuard guard(register_lock_);
      buffers_ = uni::move(buffers);
      has_buffers_ = true;
      return 0;
    }
    case abi::kUnregisterBuffers: {
      if (!is_null(argument) || count != 0) return Errno::Invalid;
      if (!has_buffers_) return Errno::NoDeviceOrAddress;
      LockGuard guard(register_lock_);
      buffers_.clear();
      has_buffers_ = false;
      return 0;
    }
    case abi::kRegisterFiles: {
      if (has_files_) return Errno::Busy;
      if (count == 0) return Errno::Invalid;
      if (count > kMostFiles) return Errno::TooManyFiles;
      Vector<RefPtr<fs::File>> files;
      for (u32 i = 0; i < count; ++i) {
        const i32 fd = TRY((UserPtr<i32>(argument) + i).read());
        RefPtr<fs::File> file = TRY(registered_file(fd));
        TRY(files.push(uni::move(file)));
      }
      LockGuard guard(register_lock_);
      files_ = uni::move(files);
      has_files_ = true;
      return 0;
    }
    case abi::kUnregisterFiles: {
      if (!is_null(argument) || count != 0) return Errno::Invalid;
      if (!has_files_) return Errno::NoDeviceOrAddress;
      Vector<RefPtr<fs::File>> old;
      LockGuard guard(register_lock_);
      uni::swap(files_, old);
      has_files_ = false;
      return 0;
    }
    case abi::kRegisterFilesUpdate: {
      if (count == 0) return Errno::Invalid;
      const abi::UringFilesUpdate update = TRY(UserPtr<abi::UringFilesUpdate>(argument).read());
      if (update.reserved != 0) return Errno::Invalid;
      return update_files(update.offset, UserPtr<i32>(update.fds), count);
    }
    case abi::kRegisterEventFd:
    case abi::kRegisterEventFdAsync: {
      if (count != 1) return Errno::Invalid;
      const i32 fd = TRY(UserPtr<i32>(argument).read());
      RefPtr<fs::File> file = TRY(file_of(fd));
      if (file->kind() != fs::FileKind::kEventFd) return Errno::Invalid;
      LockGuard guard(lock_);
      if (eventfd_) return Errno::Busy;
      eventfd_ = uni::move(file);
      return 0;
    }
    case abi::kUnregisterEventFd: {
      if (!is_null(argument) || count != 0) return Errno::Invalid;
      RefPtr<fs::File> old;
      LockGuard guard(lock_);
      if (!eventfd_) return Errno::NoDeviceOrAddress;
      uni::swap(eventfd_, old);
      return 0;
    }
    case abi::kRegisterProbe:
      return is_null(argument) ? Result<i64>(Errno::Invalid) : probe(argument, count);
    case abi::kRegisterEnableRings:
      if (!is_null(argument) || count != 0) return Errno::Invalid;
      if ((flags_ & abi::kSetupDisabled) == 0) return Errno::BadFdState;
      flags_ &= ~u32{abi::kSetupDisabled};
      return 0;
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim

// SPDX-License-Identifier: Apache-2.0
// The generic open file over an inode. Reads take no lock but the page cache's; writes and size changes hold the
// inode's, so they are atomic against each other, as on Linux.
#include "kernel/fs/inode_file.hpp"

#include "kernel/fs/dnotify.hpp"
#include "kernel/fs/file_shift.hpp"
#include "kernel/fs/lease.hpp"
#include "kernel/fs/locks.hpp"
#include "kernel/fs/mount.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/permission.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

namespace {
constexpr u64 kLargestFile = ~u64{0} >> 1;

bool sealed(Inode& inode, u32 seals) {
  const std::atomic<u32>* set = inode.seals();
  return set != nullptr && (set->load(std::memory_order_relaxed) & seals) != 0;
}

// How far a file may grow (RLIMIT_FSIZE).
u64 size_limit() {
  const Thread& thread = Thread::current();
  return thread.is_kernel() ? kLargestFile : min(kLargestFile, thread.process().limits[kLimitFileSize].soft);
}

void send_file_size_signal() {
  signal::Info info;
  info.number = signal::kXfsz;
  info.code = 0x80;
  signal::send(Thread::current(), info).take();  // the call's own error says the same
}

// linux_dirent64 records (getdents64(2)): inode, next offset, length, type, name and NUL, padded to 8 bytes.
class DirentSink final : public DirectorySink {
 public:
  explicit DirentSink(IoCursor& to) : to_(to) {}
  bool entry(StringView name, u64 inode, FileType type, u64 next_offset) override {
    constexpr usize kHead = 19;
    const usize length = align_up(kHead + name.size() + 1, 8);
    if (length > to_.remaining()) {
      no_room_ = true;
      return false;
    }
    const u16 short_length = static_cast<u16>(length);
    __builtin_memcpy(record_, &inode, 8);
    __builtin_memcpy(record_ + 8, &next_offset, 8);
    __builtin_memcpy(record_ + 16, &short_length, 2);
    record_[18] = static_cast<char>(type);
    __builtin_memcpy(record_ + kHead, name.data(), name.size());
    __builtin_memset(record_ + kHead + name.size(), 0, length - kHead - name.size());
    const Result<usize> put = to_.put(record_, length);
    if (!put.ok() || put.value() != length) {
      fault_ = true;
      return false;
    }
    written_ += length;
    end_ = next_offset;
    return true;
  }
  Result<usize> result(u64& offset) const {
    if (written_ == 0 && fault_) return Errno::Fault;
    if (written_ == 0 && no_room_) return Errno::Invalid;
    if (written_ != 0) offset = end_;
    return usize{written_};
  }

 private:
  IoCursor& to_;
  usize written_ = 0;
  u64 end_ = 0;
  bool no_room_ = false;
  bool fault_ = false;
  char record_[288];
};
}  // namespace

InodeFile::InodeFile(Dentry& dentry, u32 flags)
    : File(FileKind::kInode, flags), inode_(*dentry.inode()), cache_(inode_.page_cache()) {
  set_dentry(dentry);
  if (!counted()) return;
  if (!writable())
    inode_.open_for_read.fetch_add(1, std::memory_order_seq_cst);
  else if (dentry.mount() != nullptr)
    dentry.mount()->writers.fetch_add(1, std::memory_order_relaxed);
}

InodeFile::~InodeFile() {
  if (owns_mount) dissolve_mount(*dentry()->mount());
  locks::release_file(inode_, *this);
  leases::release(*this);
  dnotify::forget(*this, nullptr);
  if (denies_write) inode_.open_for_write.fetch_add(1, std::memory_order_relaxed);
  if (!counted()) return;
  if (writable() && dentry()->mount() != nullptr) dentry()->mount()->writers.fetch_sub(1, std::memory_order_relaxed);
  if (writable())
    put_write_access(inode_);
  else
    inode_.open_for_read.fetch_sub(1, std::memory_order_relaxed);
}

void InodeFile::note_accessed() {
  if ((flags() & kOpenNoAtime) != 0) return;
  const Mount* mount = dentry()->mount();
  const u32 kept =
      kMountReadOnly | kMountNoAtime | (inode_.type() == FileType::kDirectory ? u32{kMountNoDirectoryAtime} : 0);
  if (mount != nullptr && mount->has(kept)) return;
  const bool strict = mount != nullptr && mount->has(kMountStrictAtime);
  inode_.note_accessed(strict ? Inode::AccessTime::kStrict : Inode::AccessTime::kRelative);
}

// Is it among Inode::open_for_write or open_for_read?
bool InodeFile::counted() const {
  return inode_.type() == FileType::kRegular && (writable() || readable());
}

Result<RefPtr<File>> InodeFile::create(Dentry& dentry, u32 flags) {
  Inode& inode = *dentry.inode();
  const bool writes =
      inode.type() == FileType::kRegular && (flags & kOpenAccessMask) != kOpenReadOnly && (flags & kOpenPath) == 0;
  if (writes) TRY(get_write_access(inode));
  auto made = make_ref<InodeFile>(dentry, flags);
  if (!made.ok()) {
    if (writes) put_write_access(inode);
    return made.error();
  }
  return RefPtr<File>(made.take());
}

Result<void> get_write_access(Inode& inode) {
  i32 now = inode.open_for_write.load(std::memory_order_relaxed);
  do {
    if (now < 0) return Errno::TextBusy;
  } while (!inode.open_for_write.compare_exchange_weak(now, now + 1, std::memory_order_seq_cst));
  return {};
}

void put_write_access(Inode& inode) {
  inode.open_for_write.fetch_sub(1, std::memory_order_relaxed);
}

Result<void> deny_write(File& file) {
  if (file.kind() != FileKind::kInode || file.denies_write) return {};
  Inode& inode = *file.inode();
  i32 now = inode.open_for_write.load(std::memory_order_relaxed);
  do {
    if (now > 0) return Errno::TextBusy;
  } while (!inode.open_for_write.compare_exchange_weak(now, now - 1, std::memory_order_seq_cst));
  file.denies_write = true;
  return {};
}

void InodeFile::descriptor_closed(FileTable& table) {
  dnotify::forget(*this, &table);
  locks::release_table(inode_, table);
}

Result<usize> InodeFile::read(IoCursor& to, u64 offset) {
  if (cache_ == nullptr) return inode_.type() == FileType::kDirectory ? Errno::IsDirectory : Errno::Invalid;
  if (to.no_wait() && !cache_->holds(offset, to.remaining())) return Errno::Again;
  Result<usize> got = cache_->read(to, offset);
  note_accessed();
  if (got.ok() && got.value() > 0) notify::on_file(*this, notify::kAccess);
  return got;
}

Result<usize> InodeFile::write(IoCursor& from, u64 offset) {
  if (cache_ == nullptr) return inode_.type() == FileType::kDirectory ? Errno::IsDirectory : Errno::Invalid;
  usize done = 0;
  {
    LockGuard guard(inode_.lock);
    const u64 size = inode_.size();
    if ((flags() & kOpenAppend) != 0 || from.append()) offset = size;
    if (sealed(inode_, kSealWrite | kSealFutureWrite)) return Errno::NotPermitted;
    const u64 limit = size_limit();
    if (offset >= limit && from.remaining() > 0) {
      if (limit != kLargestFile) send_file_size_signal();
      return Errno::FileTooBig;
    }
    from.truncate(limit - offset);
    if (offset + from.remaining() > size && sealed(inode_, kSealGrow)) {
      if (offset >= size) return Errno::NotPermitted;
      from.truncate(size - offset);
    }
    TRY(drop_set_ids(inode_));
    done = TRY(cache_->write(from, offset));
    append_end = offset + done;
  }
  if (done > 0) notify::on_file(*this, notify::kModify);
  if ((flags() & kOpenDsync) != 0 && done > 0) TRY(sync((flags() & kOpenSync) != kOpenSync));
  return done;
}

// lseek(2); position_lock is held.
Result<u64> InodeFile::seek(i64 wanted, int whence) {
  constexpr int kSet = 0, kCurrent = 1, kEnd = 2, kData = 3, kHole = 4;
  i64 base = 0;
  switch (whence) {
    case kSet:
      break;
    case kCurrent:
      base = static_cast<i64>(position);
      break;
    case kEnd:
      if (inode_.type() == FileType::kDirectory && cache_ == nullptr) return Errno::Invalid;
      base = static_cast<i64>(inode_.size());
      break;
    case kData:
    case kHole: {
      if (wanted < 0 || static_cast<u64>(wanted) >= inode_.size()) return Errno::NoDeviceOrAddress;
      // The store does not know of pages that are only in memory yet.
      if (cache_ != nullptr) TRY(cache_->flush());
      position = TRY(inode_.seek_data(static_cast<u64>(wanted), whence == kHole));
      return u64{position};
    }
    default:
      return Errno::Invalid;
  }
  i64 target = 0;
  if (__builtin_add_overflow(base, wanted, &target)) return Errno::Invalid;
  if (target < 0) return Errno::Invalid;
  position = static_cast<u64>(target);
  return u64{position};
}

Result<void> InodeFile::truncate(u64 size) {
  if (inode_.type() != FileType::kRegular) return Errno::Invalid;
  TRY(truncate_inode(inode_, size));
  notify::on_file(*this, notify::kModify);
  return {};
}

Result<void> truncate_inode(Inode& inode, u64 size) {
  if (size > size_limit()) {
    if (size <= kLargestFile) send_file_size_signal();
    return Errno::FileTooBig;
  }
  LockGuard guard(inode.lock);
  const u64 old = inode.size();
  if ((size < old && sealed(inode, kSealShrink)) || (size > old && sealed(inode, kSealGrow)))
    return Errno::NotPermitted;
  TRY(drop_set_ids(inode));
  PageCache* cache = inode.page_cache();
  TRY(cache != nullptr ? cache->truncate(size) : inode.set_size(size));
  inode.note_modified();
  return {};
}

Result<void> InodeFile::sync(bool data_only) {
  if (cache_ != nullptr) TRY(cache_->flush());
  return inode_.sync(data_only);
}

// fallocate(2).
Result<void> InodeFile::allocate(int mode, u64 offset_from, u64 length) {
  constexpr int kKeepSize = 1, kPunchHole = 2, kCollapse = 8, kZeroRange = 0x10, kInsert = 0x20;
  if (inode_.type() == FileType::kDirectory) return Errno::IsDirectory;
  if (inode_.type() != FileType::kRegular || cache_ == nullptr) return Errno::NoDevice;
  const bool shifts = mode == kCollapse || mode == kInsert;
  u64 end = 0;
  if (__builtin_add_overflow(offset_from, length, &end) || end > kLargestFile) return Errno::FileTooBig;
  if ((mode & ~kKeepSize & ~inode_.allocate_modes()) != 0) return Errno::NotSupported;
  LockGuard guard(inode_.lock);
  if (shifts) {
    TRY(drop_set_ids(inode_));
    const Result<void> done =
        mode == kCollapse ? collapse_range(inode_, offset_from, length) : insert_range(inode_, offset_from, length);
    if (done.ok()) inode_.note_modified();
    if (done.ok()) notify::on_file(*this, notify::kModify);
    return done;
  }
  const bool grows = (mode & kKeepSize) == 0 && end > inode_.size();
  if (grows && end > size_limit()) {
    send_file_size_signal();
    return Errno::FileTooBig;
  }
  if (sealed(inode_, kSealWrite | kSealFutureWrite) && (mode & (kPunchHole | kZeroRange)) != 0)
    return Errno::NotPermitted;
  if (grows && sealed(inode_, kSealGrow)) return Errno::NotPermitted;
  TRY(drop_set_ids(inode_));
  if ((mode & (kPunchHole | kZeroRange)) != 0)
    TRY(cache_->punch(mode, offset_from, length));
  else
    TRY(inode_.allocate(mode, offset_from, length));
  if (grows && end > inode_.size()) TRY(inode_.set_size(end));
  inode_.note_modified();
  notify::on_file(*this, notify::kModify);
  return {};
}

Result<RefPtr<mm::VmObject>> InodeFile::vm_object() {
  if (cache_ == nullptr) return Errno::NoDevice;
  note_accessed();  // mmap(2) counts as a read
  return cache_->vm_object();
}

Result<usize> InodeFile::read_directory(IoCursor& to) {
  if (inode_.type() != FileType::kDirectory) return Errno::NotDirectory;
  DirentSink sink(to);
  LockGuard guard(inode_.lock);
  if (dentry()->deleted()) return Errno::NoEntry;
  TRY(inode_.read_directory(position, sink));
  note_accessed();
  notify::on_file(*this, notify::kAccess);
  return sink.result(position);
}

}  // namespace uni::fs

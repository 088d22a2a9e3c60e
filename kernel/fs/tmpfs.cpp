// SPDX-License-Identifier: Apache-2.0
// tmpfs: the file system, attributes and content. Directories are in tmpfs_directory.cpp. An inode holds its file
// system (a memfd's has no other owner); the root inode, which the file system holds, does not.
#include "kernel/fs/tmpfs.hpp"

#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/tmpfs_directory.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs {

namespace {
constinit std::atomic<u64> g_next_device{0x10};

Timespec timespec_of(u64 ns) {
  return {static_cast<i64>(ns / time::kSecond), static_cast<u32>(ns % time::kSecond)};
}
u64 ns_of(const Timespec& t) {
  return static_cast<u64>(t.seconds) * time::kSecond + t.nanoseconds;
}
}  // namespace

// --- the file system ---

Result<RefPtr<Tmpfs>> Tmpfs::create(u64 page_limit, u32 root_mode) {
  RefPtr<Tmpfs> fs = TRY(make_ref<Tmpfs>());
  fs->quota.limit = page_limit;
  fs->root_mode_ = root_mode;
  fs->device_ = g_next_device.fetch_add(1);
  fs->root_ = TRY(fs->make_inode(FileType::kDirectory, root_mode, 0, 0, 0));
  fs->unref();  // make_inode's: the root does not hold its owner
  return fs;
}

Tmpfs::~Tmpfs() {
  if (!root_) return;
  // The root's destructor gives back the reference that create took away, and must not find it the last.
  ref();
  ref();
  root_ = nullptr;
}

Result<RefPtr<Inode>> Tmpfs::root() {
  return RefPtr<Inode>(root_);
}

Result<RefPtr<TmpfsInode>> Tmpfs::make_inode(FileType type, u32 mode, u32 uid, u32 gid, u64 special_device) {
  return make_ref<TmpfsInode>(*this, type, next_inode_.fetch_add(1), mode, uid, gid, special_device);
}

Result<FsStat> Tmpfs::stat() {
  FsStat out;
  out.type = 0x01021994;  // TMPFS_MAGIC
  out.blocks = quota.limit;
  out.blocks_free = out.blocks_available = quota.limit - min(quota.limit, quota.used.load());
  out.inodes = quota.limit;
  out.inodes_free = out.inodes - min(out.inodes, inodes_.load());
  out.id = device_;
  return out;
}

// As tmpfs(5): what is not the default.
void Tmpfs::show_options(Writer& out) {
  constexpr u32 kDefaultMode = 01777;
  if (quota.limit != mm::memory_stats().total_pages / 2) format(out, ",size={}k", quota.limit * (kPageSize / 1024));
  if (root_mode_ != kDefaultMode) format(out, ",mode={:03o}", root_mode_);
  Stat top;
  if (!root_->stat(top).ok()) return;
  if (top.uid != 0) format(out, ",uid={}", top.uid);
  if (top.gid != 0) format(out, ",gid={}", top.gid);
}

Result<void> Tmpfs::resize(u64 pages) {
  if (pages == 0) return {};
  if (quota.used.load() > pages) return Errno::Invalid;
  quota.limit = pages;
  return {};
}

Result<void> resize_tmpfs(FileSystem& fs, u64 limit_bytes) {
  return static_cast<Tmpfs&>(fs).resize(page_up(limit_bytes) / kPageSize);
}

Result<RefPtr<FileSystem>> make_tmpfs(u64 limit_bytes, u32 root_mode) {
  const u64 pages = limit_bytes != 0 ? page_up(limit_bytes) / kPageSize : mm::memory_stats().total_pages / 2;
  return RefPtr<FileSystem>(TRY(Tmpfs::create(pages, root_mode)));
}

Result<RefPtr<File>> make_memfd(StringView name, u32 seals) {
  // One file system for all of them, made when first needed and kept.
  static constinit std::atomic<Tmpfs*> store{nullptr};
  Tmpfs* fs = store.load(std::memory_order_acquire);
  if (fs == nullptr) {
    RefPtr<Tmpfs> made = TRY(Tmpfs::create(mm::memory_stats().total_pages, 0700));
    Tmpfs* expected = nullptr;
    if (store.compare_exchange_strong(expected, made.get()))
      fs = made.leak();
    else
      fs = expected;
  }
  RefPtr<TmpfsInode> inode = TRY(fs->make_inode(FileType::kRegular, 0777, 0, 0, 0));
  inode->set_seals(seals);
  String shown = TRY(String::copy("/memfd:"));
  TRY(shown.append(name));
  TRY(shown.append(" (deleted)"));
  RefPtr<Dentry> dentry = TRY(Dentry::create(nullptr, nullptr, shown.view(), inode));
  return InodeFile::create(*dentry, u32{kOpenReadWrite} | kOpenLargeFile);
}

// --- inodes ---

struct TmpfsInode::Attribute {
  String name;
  Vector<char> value;
};

TmpfsInode::TmpfsInode(Tmpfs& owner, FileType type, u64 number, u32 mode, u32 uid, u32 gid, u64 special_device)
    : Inode(owner, type, number),
      mode_(mode & 07777),
      links_(type == FileType::kDirectory ? 2 : 1),
      uid_(uid),
      gid_(gid),
      special_device_(special_device),
      cache_(*this, owner.quota) {
  owner.ref();
  owner.inodes_.fetch_add(1, std::memory_order_relaxed);
  accessed_ = modified_ = changed_ = created_ = time::realtime_ns();
}

TmpfsInode::~TmpfsInode() {
  delete directory_;
  for (Attribute* attribute : attributes_)
    delete attribute;
  cache_.release();  // its quota is the file system's, which may go now
  fs().inodes_.fetch_sub(1, std::memory_order_relaxed);
  fs().unref();
}

Result<void> TmpfsInode::stat(Stat& out) {
  out = Stat{};
  out.device = fs().device_number();
  out.inode = number();
  out.mode = mode_type_bits(type()) | mode_;
  out.links = links_;
  out.uid = uid_;
  out.gid = gid_;
  out.special_device = special_device_;
  switch (type()) {
    case FileType::kDirectory:
      out.size = directory_ != nullptr ? directory_->count * 20 : 0;
      break;
    case FileType::kSymlink:
      out.size = target_.size();
      break;
    default:
      out.size = size();
  }
  out.blocks_512 = type() == FileType::kRegular ? cache_.cached_pages() * (kPageSize / 512) : 0;
  out.accessed = timespec_of(accessed_);
  out.modified = timespec_of(modified_);
  out.changed = timespec_of(changed_);
  out.created = timespec_of(created_);
  return {};
}

Result<void> TmpfsInode::set_attributes(const SetAttr& change) {
  if ((change.which & SetAttr::kMode) != 0) mode_ = change.mode & 07777;
  if ((change.which & SetAttr::kUid) != 0) uid_ = change.uid;
  if ((change.which & SetAttr::kGid) != 0) gid_ = change.gid;
  if ((change.which & SetAttr::kAccessed) != 0) accessed_ = ns_of(change.accessed);
  if ((change.which & SetAttr::kModified) != 0) modified_ = ns_of(change.modified);
  changed_ = time::realtime_ns();
  return {};
}

Result<u32> TmpfsInode::file_flags() {
  return u32{flags_};
}

Result<void> TmpfsInode::set_file_flags(u32 flags) {
  if ((flags & ~u32{kFileImmutable | kFileAppendOnly | kFileNoDump | kFileNoAtime}) != 0) return Errno::NotSupported;
  flags_ = flags;
  bind(flags);
  changed_ = time::realtime_ns();
  return {};
}

void TmpfsInode::note_modified() {
  modified_ = changed_ = time::realtime_ns();
}

void TmpfsInode::note_accessed(AccessTime how) {
  constexpr u64 kDay = 24 * 60 * 60 * time::kSecond;
  if ((flags_ & kFileNoAtime) != 0) return;
  const u64 now = time::realtime_ns();
  const bool recent = accessed_ > modified_ && accessed_ > changed_ && now - accessed_ < kDay;
  if (how == AccessTime::kStrict || !recent) accessed_ = now;
}

Result<void> TmpfsInode::set_size(u64 size) {
  if (type() != FileType::kRegular) return type() == FileType::kDirectory ? Errno::IsDirectory : Errno::Invalid;
  size_.store(size, std::memory_order_relaxed);
  return {};
}

// Holes are filled, so that later writes cannot run out of room. Punched pages have been dropped already.
Result<void> TmpfsInode::allocate(int mode, u64 offset, u64 length) {
  if (mode > 1) return {};
  return cache_.fill_range(offset >> kPageShift, (offset + length - 1) >> kPageShift);
}

Result<u64> TmpfsInode::seek_data(u64 offset, bool hole) {
  const u64 end = size();
  if (offset >= end) return Errno::NoDeviceOrAddress;
  u64 index = offset >> kPageShift;
  if (hole) {
    while ((index << kPageShift) < end && cache_.next_present(index) == index)
      ++index;
    return min(max(index << kPageShift, offset), end);
  }
  const u64 found = cache_.next_present(index);
  if (found > (end - 1) >> kPageShift) return Errno::NoDeviceOrAddress;
  return max(found << kPageShift, offset);
}

Result<usize> TmpfsInode::read_link(Span<char> out) {
  if (type() != FileType::kSymlink) return Errno::Invalid;
  const usize length = min(out.size(), target_.size());
  __builtin_memcpy(out.data(), target_.c_str(), length);
  return length;
}

// --- extended attributes ---

TmpfsInode::Attribute* TmpfsInode::find_attribute(StringView name) const {
  for (Attribute* attribute : attributes_) {
    if (attribute->name.view() == name) return attribute;
  }
  return nullptr;
}

Result<usize> TmpfsInode::get_xattr(StringView name, Span<char> out) {
  const Attribute* attribute = find_attribute(name);
  if (attribute == nullptr) return Errno::NoData;
  if (out.empty()) return attribute->value.size();
  if (out.size() < attribute->value.size()) return Errno::Range;
  __builtin_memcpy(out.data(), attribute->value.data(), attribute->value.size());
  return attribute->value.size();
}

Result<void> TmpfsInode::set_xattr(StringView name, Span<const char> value, int flags) {
  constexpr int kCreate = 1, kReplace = 2;
  Attribute* attribute = find_attribute(name);
  if (attribute != nullptr && (flags & kCreate) != 0) return Errno::Exists;
  if (attribute == nullptr && (flags & kReplace) != 0) return Errno::NoData;
  Vector<char> copy;
  TRY(copy.resize(value.size()));
  __builtin_memcpy(copy.data(), value.data(), value.size());
  if (attribute != nullptr) {
    attribute->value = uni::move(copy);
  } else {
    OwnPtr<Attribute> fresh = TRY(make_own<Attribute>());
    fresh->name = TRY(String::copy(name));
    fresh->value = uni::move(copy);
    TRY(attributes_.reserve(attributes_.size() + 1));
    MUST(attributes_.push(fresh.release()));  // room was reserved
  }
  changed_ = time::realtime_ns();
  return {};
}

Result<usize> TmpfsInode::list_xattr(Span<char> out) {
  usize length = 0;
  for (const Attribute* attribute : attributes_) {
    const usize step = attribute->name.size() + 1;
    if (!out.empty()) {
      if (out.size() - length < step) return Errno::Range;
      __builtin_memcpy(out.data() + length, attribute->name.c_str(), step);
    }
    length += step;
  }
  return length;
}

Result<void> TmpfsInode::remove_xattr(StringView name) {
  for (usize i = 0; i < attributes_.size(); ++i) {
    if (attributes_[i]->name.view() != name) continue;
    delete attributes_[i];
    attributes_.remove_at(i);
    changed_ = time::realtime_ns();
    return {};
  }
  return Errno::NoData;
}

}  // namespace uni::fs

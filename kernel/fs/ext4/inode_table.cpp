// SPDX-License-Identifier: Apache-2.0
// Inodes by number: where they lie on disk, and the table of those in memory. The table borrows; an inode leaves it
// when its last reference goes. As all state is in the buffer cache, a new object for the same number may be made while
// the old one is being destroyed.
#include "kernel/fs/ext4/directory.hpp"
#include "kernel/fs/ext4/extent_node.hpp"
#include "kernel/fs/ext4/inode.hpp"
#include "kernel/fs/ext4/regular_file.hpp"

namespace uni::fs::ext4 {

bool inode_checksum_ok(const Ext4& fs, u32 number, const DiskInode& d);

namespace {

// Flags whose inodes this kernel cannot show: compressed, encrypted, inline data, inode as attribute value.
constexpr u32 kFlagsUnsupported = 0x4 | 0x800 | kFlagXattrInode | kFlagInlineData;

bool sound(const Ext4& fs, const DiskInode& d, FileType type, u32 inode_size) {
  if (inode_size > kGoodOldInodeSize && (d.extra_size > inode_size - kGoodOldInodeSize || d.extra_size % 4 != 0))
    return false;
  const u64 size = d.size_low | u64{d.size_high} << 32;
  const u64 acl = d.file_acl_low | u64{d.file_acl_high} << 32;
  if (acl != 0 && !fs.valid_blocks(acl, 1)) return false;
  if (size > u64{kMaxLogicalBlock} << fs.geometry().block_shift) return false;
  const bool tree = (d.flags & kFlagExtents) != 0;
  switch (type) {
    case FileType::kDirectory:
      return tree && size != 0 && size % fs.block_size() == 0 && size <= u64{1} << 31;
    case FileType::kRegular:
      return tree;
    case FileType::kSymlink:
      return size != 0 && size <= fs.block_size() && (tree || size < kInlineBytes);
    default:
      return true;
  }
}

}  // namespace

Result<Ext4::InodePlace> Ext4::place(u32 number) {
  const Geometry& g = geometry_;
  if (number == 0 || number > g.inodes) return corrupt("inode number", number);
  Group group = TRY(this->group((number - 1) / g.inodes_per_group));
  const u32 index = (number - 1) % g.inodes_per_group;
  const u32 per_block = g.block_size / g.inode_size;
  BufferRef buffer = TRY(
      buffers_.read(group.inode_table() + index / per_block, {BlockKind::kInodeTable, 0, number - index % per_block}));
  // The bits of Buffer::dirty suffice: at most 4096 / 128 inodes a block.
  return InodePlace{uni::move(buffer), index % per_block * g.inode_size, index % per_block};
}

Result<RefPtr<Ext4Inode>> Ext4::inode(u32 number) {
  Ext4Inode** const bucket = &inodes_[number % kInodeBuckets];
  const auto find = [&]() -> Ext4Inode* {
    for (Ext4Inode* i = *bucket; i != nullptr; i = i->hash_next_) {
      if (i->ino() == number && i->try_ref()) return i;
    }
    return nullptr;
  };
  {
    LockGuard guard(inodes_lock_);
    if (Ext4Inode* i = find()) return RefPtr<Ext4Inode>::adopt(i);
  }
  InodePlace place = TRY(this->place(number));
  const DiskInode& d = *place.buffer.at<DiskInode>(place.offset);
  const auto type = static_cast<FileType>(d.mode >> 12);
  // An inode changed since it was read has no current checksum, but was checked then.
  const bool clean = (place.buffer->dirty.load(std::memory_order_acquire) >> place.part & 1) == 0;
  if (d.links == 0 || (clean && !inode_checksum_ok(*this, number, d)) || !sound(*this, d, type, geometry_.inode_size))
    return corrupt("inode", number);
  if ((d.flags & kFlagsUnsupported) != 0) return Errno::NotSupported;
  if ((d.flags & kFlagExtents) != 0 && !extent_node_ok(*this, root_of(const_cast<DiskInode&>(d)), kInlineBytes, -1))
    return corrupt("extent tree of inode", number);

  Ext4Inode* fresh = nullptr;
  switch (type) {
    case FileType::kDirectory:
      fresh = new (std::nothrow) Directory(*this, type, number, uni::move(place));
      break;
    case FileType::kRegular:
      fresh = new (std::nothrow) RegularFile(*this, type, number, uni::move(place));
      break;
    case FileType::kSymlink:
      fresh = new (std::nothrow) SymbolicLink(*this, type, number, uni::move(place));
      break;
    case FileType::kCharacter:
    case FileType::kBlock:
    case FileType::kFifo:
    case FileType::kSocket:
      fresh = new (std::nothrow) Ext4Inode(*this, type, number, uni::move(place));
      break;
    default:
      return corrupt("type of inode", number);
  }
  if (fresh == nullptr) return Errno::NoMemory;
  auto made = RefPtr<Ext4Inode>::adopt(fresh);
  LockGuard guard(inodes_lock_);
  if (Ext4Inode* other = find()) return RefPtr<Ext4Inode>::adopt(other);  // `made` was never in the table
  fresh->hash_next_ = *bucket;
  *bucket = fresh;
  return made;
}

void Ext4::inode_gone(Ext4Inode& inode) {
  LockGuard guard(inodes_lock_);
  for (Ext4Inode** at = &inodes_[inode.ino() % kInodeBuckets]; *at != nullptr; at = &(*at)->hash_next_) {
    if (*at == &inode) {
      *at = inode.hash_next_;
      return;
    }
  }
}

Ext4Inode::~Ext4Inode() = default;

void Ext4Inode::last_unref() {
  fs_.inode_gone(*this);
  if (raw_->links == 0 && !fs_.read_only()) release_storage();
  delete this;
}

Result<usize> SymbolicLink::read_link(Span<char> out) {
  const usize n = min<usize>(size(), out.size());
  if (size() < kInlineBytes && (raw().flags & kFlagExtents) == 0) {
    __builtin_memcpy(out.data(), raw().block, n);
    return n;
  }
  LockGuard guard(map_lock);
  const Mapping m = TRY(find_mapping(*this, 0));
  if (m.hole() || m.unwritten) return ext4().corrupt("symbolic link", ino());
  const BufferRef block = TRY(ext4().buffers().read(m.physical, {BlockKind::kPlain, seed()}));
  __builtin_memcpy(out.data(), block.data(), n);
  return n;
}

}  // namespace uni::fs::ext4

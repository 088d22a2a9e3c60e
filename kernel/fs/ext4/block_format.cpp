// SPDX-License-Identifier: Apache-2.0
// How each kind of metadata block is checked when it is read and sealed when it is written: the checksums of the
// metadata_csum feature (ext4 layout, "Checksums") and the structure that others rely on.
#include "kernel/base/crc32c.hpp"
#include "kernel/fs/ext4/directory_block.hpp"
#include "kernel/fs/ext4/extents.hpp"
#include "kernel/fs/ext4/file_system.hpp"
#include "kernel/fs/ext4/inode.hpp"

namespace uni::fs::ext4 {
namespace {

u32 xattr_checksum(u32 seed, u64 block, const u8* data, u32 size) {
  constexpr usize kAt = offsetof(XattrHeader, checksum);
  constexpr u32 kZero = 0;
  u32 crc = crc32c(seed, &block, sizeof block);
  crc = crc32c(crc, data, kAt);
  crc = crc32c(crc, &kZero, sizeof kZero);
  return crc32c(crc, data + kAt + 4, size - kAt - 4);
}

}  // namespace

bool Ext4::check(const Buffer& buffer) {
  const u32 size = geometry_.block_size;
  switch (buffer.owner.kind) {
    case BlockKind::kDescriptors:
      return check_descriptors(buffer);
    case BlockKind::kDirectory:
      if (!checksums_ || directory_checksum_ok(buffer, size)) return true;
      (void)corrupt("directory block", buffer.block);
      return false;
    case BlockKind::kExtents:
      if (extent_block_ok(*this, buffer)) return true;
      (void)corrupt("extent block", buffer.block);
      return false;
    case BlockKind::kXattr: {
      const auto* h = reinterpret_cast<const XattrHeader*>(buffer.data);
      if (h->magic == kXattrMagic && h->blocks == 1 &&
          (!checksums_ || h->checksum == xattr_checksum(seed_, buffer.block, buffer.data, size)))
        return true;
      (void)corrupt("attribute block", buffer.block);
      return false;
    }
    case BlockKind::kBlockBitmap:
    case BlockKind::kInodeBitmap:
      if (check_bitmap(buffer)) return true;
      (void)corrupt("bitmap of group", buffer.owner.number);
      return false;
    default:
      return true;  // inodes are checked one by one
  }
}

bool Ext4::check_bitmap(const Buffer& buffer) {
  if (!checksums_) return true;
  auto g = group(buffer.owner.number);
  if (!g.ok()) return false;
  const u32 crc = crc32c(seed_, buffer.data, bitmap_bytes(buffer.owner.kind));
  const u32 stored = buffer.owner.kind == BlockKind::kBlockBitmap ? g.value().block_bitmap_checksum()
                                                                  : g.value().inode_bitmap_checksum();
  return stored == (geometry_.descriptor_size >= 64 ? crc : crc & 0xFFFF);
}

void Ext4::seal(Buffer& buffer, u64 parts) {
  const u32 size = geometry_.block_size;
  switch (buffer.owner.kind) {
    case BlockKind::kInodeTable:
      seal_inodes(*this, buffer, parts);
      return;
    case BlockKind::kDirectory:
      if (checksums_) seal_directory(buffer, size);
      return;
    case BlockKind::kExtents:
      if (checksums_) seal_extent_block(buffer, size);
      return;
    case BlockKind::kXattr: {
      auto* h = reinterpret_cast<XattrHeader*>(buffer.data);
      if (checksums_) h->checksum = xattr_checksum(seed_, buffer.block, buffer.data, size);
      return;
    }
    case BlockKind::kBlockBitmap:
    case BlockKind::kInodeBitmap: {
      if (!checksums_) return;
      LockGuard guard(allocation_);
      auto g = group(buffer.owner.number);
      if (!g.ok()) return;  // pinned by the bitmap's change: its descriptor is dirty, so it was read
      const u32 crc = crc32c(seed_, buffer.data, bitmap_bytes(buffer.owner.kind));
      if (buffer.owner.kind == BlockKind::kBlockBitmap)
        g.value().set_block_bitmap_checksum(crc);
      else
        g.value().set_inode_bitmap_checksum(crc);
      g.value().changed(descriptors_per_block());
      return;
    }
    case BlockKind::kDescriptors: {
      const u32 per_block = descriptors_per_block();
      for (u32 i = 0; i < per_block && buffer.owner.number * per_block + i < geometry_.groups; ++i) {
        if ((parts >> (i % 64) & 1) == 0) continue;
        auto* d = reinterpret_cast<GroupDescriptor*>(buffer.data + usize{i} * geometry_.descriptor_size);
        d->checksum = descriptor_checksum(buffer.owner.number * per_block + i, *d);
      }
      return;
    }
    case BlockKind::kSuper:
      if (checksums_) super_->checksum = crc32c(~0u, super_, offsetof(SuperBlock, checksum));
      return;
    case BlockKind::kPlain:
      return;
  }
}

}  // namespace uni::fs::ext4

// SPDX-License-Identifier: Apache-2.0
// Mounting: the superblock is read and every number in it that others rely on is checked against the partition. Group
// descriptors are read when first used. Refuses journals that need recovery and features listed nowhere in layout.hpp.
#include "kernel/fs/ext4/file_system.hpp"

#include "kernel/base/crc32c.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/fs/ext4/ext4.hpp"
#include "kernel/fs/ext4/inode.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::ext4 {

Errno Ext4::corrupt(StringView what, u64 number) {
  if (complaints_.fetch_add(1, std::memory_order_relaxed) < 8) log::error("ext4: damaged {} ({})", what, number);
  return Errno::Io;
}

Result<void> Ext4::check_features() {
  const SuperBlock& s = *super_;
  const u32 unknown = s.incompat & ~kIncompatSupported;
  if (unknown != 0) {
    if ((unknown & kIncompatRecover) != 0)
      log::error("ext4: the journal needs recovery; run e2fsck on the image");
    else
      log::error("ext4: unknown incompatible features {:#x}", unknown);
    return Errno::NotSupported;
  }
  if ((s.read_only_compat & ~kReadOnlyCompatSupported) != 0) {
    log::warn("ext4: mounted read-only because of features {:#x}", s.read_only_compat & ~kReadOnlyCompatSupported);
    read_only_ = true;
  }
  if (s.revision < 1 || (s.incompat & kIncompatExtents) == 0) {
    log::error("ext4: no extents (an ext2 or ext3 image)");
    return Errno::NotSupported;
  }
  checksums_ = (s.read_only_compat & kMetadataChecksum) != 0;
  group_flags_ = checksums_ || (s.read_only_compat & kGroupChecksum) != 0;
  if (checksums_ && s.checksum_type != 1) return Errno::NotSupported;
  if (checksums_ && crc32c(~0u, super_, offsetof(SuperBlock, checksum)) != s.checksum) {
    log::error("ext4: wrong checksum of the superblock");
    return Errno::Invalid;
  }
  seed_ = (s.incompat & kIncompatChecksumSeed) != 0 ? s.checksum_seed : crc32c(~0u, s.uuid, sizeof s.uuid);
  return {};
}

Result<void> Ext4::check_geometry(u64 partition_size) {
  const SuperBlock& s = *super_;
  Geometry& g = geometry_;
  if (s.log_block_size > 2) {
    log::error("ext4: blocks larger than 4 KiB");
    return Errno::NotSupported;
  }
  g.block_shift = 10 + s.log_block_size;
  g.block_size = 1u << g.block_shift;
  g.blocks = s.blocks_count_low;
  g.descriptor_size = 32;
  if ((s.incompat & kIncompat64Bit) != 0) {
    g.blocks |= u64{s.blocks_count_high} << 32;
    g.descriptor_size = s.descriptor_size;
  }
  g.inodes = s.inodes_count;
  g.first_data_block = s.first_data_block;
  g.blocks_per_group = s.blocks_per_group;
  g.inodes_per_group = s.inodes_per_group;
  g.inode_size = s.inode_size;
  g.first_inode = s.first_inode;
  const auto power_of_two = [](u32 n) { return n != 0 && (n & (n - 1)) == 0; };
  const u32 bits = g.block_size * 8;
  if (g.blocks == 0 || g.blocks > partition_size >> g.block_shift ||
      g.first_data_block != (g.block_size == 1024 ? 1u : 0u) || g.blocks <= g.first_data_block ||
      g.blocks_per_group == 0 || g.blocks_per_group > bits || g.blocks_per_group % 8 != 0 ||
      s.log_cluster_size != s.log_block_size || g.inodes_per_group == 0 || g.inodes_per_group > bits ||
      g.inodes_per_group % 8 != 0 || !power_of_two(g.inode_size) || g.inode_size < kGoodOldInodeSize ||
      g.inode_size > g.block_size || !power_of_two(g.descriptor_size) || g.descriptor_size < 32 ||
      g.descriptor_size > g.block_size || ((s.incompat & kIncompat64Bit) != 0 && g.descriptor_size < 64) ||
      g.first_inode < 11)
    return Errno::Invalid;
  const u64 groups = (g.blocks - g.first_data_block + g.blocks_per_group - 1) / g.blocks_per_group;
  const u64 descriptor_blocks = (groups + descriptors_per_block() - 1) / descriptors_per_block();
  if (groups * g.inodes_per_group != g.inodes || g.inodes < g.first_inode || descriptor_blocks >= g.blocks_per_group ||
      g.first_data_block + 1 + descriptor_blocks >= g.blocks)
    return Errno::Invalid;
  g.groups = static_cast<u32>(groups);
  free_blocks_ = s.free_blocks_low | ((s.incompat & kIncompat64Bit) != 0 ? u64{s.free_blocks_high} << 32 : 0);
  free_inodes_ = s.free_inodes;
  if (free_blocks_ > g.blocks || free_inodes_ > g.inodes) return Errno::Invalid;
  return {};
}

Result<void> Ext4::open(u64 partition_size) {
  if (partition_size < 8 * kKiB || partition_size > device_.size() || offset_ > device_.size() - partition_size)
    return Errno::Invalid;
  // One page holds the superblock whatever the block size is; with 4 KiB blocks it is block 0.
  mm::Page* page = mm::alloc_page(mm::Zero::kNo);
  if (page == nullptr) return Errno::NoMemory;
  ScopeGuard free_page([&] {
    if (page != nullptr) mm::put_page(*page);
  });
  u8* data = static_cast<u8*>(mm::address_of(*page));
  const dev::BlockSegment segment{data, kPageSize};
  TRY(device_.read(offset_, {&segment, 1}));
  // SAFETY: the page holds a whole superblock at this offset, aligned.
  super_ = reinterpret_cast<SuperBlock*>(data + kSuperOffset);
  if (super_->magic != kMagic) return Errno::Invalid;
  TRY(check_features());
  if (!check_geometry(partition_size).ok()) {
    log::error("ext4: the superblock contradicts itself or the partition's size");
    return Errno::Invalid;
  }
  const mm::MemoryStats memory = mm::memory_stats();
  TRY(buffers_.init(offset_, geometry_.block_size, memory.total_pages / 32));
  const BlockOwner owner{BlockKind::kSuper};
  if (geometry_.block_size == kPageSize)
    super_buffer_ = TRY(buffers_.adopt(0, owner, exchange(page, nullptr)));
  else
    super_buffer_ = TRY(buffers_.read(geometry_.first_data_block, owner));
  super_ = super_buffer_.at<SuperBlock>(kSuperOffset % geometry_.block_size);
  if (device_.read_only() || (super_->compat & kCompatSparseSuper2) != 0) read_only_ = true;
  static std::atomic<u32> mounted{0};
  // Major 254 is virtblk's on Linux; the minor only needs to differ between file systems.
  device_number_ = 254u << 8 | (mounted.fetch_add(1) + 3);
  generation_ = static_cast<u32>(time::realtime_ns() >> 10);
  return {};
}

Ext4::~Ext4() = default;

Result<RefPtr<FileSystem>> mount(dev::BlockDevice& device, u64 partition_offset, u64 partition_size) {
  auto fs = TRY(make_ref<Ext4>(device, partition_offset));
  TRY(fs->open(partition_size));
  return RefPtr<FileSystem>(uni::move(fs));
}

Result<RefPtr<Inode>> Ext4::root() {
  auto inode = TRY(this->inode(kRootInode));
  if (inode->type() != FileType::kDirectory) return corrupt("root directory", kRootInode);
  return RefPtr<Inode>(uni::move(inode));
}

Result<FsStat> Ext4::stat() {
  FsStat s;
  s.type = kMagic;
  s.block_size = geometry_.block_size;
  s.blocks = geometry_.blocks;
  const u64 used = reserved_.load();
  const u64 free = free_blocks_.load();
  s.blocks_free = free > used ? free - used : 0;
  s.blocks_available = s.blocks_free;
  s.inodes = geometry_.inodes;
  s.inodes_free = free_inodes_.load();
  __builtin_memcpy(&s.id, super_->uuid, sizeof s.id);
  s.name_max = kNameMax;
  s.flags = read_only_ ? 1 : 0;
  return s;
}

Result<void> Ext4::sync() {
  if (read_only_) return {};
  {
    LockGuard guard(allocation_);
    const u64 free = free_blocks_.load();
    super_->free_blocks_low = static_cast<u32>(free);
    if ((super_->incompat & kIncompat64Bit) != 0) super_->free_blocks_high = static_cast<u32>(free >> 32);
    super_->free_inodes = free_inodes_.load();
    super_->write_time = static_cast<u32>(time::realtime_ns() / time::kSecond);
    super_buffer_.changed();
  }
  TRY(buffers_.flush());
  return device_.flush();
}

u32 Ext4::blocks_in_group(u32 number) const {
  if (number + 1 < geometry_.groups) return geometry_.blocks_per_group;
  return static_cast<u32>(geometry_.blocks - geometry_.first_data_block - u64{number} * geometry_.blocks_per_group);
}

Result<Group> Ext4::group(u32 number) {
  if (number >= geometry_.groups) return corrupt("group number", number);
  const u32 per_block = descriptors_per_block();
  BufferRef buffer = TRY(buffers_.read(geometry_.first_data_block + 1 + number / per_block,
                                       {BlockKind::kDescriptors, 0, number / per_block}));
  return Group(uni::move(buffer), usize{number % per_block} * geometry_.descriptor_size, number,
               geometry_.descriptor_size >= 64);
}

namespace {

// CRC-16 (polynomial 0x8005 reflected) of images with uninit_bg but without metadata_csum.
u16 crc16(u16 crc, const void* data, usize size) {
  const u8* p = static_cast<const u8*>(data);
  for (; size > 0; --size) {
    crc = static_cast<u16>(crc ^ *p++);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<u16>((crc >> 1) ^ ((crc & 1) != 0 ? 0xA001 : 0));
  }
  return crc;
}

}  // namespace

u16 Ext4::descriptor_checksum(u32 number, const GroupDescriptor& d) const {
  constexpr usize kAt = offsetof(GroupDescriptor, checksum);
  const u8* bytes = reinterpret_cast<const u8*>(&d);
  const usize behind = geometry_.descriptor_size - kAt - 2;
  if (checksums_) {
    constexpr u16 kZero = 0;
    u32 crc = crc32c(seed_, &number, sizeof number);
    crc = crc32c(crc, bytes, kAt);
    crc = crc32c(crc, &kZero, sizeof kZero);
    return static_cast<u16>(crc32c(crc, bytes + kAt + 2, behind));
  }
  if ((super_->read_only_compat & kGroupChecksum) == 0) return 0;
  u16 crc = crc16(0xFFFF, super_->uuid, sizeof super_->uuid);
  crc = crc16(crc, &number, sizeof number);
  crc = crc16(crc, bytes, kAt);
  return crc16(crc, bytes + kAt + 2, behind);
}

bool Ext4::check_descriptors(const Buffer& buffer) {
  const Geometry& g = geometry_;
  const u32 per_block = descriptors_per_block();
  const u64 table_blocks = (u64{g.inodes_per_group} * g.inode_size + g.block_size - 1) >> g.block_shift;
  const u32 first = buffer.owner.number * per_block;
  for (u32 i = 0; i < per_block && first + i < g.groups; ++i) {
    // SAFETY: descriptor i lies within the block; fields beyond 32 bytes are read only where they exist.
    auto* d = reinterpret_cast<const GroupDescriptor*>(buffer.data + usize{i} * g.descriptor_size);
    const bool wide = g.descriptor_size >= 64;
    const auto join = [&](u32 low, u32 high) { return low | (wide ? u64{high} << 32 : 0); };
    if (!valid_blocks(join(d->block_bitmap_low, wide ? d->block_bitmap_high : 0), 1) ||
        !valid_blocks(join(d->inode_bitmap_low, wide ? d->inode_bitmap_high : 0), 1) ||
        !valid_blocks(join(d->inode_table_low, wide ? d->inode_table_high : 0), table_blocks) ||
        (checksums_ && descriptor_checksum(first + i, *d) != d->checksum)) {
      (void)corrupt("group descriptor", first + i);
      return false;
    }
  }
  return true;
}

}  // namespace uni::fs::ext4

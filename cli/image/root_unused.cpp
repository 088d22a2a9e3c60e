// SPDX-License-Identifier: Apache-2.0
// Every block of the image that is not a hole is looked at once: the tree's own have been read and compared already,
// the file system's own are checked by their kind, all others are zero.
#include "cli/image/root_unused.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <span>

#include "cli/image/data_ranges.hpp"

namespace uni {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kSuper = 1024;  // the super block's size, and the primary one's place
using Block = std::array<char, kBlock>;

class UnusedCheck {
 public:
  UnusedCheck(ext2_filsys fs, const UsedByTree& used) : fs_(fs), used_(used) {
    for (dgrp_t g = 0; g < fs->group_desc_count; ++g)
      add_group(g);
  }

  std::string run(int file, std::uint64_t offset) {
    const std::uint64_t size = ext2fs_blocks_count(fs_->super) * kBlock;
    std::string fault;
    const bool whole = for_data_ranges(file, offset, offset + size, [&](std::uint64_t begin, std::uint64_t end) {
      for (blk64_t b = (begin - offset) / kBlock; b * kBlock < end - offset && fault.empty(); ++b)
        fault = check_block(b);
      return fault.empty();
    });
    if (!fault.empty()) return fault;
    if (!whole) return "it cannot be read";
    return check_bitmaps();
  }

 private:
  enum class Kind { Super, Descriptors, BlockBitmap, InodeBitmap, Inodes };
  struct Own {
    Kind kind;
    dgrp_t group;
    std::size_t index;  // of the block among the group's of its kind
  };

  void add_group(dgrp_t g) {
    blk64_t super = 0, old_descriptors = 0, new_descriptors = 0;
    ext2fs_super_and_bgd_loc2(fs_, g, &super, &old_descriptors, &new_descriptors, nullptr);
    if (super != 0 || g == 0) own_.insert_or_assign(super, Own{Kind::Super, g, 0});
    for (std::size_t i = 0; old_descriptors != 0 && i < fs_->desc_blocks; ++i)
      own_.insert_or_assign(old_descriptors + i, Own{Kind::Descriptors, g, i});
    own_.insert_or_assign(ext2fs_block_bitmap_loc(fs_, g), Own{Kind::BlockBitmap, g, 0});
    own_.insert_or_assign(ext2fs_inode_bitmap_loc(fs_, g), Own{Kind::InodeBitmap, g, 0});
    for (std::size_t i = 0; i < fs_->inode_blocks_per_group; ++i)
      own_.insert_or_assign(ext2fs_inode_table_loc(fs_, g) + i, Own{Kind::Inodes, g, i});
  }

  static bool zero(std::span<const char> bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == 0; });
  }

  std::string check_block(blk64_t number) {
    const auto own = own_.find(number);
    if (own == own_.end() && ext2fs_test_block_bitmap2(used_.blocks, number) != 0) return {};
    if (io_channel_read_blk64(fs_->io, number, 1, block_.data()) != 0)
      return fmt::format("block {} cannot be read", number);
    if (zero(block_)) return {};
    if (own == own_.end()) return fmt::format("block {} is free and not empty", number);
    return check_own(own->second) ? std::string() : fmt::format("its own block {} is changed", number);
  }

  bool check_own(const Own& own) const {
    const std::span<const char> all = block_;
    switch (own.kind) {
      case Kind::Super:
        return own.group == 0 ? zero(all.first(kSuper)) && zero(all.subspan(2 * kSuper))
                              : same_super(all) && zero(all.subspan(kSuper));
      case Kind::Descriptors:
        return std::memcmp(all.data(), reinterpret_cast<const char*>(fs_->group_desc) + own.index * kBlock, kBlock) ==
                   0 &&
               zero(all.subspan(descriptors_in(own.index)));
      case Kind::BlockBitmap:
        return ext2fs_bg_flags_test(fs_, own.group, EXT2_BG_BLOCK_UNINIT) == 0;
      case Kind::InodeBitmap:
        return ext2fs_bg_flags_test(fs_, own.group, EXT2_BG_INODE_UNINIT) == 0 &&
               std::ranges::all_of(all.subspan(fs_->super->s_inodes_per_group / 8), [](char c) { return c == '\377'; });
      case Kind::Inodes:
        return check_inodes(own);
    }
    return false;
  }

  // The bytes of a descriptor block that descriptors take.
  std::size_t descriptors_in(std::size_t index) const {
    const std::size_t all = std::size_t{fs_->group_desc_count} * EXT2_DESC_SIZE(fs_->super);
    return std::min(kBlock, all - std::min(all, index * kBlock));
  }

  // A copy differs in its group, in the state of a clean file system, and so in its checksum.
  bool same_super(std::span<const char> bytes) const {
    ext2_super_block copy{}, primary = *fs_->super;
    std::memcpy(&copy, bytes.data(), sizeof copy);
    if (ext2fs_superblock_csum_verify(fs_, &copy) == 0) return false;
    for (ext2_super_block* s : {&copy, &primary})
      s->s_block_group_nr = 0, s->s_state = 0, s->s_checksum = 0;
    return std::memcmp(&copy, &primary, sizeof copy) == 0;
  }

  bool check_inodes(const Own& own) const {
    const std::size_t size = EXT2_INODE_SIZE(fs_->super);
    const std::size_t in_block = kBlock / size;
    for (std::size_t i = 0; i < in_block; ++i) {
      const std::size_t index = own.index * in_block + i;
      const auto inode = static_cast<ext2_ino_t>(own.group * fs_->super->s_inodes_per_group + index + 1);
      if (!used_.inode(inode) && !zero(std::span(block_).subspan(i * size, size))) return false;
    }
    return true;
  }

  std::string check_bitmaps() const {
    for (blk64_t b = 0; b < ext2fs_blocks_count(fs_->super); ++b) {
      if (ext2fs_test_block_bitmap2(fs_->block_map, b) != 0 && !own_.contains(b) &&
          ext2fs_test_block_bitmap2(used_.blocks, b) == 0)
        return fmt::format("block {} is marked used, and nothing uses it", b);
    }
    for (ext2_ino_t i = EXT2_FIRST_INODE(fs_->super); i <= fs_->super->s_inodes_count; ++i) {
      if (ext2fs_test_inode_bitmap2(fs_->inode_map, i) != 0 && !used_.inode(i))
        return fmt::format("inode {} is marked used, and nothing uses it", i);
    }
    return {};
  }

  ext2_filsys fs_;
  const UsedByTree& used_;
  std::map<blk64_t, Own> own_;
  Block block_{};
};

}  // namespace

std::string fault_in_unused(ext2_filsys fs, int file, std::uint64_t offset, const UsedByTree& used) {
  if (fs->blocksize != kBlock || kBlock % EXT2_INODE_SIZE(fs->super) != 0) return "its blocks are not of 4096 bytes";
  return UnusedCheck(fs, used).run(file, offset);
}

bool tail_is_zero(ext2_filsys fs, blk64_t block, std::size_t used_bytes) {
  Block bytes{};
  return fs->blocksize == kBlock && io_channel_read_blk64(fs->io, block, 1, bytes.data()) == 0 &&
         std::ranges::all_of(std::span(bytes).subspan(used_bytes), [](char c) { return c == 0; });
}

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// The ext4 on-disk format: structures, flags and limits (Linux Documentation/filesystems/ext4). All fields are
// little-endian, as both machines that compile this are.
#pragma once

#include "kernel/base/types.hpp"

namespace uni::fs::ext4 {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

inline constexpr u16 kMagic = 0xEF53;
inline constexpr u64 kSuperOffset = 1024;
inline constexpr u32 kRootInode = 2;
inline constexpr usize kNameMax = 255;
inline constexpr u32 kLinkMax = 65000;

enum Incompat : u32 {
  kIncompatFileType = 0x2,
  kIncompatRecover = 0x4,
  kIncompatJournalDevice = 0x8,
  kIncompatMetaGroups = 0x10,
  kIncompatExtents = 0x40,
  kIncompat64Bit = 0x80,
  kIncompatMmp = 0x100,
  kIncompatFlexGroups = 0x200,
  kIncompatChecksumSeed = 0x2000,
};
inline constexpr u32 kIncompatSupported =
    kIncompatFileType | kIncompatExtents | kIncompat64Bit | kIncompatFlexGroups | kIncompatChecksumSeed;

enum ReadOnlyCompat : u32 {
  kSparseSuper = 0x1,
  kLargeFile = 0x2,
  kHugeFile = 0x8,
  kGroupChecksum = 0x10,
  kDirLinks = 0x20,
  kExtraInodeSize = 0x40,
  kMetadataChecksum = 0x400,
  kSharedXattr = 0x0,
};
// With any other of these features the file system can be read, but not written.
inline constexpr u32 kReadOnlyCompatSupported =
    kSparseSuper | kLargeFile | kHugeFile | kGroupChecksum | kDirLinks | kExtraInodeSize | kMetadataChecksum;

enum Compat : u32 {
  kCompatXattr = 0x8,
  kCompatResizeInode = 0x10,
  kCompatDirIndex = 0x20,
  kCompatSparseSuper2 = 0x200,
};

struct SuperBlock {
  u32 inodes_count;
  u32 blocks_count_low;
  u32 reserved_blocks_low;
  u32 free_blocks_low;
  u32 free_inodes;
  u32 first_data_block;
  u32 log_block_size;
  u32 log_cluster_size;
  u32 blocks_per_group;
  u32 clusters_per_group;
  u32 inodes_per_group;
  u32 mount_time;
  u32 write_time;
  u16 mount_count;
  u16 max_mount_count;
  u16 magic;
  u16 state;
  u16 errors;
  u16 minor_revision;
  u32 last_check;
  u32 check_interval;
  u32 creator_os;
  u32 revision;
  u16 reserved_uid;
  u16 reserved_gid;
  u32 first_inode;
  u16 inode_size;
  u16 block_group;
  u32 compat;
  u32 incompat;
  u32 read_only_compat;
  u8 uuid[16];
  char volume_name[16];
  char last_mounted[64];
  u32 algorithm_bitmap;
  u8 preallocate_blocks;
  u8 preallocate_directory_blocks;
  u16 reserved_gdt_blocks;
  u8 journal_uuid[16];
  u32 journal_inode;
  u32 journal_device;
  u32 last_orphan;
  u32 hash_seed[4];
  u8 default_hash_version;
  u8 journal_backup_type;
  u16 descriptor_size;
  u32 default_mount_options;
  u32 first_meta_group;
  u32 made_time;
  u32 journal_blocks[17];
  u32 blocks_count_high;
  u32 reserved_blocks_high;
  u32 free_blocks_high;
  u16 min_extra_inode_size;
  u16 want_extra_inode_size;
  u32 flags;
  u16 raid_stride;
  u16 mmp_interval;
  u64 mmp_block;
  u32 raid_stripe_width;
  u8 log_groups_per_flex;
  u8 checksum_type;
  u16 reserved_pad;
  u64 kbytes_written;
  u8 unused1[0x270 - 0x180];
  u32 checksum_seed;
  u8 unused2[0x3FC - 0x274];
  u32 checksum;
};
static_assert(sizeof(SuperBlock) == 1024);
static_assert(offsetof(SuperBlock, uuid) == 0x68 && offsetof(SuperBlock, hash_seed) == 0xEC &&
              offsetof(SuperBlock, descriptor_size) == 0xFE && offsetof(SuperBlock, blocks_count_high) == 0x150 &&
              offsetof(SuperBlock, flags) == 0x160 && offsetof(SuperBlock, log_groups_per_flex) == 0x174 &&
              offsetof(SuperBlock, checksum_seed) == 0x270);

enum SuperFlag : u32 { kSignedHash = 1, kUnsignedHash = 2 };

struct GroupDescriptor {
  u32 block_bitmap_low;
  u32 inode_bitmap_low;
  u32 inode_table_low;
  u16 free_blocks_low;
  u16 free_inodes_low;
  u16 directories_low;
  u16 flags;
  u32 exclude_bitmap_low;
  u16 block_bitmap_checksum_low;
  u16 inode_bitmap_checksum_low;
  u16 unused_inodes_low;
  u16 checksum;
  // Only with the 64bit feature (descriptor_size >= 64).
  u32 block_bitmap_high;
  u32 inode_bitmap_high;
  u32 inode_table_high;
  u16 free_blocks_high;
  u16 free_inodes_high;
  u16 directories_high;
  u16 unused_inodes_high;
  u32 exclude_bitmap_high;
  u16 block_bitmap_checksum_high;
  u16 inode_bitmap_checksum_high;
  u32 reserved;
};
static_assert(sizeof(GroupDescriptor) == 64 && offsetof(GroupDescriptor, checksum) == 0x1E);

enum GroupFlag : u16 { kInodeUninit = 1, kBlockUninit = 2, kInodeZeroed = 4 };

enum InodeFlag : u32 {
  kFlagSync = 0x8,
  kFlagImmutable = 0x10,
  kFlagAppend = 0x20,
  kFlagIndex = 0x1000,
  kFlagHugeFile = 0x40000,
  kFlagExtents = 0x80000,
  kFlagXattrInode = 0x200000,
  kFlagInlineData = 0x10000000,
};
// What programs see of them, and what they may set: secrm, unrm, compr, sync, immutable, append, nodump, noatime,
// notail, dirsync, topdir.
inline constexpr u32 kFlagsVisible = 0x705BDFFF, kFlagsSettable = 0x000380FF;

struct DiskInode {
  u16 mode;
  u16 uid_low;
  u32 size_low;
  u32 accessed;
  u32 changed;
  u32 modified;
  u32 deleted;
  u16 gid_low;
  u16 links;
  u32 blocks_low;
  u32 flags;
  u32 version;
  u32 block[15];  // extent tree root, fast symlink target, or device numbers
  u32 generation;
  u32 file_acl_low;
  u32 size_high;
  u32 fragment;
  u16 blocks_high;
  u16 file_acl_high;
  u16 uid_high;
  u16 gid_high;
  u16 checksum_low;
  u16 reserved;
  // Behind the first 128 bytes; present as far as extra_size says.
  u16 extra_size;
  u16 checksum_high;
  u32 changed_extra;
  u32 modified_extra;
  u32 accessed_extra;
  u32 created;
  u32 created_extra;
  u32 version_high;
  u32 project;
};
static_assert(sizeof(DiskInode) == 160 && offsetof(DiskInode, block) == 0x28 &&
              offsetof(DiskInode, generation) == 0x64 && offsetof(DiskInode, checksum_low) == 0x7C &&
              offsetof(DiskInode, extra_size) == 0x80);
inline constexpr u16 kGoodOldInodeSize = 128;
inline constexpr usize kInlineBytes = 60;  // of DiskInode::block

struct ExtentHeader {
  u16 magic;
  u16 entries;
  u16 max;
  u16 depth;
  u32 generation;
};
struct Extent {
  u32 logical;
  u16 length;  // above 32768: unwritten, of length - 32768 blocks
  u16 start_high;
  u32 start_low;
};
struct ExtentIndex {
  u32 logical;
  u32 child_low;
  u16 child_high;
  u16 unused;
};
static_assert(sizeof(ExtentHeader) == 12 && sizeof(Extent) == 12 && sizeof(ExtentIndex) == 12);
inline constexpr u16 kExtentMagic = 0xF30A;
inline constexpr u32 kMaxWrittenLength = 32768;
inline constexpr u32 kMaxUnwrittenLength = 32767;
inline constexpr u16 kMaxExtentDepth = 5;
inline constexpr u32 kMaxLogicalBlock = 0xFFFFFFFE;

struct DirEntry {
  u32 inode;
  u16 record_length;
  u8 name_length;
  u8 type;
  // name_length bytes of name follow
};
static_assert(sizeof(DirEntry) == 8);
// The last 12 bytes of a directory leaf where metadata is checksummed; looks like an unused entry.
struct DirTail {
  u32 zero;
  u16 record_length;  // 12
  u8 zero2;
  u8 type;  // 0xDE
  u32 checksum;
};
static_assert(sizeof(DirTail) == 12);
inline constexpr u8 kDirTailType = 0xDE;

// Hash index: in block 0 behind "." and "..", in inner blocks behind one empty entry.
struct IndexRootInfo {
  u32 reserved;
  u8 hash_version;
  u8 info_length;  // 8
  u8 levels;
  u8 flags;
};
struct IndexEntry {
  u32 hash;  // in the first entry: limit (low 16 bits) and count
  u32 block;
};
struct IndexTail {
  u32 reserved;
  u32 checksum;
};
static_assert(sizeof(IndexRootInfo) == 8 && sizeof(IndexEntry) == 8 && sizeof(IndexTail) == 8);
inline constexpr usize kIndexRootEntries = 32;  // offset of the entries in block 0
inline constexpr usize kIndexNodeEntries = 8;

enum HashVersion : u8 { kLegacy, kHalfMd4, kTea, kLegacyUnsigned, kHalfMd4Unsigned, kTeaUnsigned };

inline constexpr u32 kXattrMagic = 0xEA020000;
struct XattrHeader {
  u32 magic;
  u32 reference_count;
  u32 blocks;
  u32 hash;
  u32 checksum;
  u32 reserved[3];
};
struct XattrEntry {
  u8 name_length;
  u8 name_index;
  u16 value_offset;
  u32 value_inode;
  u32 value_size;
  u32 hash;
  // name_length bytes of name follow, padded to 4
};
static_assert(sizeof(XattrHeader) == 32 && sizeof(XattrEntry) == 16);

}  // namespace uni::fs::ext4

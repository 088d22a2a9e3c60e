// SPDX-License-Identifier: Apache-2.0
// What all kinds of ext4 inodes share: attributes, times, sizes, link counts, checksums.
#include "kernel/fs/ext4/inode.hpp"

#include "kernel/base/crc32c.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::ext4 {
namespace {

// Times are 34 bits of seconds (32, signed, and 2 more) and 30 of nanoseconds (ext4 layout, "Inode Timestamps").
Timespec get_time(u32 seconds, u32 extra) {
  return {static_cast<i64>(static_cast<i32>(seconds)) + (static_cast<i64>(extra & 3) << 32), extra >> 2};
}
u32 extra_of(const Timespec& t) {
  const i64 high = (t.seconds - static_cast<i32>(static_cast<u32>(t.seconds))) >> 32;
  return (static_cast<u32>(high) & 3) | t.nanoseconds << 2;
}

u32 inode_seed(const Ext4& fs, u32 number, u32 generation) {
  const u32 crc = crc32c(fs.checksum_seed(), &number, sizeof number);
  return crc32c(crc, &generation, sizeof generation);
}

// True where the inode of `size` bytes has the field that ends at byte `end`.
bool present(const DiskInode& d, u32 size, usize end) {
  return size > kGoodOldInodeSize && usize{kGoodOldInodeSize} + d.extra_size >= end && end <= size;
}

}  // namespace

u32 inode_checksum(const Ext4& fs, u32 number, const DiskInode& d) {
  const u32 size = fs.geometry().inode_size;
  constexpr usize kLow = offsetof(DiskInode, checksum_low), kHigh = offsetof(DiskInode, checksum_high);
  constexpr u16 kZero = 0;
  const u8* bytes = reinterpret_cast<const u8*>(&d);
  u32 crc = inode_seed(fs, number, d.generation);
  crc = crc32c(crc, bytes, kLow);
  crc = crc32c(crc, &kZero, 2);
  crc = crc32c(crc, bytes + kLow + 2, kGoodOldInodeSize - kLow - 2);
  if (size > kGoodOldInodeSize) {
    crc = crc32c(crc, bytes + kGoodOldInodeSize, kHigh - kGoodOldInodeSize);
    if (present(d, size, kHigh + 2)) {
      crc = crc32c(crc, &kZero, 2);
      crc = crc32c(crc, bytes + kHigh + 2, size - kHigh - 2);
    } else {
      crc = crc32c(crc, bytes + kHigh, size - kHigh);
    }
  }
  return present(d, size, kHigh + 2) ? crc : crc & 0xFFFF;
}

void seal_inodes(Ext4& fs, Buffer& buffer, u64 parts) {
  if (!fs.checksums()) return;
  const u32 size = fs.geometry().inode_size;
  for (u32 i = 0; i < fs.block_size() / size; ++i) {
    if ((parts >> i & 1) == 0) continue;
    auto& d = *reinterpret_cast<DiskInode*>(buffer.data + usize{i} * size);
    const u32 crc = inode_checksum(fs, buffer.owner.number + i, d);
    d.checksum_low = static_cast<u16>(crc);
    if (present(d, size, offsetof(DiskInode, checksum_high) + 2)) d.checksum_high = static_cast<u16>(crc >> 16);
  }
}

bool inode_checksum_ok(const Ext4& fs, u32 number, const DiskInode& d) {
  if (!fs.checksums()) return true;
  const bool high = present(d, fs.geometry().inode_size, offsetof(DiskInode, checksum_high) + 2);
  return inode_checksum(fs, number, d) == (d.checksum_low | (high ? u32{d.checksum_high} << 16 : 0));
}

Ext4Inode::Ext4Inode(Ext4& fs, FileType type, u32 number, Ext4::InodePlace place)
    : Inode(fs, type, number),
      fs_(fs),
      place_(uni::move(place)),
      raw_(place_.buffer.at<DiskInode>(place_.offset)),
      seed_(inode_seed(fs, number, raw_->generation)) {
  bind(raw_->flags);
}

bool Ext4Inode::has_extra(usize end) const {
  return present(*raw_, fs_.geometry().inode_size, end);
}

Result<void> Ext4Inode::stat(Stat& out) {
  const DiskInode& d = *raw_;
  out.device = fs_.device_number();
  out.inode = number();
  out.mode = d.mode;
  out.links = d.links;
  out.uid = d.uid_low | u32{d.uid_high} << 16;
  out.gid = d.gid_low | u32{d.gid_high} << 16;
  out.size = size();
  out.block_size = fs_.block_size();
  out.blocks_512 = block_count() + (delayed_blocks() << (fs_.geometry().block_shift - 9));
  const bool extra = has_extra(offsetof(DiskInode, created));
  out.accessed = get_time(d.accessed, extra ? d.accessed_extra : 0);
  out.modified = get_time(d.modified, extra ? d.modified_extra : 0);
  out.changed = get_time(d.changed, extra ? d.changed_extra : 0);
  if (has_extra(offsetof(DiskInode, created_extra) + 4)) out.created = get_time(d.created, d.created_extra);
  if (type() == FileType::kCharacter || type() == FileType::kBlock) {
    // block[0]: the old 8:8 form; block[1]: the form that user space's dev_t has too.
    out.special_device = d.block[0] != 0 ? d.block[0] & 0xFFFF : d.block[1];
    out.size = 0;
  }
  return {};
}

Result<void> Ext4Inode::set_attributes(const SetAttr& c) {
  if (fs_.read_only()) return Errno::ReadOnlyFs;
  DiskInode& d = *raw_;
  const bool extra = has_extra(offsetof(DiskInode, created));
  if ((c.which & SetAttr::kMode) != 0) d.mode = static_cast<u16>((d.mode & 0xF000) | (c.mode & 07777));
  if ((c.which & SetAttr::kUid) != 0) {
    d.uid_low = static_cast<u16>(c.uid);
    d.uid_high = static_cast<u16>(c.uid >> 16);
  }
  if ((c.which & SetAttr::kGid) != 0) {
    d.gid_low = static_cast<u16>(c.gid);
    d.gid_high = static_cast<u16>(c.gid >> 16);
  }
  if ((c.which & SetAttr::kAccessed) != 0) {
    d.accessed = static_cast<u32>(c.accessed.seconds);
    if (extra) d.accessed_extra = extra_of(c.accessed);
  }
  if ((c.which & SetAttr::kModified) != 0) {
    d.modified = static_cast<u32>(c.modified.seconds);
    if (extra) d.modified_extra = extra_of(c.modified);
  }
  // A read's new access time alone is no change of the inode's (utimensat always sets both).
  if (c.which != SetAttr::kAccessed) touch(false);
  changed();
  return {};
}

void Ext4Inode::touch(bool content) {
  const u64 now = time::realtime_ns();
  const Timespec t{static_cast<i64>(now / time::kSecond), static_cast<u32>(now % time::kSecond)};
  const bool extra = has_extra(offsetof(DiskInode, created));
  raw_->changed = static_cast<u32>(t.seconds);
  if (extra) raw_->changed_extra = extra_of(t);
  if (content) {
    raw_->modified = static_cast<u32>(t.seconds);
    if (extra) raw_->modified_extra = extra_of(t);
  }
  changed();
}

void Ext4Inode::note_accessed(AccessTime how) {
  if (fs_.read_only() || (raw_->flags & kFileNoAtime) != 0) return;
  const u64 now = time::realtime_ns();
  const i64 seconds = static_cast<i64>(now / time::kSecond);
  DiskInode& d = *raw_;
  const auto last = static_cast<i32>(d.accessed);
  const bool recent =
      last > static_cast<i32>(d.modified) && last > static_cast<i32>(d.changed) && seconds - last < 24 * 60 * 60;
  if (how == AccessTime::kRelative && recent) return;
  d.accessed = static_cast<u32>(seconds);
  if (has_extra(offsetof(DiskInode, created)))
    d.accessed_extra = extra_of({seconds, static_cast<u32>(now % time::kSecond)});
  changed();
}

Result<u32> Ext4Inode::file_flags() {
  return raw_->flags & kFlagsVisible;
}

// What is about the layout of the file is shown, but stays as it is.
Result<void> Ext4Inode::set_file_flags(u32 flags) {
  if (fs_.read_only()) return Errno::ReadOnlyFs;
  if ((flags & ~kFlagsVisible) != 0) return Errno::NotSupported;
  raw_->flags = (raw_->flags & ~kFlagsSettable) | (flags & kFlagsSettable);
  bind(raw_->flags);
  touch(false);
  return {};
}

void Ext4Inode::put_size(u64 size) {
  raw_->size_low = static_cast<u32>(size);
  raw_->size_high = static_cast<u32>(size >> 32);
  changed();
}

u64 Ext4Inode::block_count() const {
  const u64 n = raw_->blocks_low | u64{raw_->blocks_high} << 32;
  return (raw_->flags & kFlagHugeFile) != 0 ? n << (fs_.geometry().block_shift - 9) : n;
}

void Ext4Inode::add_blocks(i64 file_system_blocks) {
  const unsigned shift = fs_.geometry().block_shift - 9;
  const i64 change = (raw_->flags & kFlagHugeFile) != 0 ? file_system_blocks : file_system_blocks * (i64{1} << shift);
  const u64 old = raw_->blocks_low | u64{raw_->blocks_high} << 32;
  const u64 n = change < 0 && old < static_cast<u64>(-change) ? 0 : old + static_cast<u64>(change);
  raw_->blocks_low = static_cast<u32>(n);
  raw_->blocks_high = static_cast<u16>(n >> 32);
  changed();
}

void Ext4Inode::set_xattr_block(u64 block) {
  raw_->file_acl_low = static_cast<u32>(block);
  raw_->file_acl_high = static_cast<u16>(block >> 32);
  changed();
}

void Ext4Inode::add_links(int change) {
  // A directory with more links than fit has 1: "many" (dir_nlink).
  if (type() == FileType::kDirectory && raw_->links == 1 && change != 0) return;
  const int links = raw_->links + change;
  raw_->links = links < 0 ? u16{0} : links > static_cast<int>(kLinkMax) ? u16{1} : static_cast<u16>(links);
  changed();
}

Result<void> Ext4Inode::sync(bool) {
  return fs_.sync();
}

}  // namespace uni::fs::ext4

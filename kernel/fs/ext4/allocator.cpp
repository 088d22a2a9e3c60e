// SPDX-License-Identifier: Apache-2.0
// Blocks: the bitmap of each group, searched from a goal. A run at the goal itself is taken however short it is, as it
// continues an extent; elsewhere the first run that is long enough, or the group's longest. Bitmaps that mke2fs left
// uninitialised are made when first needed.
#include "kernel/fs/ext4/bitmap.hpp"
#include "kernel/fs/ext4/file_system.hpp"

namespace uni::fs::ext4 {

// The backups of the superblock are in groups 0, 1 and powers of 3, 5 and 7 (sparse_super).
bool Ext4::has_super(u32 number) const {
  if (number <= 1 || (super_->read_only_compat & kSparseSuper) == 0) return true;
  for (const u64 base : {u64{3}, u64{5}, u64{7}}) {
    u64 power = base;
    while (power < number)
      power *= base;
    if (power == number) return true;
  }
  return false;
}

// What the bitmap of a group that nothing was allocated in says: its own metadata is in use.
void Ext4::fill_block_bitmap(Group& group, u8* bits) {
  const Geometry& g = geometry_;
  const u64 first = g.first_data_block + u64{group.number()} * g.blocks_per_group;
  const u32 count = blocks_in_group(group.number());
  const auto use = [&](u64 block, u64 n) {
    const u64 from = max(block, first), end = min(block + n, first + count);
    if (from < end) set_bits(bits, static_cast<u32>(from - first), static_cast<u32>(end - from));
  };
  if (has_super(group.number())) {
    const u32 descriptor_blocks = (g.groups + descriptors_per_block() - 1) / descriptors_per_block();
    use(first, u64{1} + descriptor_blocks + super_->reserved_gdt_blocks);
  }
  use(group.block_bitmap(), 1);
  use(group.inode_bitmap(), 1);
  use(group.inode_table(), (u64{g.inodes_per_group} * g.inode_size + g.block_size - 1) >> g.block_shift);
  set_bits(bits, count, g.block_size * 8 - count);
}

Result<BufferRef> Ext4::block_bitmap(Group& group) {
  const BlockOwner owner{BlockKind::kBlockBitmap, 0, group.number()};
  if (!group_flags_ || !group.has(kBlockUninit)) return buffers_.read(group.block_bitmap(), owner);
  BufferRef bitmap = TRY(buffers_.create(group.block_bitmap(), owner));
  fill_block_bitmap(group, bitmap.data());
  group.clear(kBlockUninit);
  group.changed(descriptors_per_block());
  return bitmap;
}

// Takes up to `count` blocks of a group, at bit `from` or behind it. NoSpace: none there.
Result<Ext4::Run> Ext4::allocate_in(u32 number, u32 from, u32 count) {
  Group group = TRY(this->group(number));
  if (group.free_blocks() == 0) return Errno::NoSpace;
  const BufferRef bitmap = TRY(block_bitmap(group));
  const u8* bits = bitmap.data();
  const u32 end = blocks_in_group(number);
  u32 best = 0, best_length = 0;
  for (u32 at = find_bit(bits, from, end, false); at < end;) {
    const u32 stop = find_bit(bits, at, min(end, at + count), true);
    if (stop - at > best_length) {
      best = at;
      best_length = stop - at;
    }
    if (best_length == count || (at == from && from != 0)) break;
    at = find_bit(bits, stop, end, false);
  }
  if (best_length == 0) return Errno::NoSpace;
  const u64 block = geometry_.first_data_block + u64{number} * geometry_.blocks_per_group + best;
  if (!valid_blocks(block, best_length) || group.free_blocks() < best_length)
    return corrupt("block bitmap of group", number);
  set_bits(bitmap.data(), best, best_length);
  bitmap.changed();
  group.set_free_blocks(group.free_blocks() - best_length);
  group.changed(descriptors_per_block());
  free_blocks_.fetch_sub(best_length, std::memory_order_relaxed);
  return Run{block, best_length};
}

Result<Ext4::Run> Ext4::allocate_blocks(u64 goal, u32 count) {
  const Geometry& g = geometry_;
  LockGuard guard(allocation_);
  if (free_blocks_.load() <= reserved_.load()) return Errno::NoSpace;
  if (goal < g.first_data_block || goal >= g.blocks) goal = g.first_data_block;
  const u64 relative = goal - g.first_data_block;
  const u32 first = static_cast<u32>(relative / g.blocks_per_group);
  const u32 bit = static_cast<u32>(relative % g.blocks_per_group);
  // The goal's group is searched twice: behind the goal, and in the end from its beginning.
  for (u32 i = 0; i <= g.groups; ++i) {
    auto run = allocate_in((first + i) % g.groups, i == 0 ? bit : 0, count);
    if (run.ok() || run.error() != Errno::NoSpace) return run;
  }
  return Errno::NoSpace;
}

Result<void> Ext4::free_blocks(u64 first, u32 count) {
  const Geometry& g = geometry_;
  if (!valid_blocks(first, count)) return corrupt("block to be freed", first);
  LockGuard guard(allocation_);
  while (count > 0) {
    const u64 relative = first - g.first_data_block;
    const u32 number = static_cast<u32>(relative / g.blocks_per_group);
    const u32 bit = static_cast<u32>(relative % g.blocks_per_group);
    const u32 n = min(count, blocks_in_group(number) - bit);
    Group group = TRY(this->group(number));
    const BufferRef bitmap = TRY(block_bitmap(group));
    if (find_bit(bitmap.data(), bit, bit + n, false) != bit + n) return corrupt("block to be freed", first);
    clear_bits(bitmap.data(), bit, n);
    bitmap.changed();
    group.set_free_blocks(group.free_blocks() + n);
    group.changed(descriptors_per_block());
    free_blocks_.fetch_add(n, std::memory_order_relaxed);
    first += n;
    count -= n;
  }
  return {};
}

Result<void> Ext4::reserve_blocks(u64 count) {
  u64 reserved = reserved_.load(std::memory_order_relaxed);
  do {
    if (free_blocks_.load(std::memory_order_relaxed) < reserved + count + reserved_margin()) return Errno::NoSpace;
  } while (!reserved_.compare_exchange_weak(reserved, reserved + count, std::memory_order_relaxed));
  return {};
}

}  // namespace uni::fs::ext4

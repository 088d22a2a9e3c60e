// SPDX-License-Identifier: Apache-2.0
// Finding and listing names. Listing goes through the blocks in order, so an index needs no care there: its blocks look
// like blocks with one unused entry. A hole, a bad entry or a bad number is Io.
#include "kernel/fs/ext4/directory.hpp"

namespace uni::fs::ext4 {
namespace {

constexpr FileType kTypes[8] = {FileType{0},      FileType::kRegular, FileType::kDirectory, FileType::kCharacter,
                                FileType::kBlock, FileType::kFifo,    FileType::kSocket,    FileType::kSymlink};

}  // namespace

u8 entry_type(FileType type) {
  for (u8 i = 1; i < 8; ++i) {
    if (kTypes[i] == type) return i;
  }
  return 0;
}

FileType file_type(u8 type) {
  return type < 8 ? kTypes[type] : FileType{0};
}

Result<BufferRef> Directory::block(u32 logical) {
  Mapping m;
  {
    LockGuard guard(map_lock);
    m = TRY(find_mapping(*this, logical));
  }
  if (m.hole() || m.unwritten) return damaged();
  const u64 physical = m.physical + (logical - m.logical);
  BufferRef buffer = TRY(ext4().buffers().read(physical, {BlockKind::kDirectory, seed(), role(logical)}));
  if (buffer->owner.seed != seed()) return damaged();  // two directories share a block
  return buffer;
}

Result<Directory::Found> Directory::find_in(BufferRef buffer, StringView name) {
  EntryWalk walk(buffer.data(), leaf_end());
  usize previous = 0;
  while (const DirEntry* e = walk.next()) {
    if (same_name(*e, name) && e->inode != 0) return Found{uni::move(buffer), walk.offset(), previous};
    previous = walk.offset();
  }
  return walk.damaged() ? damaged() : Errno::NoEntry;
}

Result<Directory::Found> Directory::find(StringView name) {
  if (name.size() > kNameMax) return Errno::NameTooLong;
  if (indexed()) {
    auto found = find_indexed(name);
    if (found.ok() || found.error() != Errno::NotSupported) return found;
  }
  for (u32 i = 0; i < blocks(); ++i) {
    BufferRef buffer = TRY(block(i));
    if (indexed() && index_offset(buffer.data(), ext4().block_size(), role(i)) == kIndexNodeEntries) continue;
    auto found = find_in(uni::move(buffer), name);
    if (found.ok() || found.error() != Errno::NoEntry) return found;
  }
  return Errno::NoEntry;
}

Result<RefPtr<Inode>> Directory::lookup(StringView name) {
  Found found = TRY(find(name));
  const u32 number = found.entry().inode;
  found.buffer.reset();
  if (number == ino()) return damaged();
  return RefPtr<Inode>(TRY(ext4().inode(number)));
}

Result<void> Directory::read_directory(u64 offset, DirectorySink& sink) {
  const unsigned shift = ext4().geometry().block_shift;
  const u32 block_size = ext4().block_size();
  for (u64 logical = offset >> shift; logical < blocks(); ++logical) {
    BufferRef buffer = TRY(block(static_cast<u32>(logical)));
    // An index node is one unused entry without a tail; so is the root's, behind "." and "..".
    const usize index = index_offset(buffer.data(), block_size, role(static_cast<u32>(logical)));
    if (index == kIndexNodeEntries) continue;
    const u64 base = logical << shift;
    EntryWalk walk(buffer.data(), index != 0 ? block_size : leaf_end());
    while (const DirEntry* e = walk.next()) {
      // Entries may have merged since the caller's last visit: go on with the first that is not before it.
      if (base + walk.offset() < offset || e->inode == 0) continue;
      const StringView name(name_of(*e), e->name_length);
      if (name.empty() || name.find('/') != StringView::kNotFound || name.find('\0') != StringView::kNotFound)
        return damaged();
      const FileType type = ext4().entry_types() ? file_type(e->type) : FileType{0};
      if (!sink.entry(name, e->inode, type, base + walk.position())) return {};
    }
    if (walk.damaged()) return damaged();
  }
  return {};
}

}  // namespace uni::fs::ext4

// SPDX-License-Identifier: Apache-2.0
// Changes are not there yet: the file system is mounted read-only.
#include "kernel/fs/ext4/directory.hpp"
#include "kernel/fs/ext4/regular_file.hpp"

namespace uni::fs::ext4 {
Result<RefPtr<Inode>> Directory::create(StringView, FileType, u32, u32, u32, u64) {
  return Errno::ReadOnlyFs;
}
Result<RefPtr<Inode>> Directory::symlink(StringView, StringView, u32, u32) {
  return Errno::ReadOnlyFs;
}
Result<void> Directory::link(StringView, Inode&) {
  return Errno::ReadOnlyFs;
}
Result<void> Directory::unlink(StringView, Inode&) {
  return Errno::ReadOnlyFs;
}
Result<void> Directory::rmdir(StringView, Inode&) {
  return Errno::ReadOnlyFs;
}
Result<void> Directory::rename(StringView, Inode&, Inode&, StringView, Inode*, bool) {
  return Errno::ReadOnlyFs;
}
RegularFile::~RegularFile() = default;
Result<void> RegularFile::write_pages(u64, Span<mm::Page* const>) {
  return Errno::ReadOnlyFs;
}
Result<void> RegularFile::prepare_write(u64) {
  return Errno::ReadOnlyFs;
}
Result<void> RegularFile::set_size(u64) {
  return Errno::ReadOnlyFs;
}
Result<void> RegularFile::allocate(int, u64, u64) {
  return Errno::ReadOnlyFs;
}
Result<u64> RegularFile::seek_data(u64, bool) {
  return Errno::Invalid;
}
Result<usize> Ext4Inode::get_xattr(StringView, Span<char>) {
  return Errno::NotSupported;
}
Result<void> Ext4Inode::set_xattr(StringView, Span<const char>, int) {
  return Errno::ReadOnlyFs;
}
Result<usize> Ext4Inode::list_xattr(Span<char>) {
  return Errno::NotSupported;
}
Result<void> Ext4Inode::remove_xattr(StringView) {
  return Errno::ReadOnlyFs;
}
void Ext4Inode::release_storage() {}
}  // namespace uni::fs::ext4

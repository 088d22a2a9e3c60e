// SPDX-License-Identifier: Apache-2.0
// The VFS as a file system under test needs it: inodes whose defaults refuse, and a page cache that holds nothing.
#include "kernel/fs/dentry.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/fs/page_cache.hpp"

namespace uni::fs {

Inode::~Inode() = default;
Result<void> Inode::set_attributes(const SetAttr&) {
  return Errno::NotPermitted;
}
Result<RefPtr<Inode>> Inode::lookup(StringView) {
  return Errno::NotDirectory;
}
Result<RefPtr<Inode>> Inode::create(StringView, FileType, u32, u32, u32, u64) {
  return Errno::NotDirectory;
}
Result<RefPtr<Inode>> Inode::symlink(StringView, StringView, u32, u32) {
  return Errno::NotDirectory;
}
Result<void> Inode::link(StringView, Inode&) {
  return Errno::NotDirectory;
}
Result<void> Inode::unlink(StringView, Inode&) {
  return Errno::NotDirectory;
}
Result<void> Inode::rmdir(StringView, Inode&) {
  return Errno::NotDirectory;
}
Result<void> Inode::rename(StringView, Inode&, Inode&, StringView, Inode*, bool) {
  return Errno::NotDirectory;
}
Result<void> Inode::read_directory(u64, DirectorySink&) {
  return Errno::NotDirectory;
}
Result<usize> Inode::read_link(Span<char>) {
  return Errno::Invalid;
}
Result<RefPtr<Dentry>> Inode::follow_magic() {
  return Errno::Invalid;
}
Result<void> Inode::read_pages(u64, Span<mm::Page*>) {
  return Errno::Invalid;
}
Result<void> Inode::write_pages(u64, Span<mm::Page* const>) {
  return Errno::Invalid;
}
Result<void> Inode::prepare_write(u64) {
  return Errno::Invalid;
}
Result<void> Inode::set_size(u64) {
  return Errno::Invalid;
}
Result<void> Inode::allocate(int, u64, u64) {
  return Errno::NotSupported;
}
Result<u64> Inode::seek_data(u64, bool) {
  return Errno::Invalid;
}
Result<void> Inode::sync(bool) {
  return {};
}
Result<RefPtr<File>> Inode::open(u32) {
  return RefPtr<File>();
}
Result<usize> Inode::get_xattr(StringView, Span<char>) {
  return Errno::NotSupported;
}
Result<void> Inode::set_xattr(StringView, Span<const char>, int) {
  return Errno::NotSupported;
}
Result<usize> Inode::list_xattr(Span<char>) {
  return Errno::NotSupported;
}
Result<u32> Inode::file_flags() {
  return Errno::NotTty;
}
Result<void> Inode::set_file_flags(u32) {
  return Errno::NotTty;
}
Result<void> Inode::remove_xattr(StringView) {
  return Errno::NotSupported;
}

Dentry::~Dentry() = default;

PageCache::~PageCache() = default;
Result<mm::Page*> PageCache::fault(u64, mm::Access) {
  return Errno::NotSupported;
}
void PageCache::last_unref() {}
void Dentry::last_unref() {}
Result<void> PageCache::truncate(u64) {
  return {};
}
void PageCache::drop(u64, u64) {}
Result<void> PageCache::flush() {
  return {};
}
void PageCache::set_unlinked(bool) {}

}  // namespace uni::fs

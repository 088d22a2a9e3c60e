// SPDX-License-Identifier: Apache-2.0
// The answers of an inode that does not support an operation, and its rarely needed part.
#include "kernel/fs/inode.hpp"

#include "kernel/fs/dentry.hpp"
#include "kernel/fs/inode_extra.hpp"

namespace uni::fs {

namespace {
Errno unless_directory(const Inode& inode, Errno otherwise) {
  return inode.type() == FileType::kDirectory ? otherwise : Errno::NotDirectory;
}
}  // namespace

Inode::~Inode() {
  delete extra();
}

Result<InodeExtra*> Inode::ensure_extra() {
  if (InodeExtra* there = extra()) return there;
  auto* fresh = new (std::nothrow) InodeExtra;
  if (fresh == nullptr) return Errno::NoMemory;
  InodeExtra* expected = nullptr;
  if (extra_.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) return fresh;
  delete fresh;
  return expected;
}

Result<void> Inode::set_attributes(const SetAttr&) {
  return Errno::NotPermitted;
}
Result<RefPtr<Inode>> Inode::lookup(StringView) {
  return unless_directory(*this, Errno::NoEntry);
}
Result<RefPtr<Inode>> Inode::create(StringView, FileType, u32, u32, u32, u64) {
  return unless_directory(*this, Errno::NotPermitted);
}
Result<RefPtr<Inode>> Inode::symlink(StringView, StringView, u32, u32) {
  return unless_directory(*this, Errno::NotPermitted);
}
Result<void> Inode::link(StringView, Inode&) {
  return unless_directory(*this, Errno::NotPermitted);
}
Result<void> Inode::unlink(StringView, Inode&) {
  return unless_directory(*this, Errno::NotPermitted);
}
Result<void> Inode::rmdir(StringView, Inode&) {
  return unless_directory(*this, Errno::NotPermitted);
}
Result<void> Inode::rename(StringView, Inode&, Inode&, StringView, Inode*, bool) {
  return unless_directory(*this, Errno::NotPermitted);
}
Result<void> Inode::read_directory(u64, DirectorySink&) {
  return unless_directory(*this, Errno::NotSupported);
}
Result<usize> Inode::read_link(Span<char>) {
  return Errno::Invalid;
}
Result<RefPtr<Dentry>> Inode::follow_magic() {
  return RefPtr<Dentry>();
}
Result<void> Inode::read_pages(u64, Span<mm::Page*>) {
  return Errno::Io;
}
Result<void> Inode::write_pages(u64, Span<mm::Page* const>) {
  return Errno::Io;
}
Result<void> Inode::prepare_write(u64) {
  return {};
}
Result<void> Inode::set_size(u64) {
  return type_ == FileType::kDirectory ? Errno::IsDirectory : Errno::Invalid;
}
Result<void> Inode::allocate(int, u64, u64) {
  return Errno::NotSupported;
}

// Without knowledge of holes the whole file is data (lseek(2)).
Result<u64> Inode::seek_data(u64 offset, bool hole) {
  if (offset >= size()) return Errno::NoDeviceOrAddress;
  return hole ? size() : offset;
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
  return usize{0};
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

}  // namespace uni::fs

// SPDX-License-Identifier: Apache-2.0
// Inodes: what a file system shows the VFS. A file system derives from Inode and overrides what it supports; the
// defaults answer Linux's error. Directory changes and size changes run with the inode's `lock` held by the VFS (both
// directories in a rename, in address order); page I/O does not.
#pragma once

#include <atomic>

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni {
class Writer;
}

namespace uni::fs {

class FileSystem;
class PageCache;
struct InodeExtra;  // locks, a fifo's pipe, watches: made when first needed (kernel/fs/inode_extra.hpp)

enum class FileType : u8 {
  kFifo = 1,
  kCharacter = 2,
  kDirectory = 4,
  kBlock = 6,
  kRegular = 8,
  kSymlink = 10,
  kSocket = 12
};
constexpr u32 mode_type_bits(FileType t) {
  return static_cast<u32>(t) << 12;
}

// Flags of a file that bind everybody, root too (ioctl_iflags(2)): FS_*_FL.
enum FileFlag : u32 { kFileImmutable = 0x10, kFileAppendOnly = 0x20, kFileNoDump = 0x40, kFileNoAtime = 0x80 };

struct Timespec {
  i64 seconds = 0;
  u32 nanoseconds = 0;
};

// What stat and statx show; independent of any ABI layout.
struct Stat {
  u64 device = 0;
  u64 inode = 0;
  u32 mode = 0;  // type and permission bits
  u32 links = 1;
  u32 uid = 0;
  u32 gid = 0;
  u64 special_device = 0;
  u64 size = 0;
  u32 block_size = 4096;
  u64 blocks_512 = 0;
  Timespec accessed, modified, changed, created;
};

struct FsStat {
  u64 type = 0;  // the f_type magic
  u64 block_size = 4096;
  u64 blocks = 0, blocks_free = 0, blocks_available = 0;
  u64 inodes = 0, inodes_free = 0;
  u64 id = 0;
  u32 name_max = 255;
  u32 flags = 0;
};

// A change of attributes; only those whose bit is set.
struct SetAttr {
  enum : u32 { kMode = 1, kUid = 2, kGid = 4, kAccessed = 8, kModified = 16 };
  u32 which = 0;
  u32 mode = 0;
  u32 uid = 0, gid = 0;
  Timespec accessed, modified;
};

// Receives directory entries; gives false when it has no more room (that entry is then delivered again next time).
class DirectorySink {
 public:
  virtual bool entry(StringView name, u64 inode, FileType type, u64 next_offset) = 0;

 protected:
  ~DirectorySink() = default;
};

class Inode : public RefCounted {
 public:
  explicit Inode(FileSystem& fs, FileType type, u64 number) : fs_(fs), type_(type), number_(number) {}

  FileSystem& file_system() const { return fs_; }
  FileType type() const { return type_; }
  u64 number() const { return number_; }

  virtual Result<void> stat(Stat& out) = 0;
  virtual Result<void> set_attributes(const SetAttr& change);  // NotPermitted

  // Directories. Names are single components, at most 255 bytes, never "." or "..".
  virtual Result<RefPtr<Inode>> lookup(StringView name);  // NoEntry, NotDirectory
  virtual Result<RefPtr<Inode>> create(StringView name, FileType type, u32 mode, u32 uid, u32 gid, u64 special_device);
  virtual Result<RefPtr<Inode>> symlink(StringView name, StringView target, u32 uid, u32 gid);
  virtual Result<void> link(StringView name, Inode& existing);
  virtual Result<void> unlink(StringView name, Inode& victim);
  virtual Result<void> rmdir(StringView name, Inode& victim);  // NotEmpty
  // Moves `old_name` of this directory to `new_name` of `new_parent`, replacing `replaced` (may be null) atomically.
  virtual Result<void> rename(StringView old_name, Inode& moved, Inode& new_parent, StringView new_name,
                              Inode* replaced, bool exchange);
  // Delivers entries from `offset` (0 at the start, then an entry's next_offset), "." and ".." included.
  virtual Result<void> read_directory(u64 offset, DirectorySink& sink);
  // May a lookup's result be remembered in the dentry cache? procfs and 9p say no.
  virtual bool cacheable() const { return true; }

  // Symbolic links: writes the target, gives its length.
  virtual Result<usize> read_link(Span<char> out);  // Invalid
  // Links that jump to an object, not to a path (/proc/self/fd/N, /proc/self/exe): gives where to; for a File use
  // fs::dentry_for(file). Null: an ordinary link, whose target is read.
  virtual Result<RefPtr<Dentry>> follow_magic();

  // Regular files whose content lives in the page cache: the cache calls these. `page_index` counts 4 KiB pages.
  virtual Result<void> read_pages(u64 page_index, Span<mm::Page*> pages);         // fills content; zero beyond the end
  virtual Result<void> write_pages(u64 page_index, Span<mm::Page* const> pages);  // stores content
  // Reserves what write_pages will need for a page about to be dirtied (delayed allocation). NoSpace.
  virtual Result<void> prepare_write(u64 page_index);
  virtual u64 size() const { return 0; }
  // Sets the size; on shrinking frees blocks behind it. The VFS has already dropped cached pages.
  virtual Result<void> set_size(u64 size);
  virtual Result<void> allocate(int mode, u64 offset, u64 length);  // NotSupported
  // The FALLOC_FL_* bits that its kind of file system knows (fallocate(2)). The VFS collapses and inserts by itself.
  virtual int allocate_modes() const { return 0; }
  // SEEK_DATA (3) and SEEK_HOLE (4).
  virtual Result<u64> seek_data(u64 offset, bool hole);
  // The content was changed (write, truncate, a store through a mapping): sets mtime and ctime to now. Cheap; no block.
  virtual void note_modified() {}
  // The content was read: sets atime to now. kRelative: once a day, and when the last change is later (mount(8),
  // relatime). Cheap; does not block.
  enum class AccessTime : u8 { kRelative, kStrict };
  virtual void note_accessed(AccessTime how) { (void)how; }
  // The F_SEAL_* bits of a memfd; null for what cannot be sealed.
  virtual std::atomic<u32>* seals() { return nullptr; }
  // Writes metadata (and the journal, where there is one) to the device; the VFS has flushed the pages.
  virtual Result<void> sync(bool data_only);
  virtual PageCache* page_cache() { return nullptr; }

  // Opens something that has its own File (devices, procfs); null means the generic one over this inode. `flags` are
  // the File's open flags. The VFS opens fifos itself.
  virtual Result<RefPtr<File>> open(u32 flags);

  // Extended attributes. Errors: NoData, Range (buffer too small), NotSupported. An empty buffer asks for the size.
  virtual Result<usize> get_xattr(StringView name, Span<char> out);
  virtual Result<void> set_xattr(StringView name, Span<const char> value, int flags);
  virtual Result<usize> list_xattr(Span<char> out);
  virtual Result<void> remove_xattr(StringView name);

  // The FileFlag bits of FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (ioctl_iflags(2)), and others that the file system has.
  // `lock` is held. NotTty; NotSupported for bits that the file system cannot keep.
  virtual Result<u32> file_flags();
  virtual Result<void> set_file_flags(u32 flags);
  // kFileImmutable and kFileAppendOnly, where they are set. Lock-free.
  u32 bound() const { return bound_.load(std::memory_order_relaxed); }

  // Held by the VFS over changes of directory content and size.
  Mutex lock;

  // Open file descriptions of a regular file that may write, and those that only read. Negative: programs run from it,
  // and nobody may write (kernel/fs/permission.hpp).
  std::atomic<i32> open_for_write{0};
  std::atomic<i32> open_for_read{0};

  // Null until someone needed it. Lock-free.
  InodeExtra* extra() const { return extra_.load(std::memory_order_acquire); }
  // Makes it. Errors: NoMemory.
  Result<InodeExtra*> ensure_extra();

 protected:
  ~Inode() override;
  // By the file system, when it reads or changes the flags.
  void bind(u32 flags) { bound_.store(flags & (kFileImmutable | kFileAppendOnly), std::memory_order_relaxed); }

 private:
  std::atomic<u32> bound_{0};
  std::atomic<InodeExtra*> extra_{nullptr};
  FileSystem& fs_;
  FileType type_;
  u64 number_;
};

class FileSystem : public RefCounted {
 public:
  virtual Result<RefPtr<Inode>> root() = 0;
  virtual StringView type_name() const = 0;  // "ext4", as in /proc/mounts
  virtual Result<FsStat> stat() = 0;
  virtual Result<void> sync() { return {}; }
  virtual u64 device_number() const = 0;
  virtual bool read_only() const { return false; }
  // SB_* flags that mount(2) set for all mounts of it: kMountReadOnly, MS_SYNCHRONOUS and the like.
  std::atomic<u32> super_flags{0};
  // Writes the options that only this kind has, each with a comma before it, for /proc/mounts. Does not block.
  virtual void show_options(Writer& out) { (void)out; }
  // The last mount of it is gone, and with it every dentry; open mappings and the like may still hold inodes.
  virtual void last_mount_gone() {}
  std::atomic<u32> mounts{0};  // kept by Mount
  bool aliased = false;        // more than one at a time: kept by kernel/fs/mount_tree.cpp, under dentry_lock()
};

}  // namespace uni::fs

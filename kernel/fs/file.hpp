// SPDX-License-Identifier: Apache-2.0
// An open file description (open(2)): what a descriptor refers to. Sockets, pipes, epoll instances and inodes opened by
// path are all Files. Shared by dup and fork; freed with the last reference.
#pragma once

#include <atomic>

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/mm/vm_object.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace uni {
class Writer;
}

namespace uni::fs {

class Inode;
class Dentry;
class FileTable;
struct Stat;

// poll(2) bits, also epoll's.
enum PollBits : u32 {
  kPollIn = 0x001,
  kPollPri = 0x002,
  kPollOut = 0x004,
  kPollErr = 0x008,
  kPollHup = 0x010,
  kPollNval = 0x020,
  kPollRdNorm = 0x040,
  kPollRdBand = 0x080,
  kPollWrNorm = 0x100,
  kPollWrBand = 0x200,
  kPollRdHup = 0x2000,
};

// open(2) flags kept with the description, Linux's values.
enum OpenFlag : u32 {
  kOpenReadOnly = 0,
  kOpenWriteOnly = 1,
  kOpenReadWrite = 2,
  kOpenAccessMask = 3,
  kOpenCreate = 0x40,
  kOpenExclusive = 0x80,
  kOpenNoCtty = 0x100,
  kOpenTruncate = 0x200,
  kOpenAppend = 0x400,
  kOpenNonBlock = 0x800,
  kOpenDsync = 0x1000,
  kOpenAsync = 0x2000,
  kOpenDirect = 0x4000,
  kOpenLargeFile = 0x8000,
  kOpenDirectory = 0x10000,
  kOpenNoFollow = 0x20000,
  kOpenNoAtime = 0x40000,
  kOpenCloseOnExec = 0x80000,
  kOpenSync = 0x101000,
  kOpenPath = 0x200000,
  kOpenTmpFile = 0x410000,
};

enum class FileKind : u8 {
  kInode,
  kPipe,
  kSocket,
  kEpoll,
  kEventFd,
  kTimerFd,
  kSignalFd,
  kInotify,
  kDevice,
  kPidFd,
  kUring,
  kRuleset,    // of landlock(7)
  kFsContext,  // of fsopen(2)
  kOther
};

class File;
// Takes a file whose last reference went out of every epoll instance. kernel/fs/epoll.cpp.
void epoll_file_dying(File& file);
// Ends a file's signals. kernel/fs/async_io.cpp.
void async_file_dying(File& file);

class File : public RefCounted {
 public:
  explicit File(FileKind kind, u32 open_flags) : flags_(open_flags), kind_(kind) {}

  // Reads at `offset` (ignored by streams) into `to`; gives the bytes read, 0 at the end. Honours kOpenNonBlock. May
  // block. Errors: Again, RestartSys (a signal came first), Io, IsDirectory, Invalid (not readable this way), Fault.
  virtual Result<usize> read(IoCursor& to, u64 offset);
  // Writes `from` at `offset`. With kOpenAppend the file itself finds the end. Same errors, and Pipe, NoSpace,
  // FileTooBig.
  virtual Result<usize> write(IoCursor& from, u64 offset);
  // The ready poll bits now. Does not block.
  virtual u32 poll();
  // The queue that is woken, with poll bits, whenever poll() may give more; null for what is always ready.
  virtual WaitQueue* poll_queue() { return nullptr; }
  // ioctl(2). Errors: NotTty for commands it does not know.
  virtual Result<i64> ioctl(u32 command, u64 argument);
  // True where read and write use position (regular files, directories, block devices).
  virtual bool seekable() const { return false; }
  // lseek(2). Errors: IllegalSeek, Invalid, NoDeviceOrAddress (SEEK_DATA past the end).
  virtual Result<u64> seek(i64 offset, int whence);
  virtual Result<void> stat(Stat& out);
  virtual Result<void> truncate(u64 size);
  virtual Result<void> sync(bool data_only);
  virtual Result<void> allocate(int mode, u64 offset, u64 length);
  // What mmap shows. Errors: NoDevice where it cannot be mapped.
  virtual Result<RefPtr<mm::VmObject>> vm_object();
  // getdents64: fills `to` with linux_dirent64 records from position; gives the bytes. Errors: NotDirectory, Invalid
  // (no room for one).
  virtual Result<usize> read_directory(IoCursor& to);
  // Called when a descriptor of `table` is closed (close(2), dup2, exit), before the reference goes: POSIX locks end.
  virtual void descriptor_closed(FileTable& table) { (void)table; }
  // fcntl(F_SETFL) changed the flags.
  virtual void flags_changed(u32 old_flags) { (void)old_flags; }
  // The text behind /proc/self/fd/N, such as "socket:[12]" or a path; gives its length.
  virtual usize describe(Span<char> out);
  // Writes the lines of /proc/self/fdinfo/N that only this kind has (proc(5)). No spin lock held.
  virtual void describe_info(Writer& out) { (void)out; }

  FileKind kind() const { return kind_; }
  u32 flags() const { return flags_.load(std::memory_order_relaxed); }
  void set_flags(u32 flags) { flags_.store(flags, std::memory_order_relaxed); }
  bool nonblocking() const { return (flags() & kOpenNonBlock) != 0; }
  // Must a transfer with this cursor give Again where it would wait?
  bool must_not_wait(const IoCursor& cursor) const { return nonblocking() || cursor.no_wait(); }
  bool readable() const { return (flags() & kOpenAccessMask) != kOpenWriteOnly && (flags() & kOpenPath) == 0; }
  bool writable() const { return (flags() & kOpenAccessMask) != kOpenReadOnly && (flags() & kOpenPath) == 0; }

  // The inode, or null for what has none (sockets, epoll); the dentry's unless overridden.
  virtual Inode* inode();
  // Where it was opened, or null. The VFS sets it right after Inode::open.
  Dentry* dentry() const { return dentry_; }
  // Needs: no other thread knows the File yet.
  void set_dentry(Dentry& dentry);

  // The file offset, guarded by position_lock (held over a read or write that uses it, as Linux does since 3.14).
  u64 position = 0;
  // Where the last write with kOpenAppend ended: the next offset.
  u64 append_end = 0;
  Mutex position_lock;
  // Its open made the file (F_CREATED_QUERY).
  bool created = false;
  // A program runs from it: nobody may open it for writing (deny_write, inode_file.hpp).
  bool denies_write = false;
  // A detached mount goes with it (open_tree(2), fsmount(2)), unless the mount is attached by then.
  bool owns_mount = false;
  // Rights that landlock(7) kept from it when it was opened: truncation, a device's ioctl.
  u16 landlock_denied = 0;

  // Observers that must be told when the File dies: epoll items. Guarded by the epoll code's own lock.
  std::atomic<struct EpollItem*> epoll_items{nullptr};
  // Who is told by a signal (F_SETOWN, O_ASYNC), or null. kernel/fs/async_io.cpp.
  std::atomic<class AsyncIo*> async_io{nullptr};

 protected:
  ~File() override;
  // Epoll items borrow the File, so they go while all of it is still alive: poll() may run until they are gone.
  void last_unref() override {
    if (epoll_items.load(std::memory_order_relaxed) != nullptr) epoll_file_dying(*this);
    if (async_io.load(std::memory_order_relaxed) != nullptr) async_file_dying(*this);
    delete this;
  }

 private:
  std::atomic<u32> flags_;
  FileKind kind_;
  Dentry* dentry_ = nullptr;  // counted
};

// /proc/sys/fs/nr_open: the most descriptors that a table may hold, and that RLIMIT_NOFILE may allow.
extern std::atomic<u64> g_most_descriptors;

// The descriptors of a process. Shared by threads (CLONE_FILES), copied by fork. Internally locked; lookups do not
// block.
class FileTable : public RefCounted {
 public:
  static constexpr u32 kFirstLimit = 16384;  // RLIMIT_NOFILE as it begins; programs walk up to it
  static Result<RefPtr<FileTable>> create();
  // A copy for fork: the same Files, the same descriptors.
  Result<RefPtr<FileTable>> copy();

  // The File behind `fd` with a reference. Errors: BadFd. An O_PATH file is BadFd unless `allow_path`.
  Result<RefPtr<File>> get(int fd, bool allow_path = false);
  // Puts `file` at the lowest free descriptor >= minimum. Errors: TooManyFiles (RLIMIT_NOFILE), NoMemory.
  Result<int> install(RefPtr<File> file, bool close_on_exec, int minimum = 0);
  // Puts it exactly at `fd`, closing what is there (dup2). Errors: BadFd (beyond the limit), Busy.
  Result<int> install_at(int fd, RefPtr<File> file, bool close_on_exec);
  // Errors: BadFd. May block (the last reference may flush).
  Result<void> close(int fd);
  void close_range(int first, int last, bool only_mark_close_on_exec);
  Result<bool> close_on_exec(int fd);
  Result<void> set_close_on_exec(int fd, bool value);
  // On execve.
  void close_all_on_exec();
  // The first descriptor >= from that is open, or -1: for /proc/self/fd.
  int next_open(int from);
  u32 open_count();
  // The table's size: 64, doubled until the highest descriptor ever open fits, as Linux's `max_fds`.
  u32 slots();
  u32 limit() const { return limit_; }
  void set_limit(u32 limit) { limit_ = limit; }

 private:
  struct Slot {
    File* file = nullptr;  // counted
    bool close_on_exec = false;
  };
  ~FileTable() override;
  Result<void> grow(u32 wanted);
  Result<u32> lowest_free(u32 from);
  void put(u32 fd, RefPtr<File> file, bool close_on_exec);
  RefPtr<File> take(u32 fd);
  SpinLock lock_{Rank::kFileTable};
  Vector<Slot> slots_;
  Vector<u64> used_;  // a bit a slot
  u32 limit_ = kFirstLimit;
  friend class RefPtr<FileTable>;
};

}  // namespace uni::fs

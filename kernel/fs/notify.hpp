// SPDX-License-Identifier: Apache-2.0
// Telling inotify instances what happens to files (inotify(7)). The places where it happens call the functions below;
// while nothing is watched each costs one load. They may be called with mutexes held, but without a spin lock.
#pragma once

#include <atomic>

#include "kernel/base/list.hpp"
#include "kernel/fs/file.hpp"

namespace uni::fs {

class FileSystem;

namespace notify {

enum Event : u32 {
  kAccess = 1,
  kModify = 2,
  kAttributes = 4,
  kCloseWrite = 8,
  kCloseNoWrite = 0x10,
  kOpen = 0x20,
  kMovedFrom = 0x40,
  kMovedTo = 0x80,
  kCreate = 0x100,
  kDelete = 0x200,
  kDeleteSelf = 0x400,
  kMoveSelf = 0x800,
  kAllEvents = 0xfff,
  kUnmount = 0x2000,
  kOverflow = 0x4000,
  kIgnored = 0x8000,
  kExcludeUnlinked = 0x04000000,
  kDirectory = 0x40000000,
  kOneShot = 0x80000000,
};

extern std::atomic<u32> g_watches;
inline bool active() {
  return g_watches.load(std::memory_order_relaxed) != 0;
}

// The slow halves: of an inode alone; of a name in a directory; of a place, which its parent hears of too.
void inode_event(Inode& inode, u32 event);
void name_event(Inode& directory, StringView name, bool is_directory, u32 event, u32 cookie = 0);
void place_event(Dentry& place, u32 event);
void file_closed(File& file);
void dentry_gone(Dentry& dentry);
void unmounted(FileSystem& fs);
// Ties the two events of a rename.
u32 next_cookie();

// What happened to an open file. Files without a place (pipes, sockets) have no watchers.
inline void on_file(File& file, u32 event) {
  if (active() && file.dentry() != nullptr) [[unlikely]]
    place_event(*file.dentry(), event);
}
inline void on_place(Dentry& place, u32 event) {
  if (active()) [[unlikely]]
    place_event(place, event);
}

}  // namespace notify

// An inotify instance.
class Inotify final : public File {
 public:
  // Errors: TooManyFiles (max_user_instances), NoMemory.
  static Result<RefPtr<Inotify>> create(u32 open_flags);
  // How to treat a file that is watched already.
  enum class Existing : u8 { kReplace, kAdd, kRefuse };
  // Gives the watch descriptor. Errors: Exists, NoSpace (max_user_watches), NoMemory.
  Result<i32> watch(Inode& inode, u32 events, Existing existing);
  Result<void> forget(i32 descriptor);  // Invalid

  Result<usize> read(IoCursor& to, u64 offset) override;
  u32 poll() override;
  WaitQueue* poll_queue() override { return &queue_; }
  Result<i64> ioctl(u32 command, u64 argument) override;
  usize describe(Span<char> out) override;
  void describe_info(Writer& out) override;

  struct Pending;
  struct Watch;

 private:
  friend struct NotifyAccess;
  friend class RefPtr<Inotify>;
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  explicit Inotify(u32 open_flags) : File(FileKind::kInotify, open_flags) {}
  ~Inotify() override;

  WaitQueue queue_;
  // The rest is under the one lock of all watches.
  Pending* first_ = nullptr;
  Pending* last_ = nullptr;
  u32 pending_count_ = 0;
  u64 pending_bytes_ = 0;
  bool overflowed_ = false;
  Watch* watches_ = nullptr;
  i32 next_descriptor_ = 1;
};

// /proc/sys/fs/inotify.
extern std::atomic<u64> g_max_queued_events, g_max_inotify_instances, g_max_inotify_watches;

}  // namespace uni::fs

// SPDX-License-Identifier: Apache-2.0
// dnotify is inotify's forerunner: a list of watches under one spin lock, asked at the same places as inotify. It
// counts into inotify's number of watches, so that while nothing is watched nothing is asked.
#include "kernel/fs/dnotify.hpp"

#include "kernel/fs/async_io.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/fs/notify.hpp"

namespace uni::fs::dnotify {

constinit std::atomic<u32> g_watches{0};

namespace {

struct Watch {
  Watch* next;
  File* file;
  const FileTable* table;
  const FileSystem* fs;
  u64 inode;
  u32 events;
};

constinit SpinLock g_lock{Rank::kInode};
constinit Watch* g_first = nullptr;

void drop(Watch** at) {
  Watch* gone = *at;
  *at = gone->next;
  g_watches.fetch_sub(1, std::memory_order_relaxed);
  notify::g_watches.fetch_sub(1, std::memory_order_relaxed);
  delete gone;
}

u32 events_of(u32 what) {
  u32 events = 0;
  if ((what & notify::kAccess) != 0) events |= kAccess;
  if ((what & notify::kModify) != 0) events |= kModify;
  if ((what & notify::kAttributes) != 0) events |= kAttributes;
  if ((what & (notify::kCreate | notify::kMovedTo)) != 0) events |= kCreate;
  if ((what & (notify::kDelete | notify::kMovedFrom)) != 0) events |= kDelete;
  return events;
}

// Tells a few watches at a time, outside of the lock; a watch for one event goes.
void tell(const FileSystem& fs, u64 inode, u32 events) {
  constexpr usize kAtOnce = 8;
  RefPtr<File> told[kAtOnce];
  usize count = 0;
  {
    LockGuard guard(g_lock);
    for (Watch** at = &g_first; *at != nullptr && count < kAtOnce;) {
      Watch& w = **at;
      if (w.inode == inode && w.fs == &fs && (w.events & events) != 0) {
        if (w.file->try_ref()) told[count++] = RefPtr<File>::adopt(w.file);
        if ((w.events & kMultiShot) == 0) {
          drop(at);
          continue;
        }
      }
      at = &w.next;
    }
  }
  for (usize i = 0; i < count; ++i)
    tell_message(*told[i]);
}

}  // namespace

Result<void> set(File& file, FileTable& table, int fd, u32 events) {
  if ((events & ~u32{kMultiShot}) == 0) {
    forget(file, &table);
    return {};
  }
  Inode* inode = file.inode();
  if (inode == nullptr || inode->type() != FileType::kDirectory) return Errno::NotDirectory;
  TRY(expect_messages(file, fd));
  auto* fresh = new (std::nothrow) Watch{};
  if (fresh == nullptr) return Errno::NoMemory;
  LockGuard guard(g_lock);
  for (Watch* w = g_first; w != nullptr; w = w->next) {
    if (w->file != &file || w->table != &table) continue;
    w->events |= events;
    delete fresh;
    return {};
  }
  *fresh = Watch{g_first, &file, &table, &inode->file_system(), inode->number(), events};
  g_first = fresh;
  g_watches.fetch_add(1, std::memory_order_relaxed);
  notify::g_watches.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void event(const FileSystem& fs, u64 inode, u32 what) {
  if (const u32 events = events_of(what); events != 0) tell(fs, inode, events);
}

void renamed_within(const FileSystem& fs, u64 inode) {
  tell(fs, inode, kRename);
}

void forget(const File& file, const FileTable* table) {
  if (!active()) return;
  LockGuard guard(g_lock);
  for (Watch** at = &g_first; *at != nullptr;) {
    if ((*at)->file == &file && (table == nullptr || (*at)->table == table))
      drop(at);
    else
      at = &(*at)->next;
  }
}

}  // namespace uni::fs::dnotify

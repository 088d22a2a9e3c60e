// SPDX-License-Identifier: Apache-2.0
// inotify(7). A watch is found by its file system and inode number in one hash table, so an inode that nobody uses is
// not kept for it, and a file of a host directory, whose inode is made anew at each look-up, is recognised. One spin
// lock guards everything; events are allocated under it. Where memory is out, or the queue is full, the instance gets
// IN_Q_OVERFLOW instead, once, from a record that it always has room for.
#include "kernel/base/format.hpp"
#include "kernel/fs/anonymous.hpp"
#include "kernel/fs/dentry.hpp"
#include "kernel/fs/dnotify.hpp"
#include "kernel/fs/notify.hpp"

namespace uni::fs {

namespace notify {
constinit std::atomic<u32> g_watches{0};
}
constinit std::atomic<u64> g_max_queued_events{16384}, g_max_inotify_instances{128}, g_max_inotify_watches{65536};

struct Inotify::Pending {
  Pending* next;
  i32 descriptor;
  u32 mask, cookie;
  u32 name_length;  // of the record: padded, 0 without a name
  char name[];
  usize size() const { return 16 + name_length; }
};

struct Inotify::Watch {
  Watch* hash_next;
  Watch* sibling;  // of the same instance
  Inotify* owner;
  const FileSystem* file_system;
  u64 inode;
  i32 descriptor;
  u32 events;
};

namespace {
using Watch = Inotify::Watch;
using Pending = Inotify::Pending;

constinit SpinLock g_lock{Rank::kInode};
constexpr usize kBuckets = 256;
constinit Watch* g_buckets[kBuckets] = {};
constinit std::atomic<u32> g_directories{0};  // watches of directories: the parents of files need a look
constinit std::atomic<u32> g_instances{0};
constinit std::atomic<u32> g_cookie{0};

usize bucket_of(const FileSystem& fs, u64 inode) {
  // SAFETY: the address is only a number here.
  const u64 mixed = (inode + (reinterpret_cast<u64>(&fs) >> 4)) * 0x9e3779b97f4a7c15;
  return mixed >> 56;
}
}  // namespace

// All of it needs g_lock.
struct NotifyAccess {
  static void append(Inotify& to, Pending& event) {
    event.next = nullptr;
    (to.last_ != nullptr ? to.last_->next : to.first_) = &event;
    to.last_ = &event;
    ++to.pending_count_;
    to.pending_bytes_ += event.size();
    to.queue_.wake_all(kPollIn | kPollRdNorm);
  }

  static Pending* make(i32 descriptor, u32 mask, StringView name, u32 cookie) {
    const u32 length = name.empty() ? 0 : static_cast<u32>(align_up(name.size() + 1, 16));
    auto* made = static_cast<Pending*>(::operator new(sizeof(Pending) + length, std::nothrow));
    if (made == nullptr) return nullptr;
    *made = Pending{nullptr, descriptor, mask, cookie, length};
    __builtin_memset(made->name, 0, length);
    __builtin_memcpy(made->name, name.data(), name.size());
    return made;
  }

  static bool same(const Pending& a, i32 descriptor, u32 mask, StringView name) {
    if (a.descriptor != descriptor || a.mask != mask) return false;
    if (name.empty()) return a.name_length == 0;
    return a.name_length > name.size() && __builtin_memcmp(a.name, name.data(), name.size()) == 0 &&
           a.name[name.size()] == '\0';
  }

  static void queue(Inotify& to, i32 descriptor, u32 mask, StringView name, u32 cookie) {
    if (to.last_ != nullptr && same(*to.last_, descriptor, mask, name)) return;  // nothing new
    if (to.overflowed_) return;
    Pending* made = to.pending_count_ < g_max_queued_events.load(std::memory_order_relaxed)
                        ? make(descriptor, mask, name, cookie)
                        : nullptr;
    if (made == nullptr) {
      to.overflowed_ = true;
      to.pending_bytes_ += 16;
      to.queue_.wake_all(kPollIn | kPollRdNorm);
      return;
    }
    append(to, *made);
  }

  // Takes the next event; null where there is none. The overflow comes last.
  static bool overflow_next(const Inotify& from) { return from.first_ == nullptr && from.overflowed_; }
  static Pending* take(Inotify& from) {
    Pending* first = from.first_;
    if (first == nullptr) return nullptr;
    from.first_ = first->next;
    if (from.first_ == nullptr) from.last_ = nullptr;
    --from.pending_count_;
    from.pending_bytes_ -= first->size();
    return first;
  }

  static Watch** find(Inotify& owner, const FileSystem& fs, u64 inode) {
    for (Watch** at = &g_buckets[bucket_of(fs, inode)]; *at != nullptr; at = &(*at)->hash_next) {
      if ((*at)->owner == &owner && (*at)->inode == inode && (*at)->file_system == &fs) return at;
    }
    return nullptr;
  }

  static void drop(Watch& w) {
    for (Watch** at = &g_buckets[bucket_of(*w.file_system, w.inode)]; *at != nullptr; at = &(*at)->hash_next) {
      if (*at != &w) continue;
      *at = w.hash_next;
      break;
    }
    for (Watch** at = &w.owner->watches_; *at != nullptr; at = &(*at)->sibling) {
      if (*at != &w) continue;
      *at = w.sibling;
      break;
    }
    if ((w.events & notify::kDirectory) != 0) g_directories.fetch_sub(1, std::memory_order_relaxed);
    notify::g_watches.fetch_sub(1, std::memory_order_relaxed);
    delete &w;
  }

  static void ignore(Watch& w) {
    queue(*w.owner, w.descriptor, notify::kIgnored, {}, 0);
    drop(w);
  }

  // Tells everyone who watches the inode for `event`.
  static void tell(const FileSystem& fs, u64 inode, u32 event, u32 extra, StringView name, u32 cookie, bool unlinked) {
    Watch* next = nullptr;
    for (Watch* w = g_buckets[bucket_of(fs, inode)]; w != nullptr; w = next) {
      next = w->hash_next;
      if (w->inode != inode || w->file_system != &fs || (w->events & event) == 0) continue;
      if (unlinked && (w->events & notify::kExcludeUnlinked) != 0) continue;
      const bool once = (w->events & notify::kOneShot) != 0;
      queue(*w->owner, w->descriptor, event | extra, name, cookie);
      if (once) ignore(*w);
    }
  }

  static Inotify* owner_of(const Watch& w) { return w.owner; }
};

namespace notify {
namespace {

u32 directory_bit(const Inode& inode, u32 event) {
  // "Self" events never carry it.
  return inode.type() == FileType::kDirectory && (event & (kDeleteSelf | kMoveSelf)) == 0 ? u32{kDirectory} : 0;
}

// No one can watch what no bucket holds; looked at without the lock.
bool maybe_watched(const Inode& inode) {
  return g_buckets[bucket_of(inode.file_system(), inode.number())] != nullptr;
}

}  // namespace

u32 next_cookie() {
  return g_cookie.fetch_add(1, std::memory_order_relaxed) + 1;
}

void inode_event(Inode& inode, u32 event) {
  if (dnotify::active() && inode.type() == FileType::kDirectory)
    dnotify::event(inode.file_system(), inode.number(), event);
  if (!active() || !maybe_watched(inode)) return;
  LockGuard guard(g_lock);
  NotifyAccess::tell(inode.file_system(), inode.number(), event, directory_bit(inode, event), {}, 0, false);
}

void name_event(Inode& directory, StringView name, bool is_directory, u32 event, u32 cookie) {
  if (dnotify::active()) dnotify::event(directory.file_system(), directory.number(), event);
  if (!active() || !maybe_watched(directory)) return;
  LockGuard guard(g_lock);
  NotifyAccess::tell(directory.file_system(), directory.number(), event, is_directory ? u32{kDirectory} : 0, name,
                     cookie, false);
}

void place_event(Dentry& place, u32 event) {
  Inode* inode = place.inode();
  if (inode == nullptr) return;
  if (g_directories.load(std::memory_order_relaxed) != 0 || dnotify::active()) {
    RefPtr<Dentry> parent;
    char name[256];
    usize length = 0;
    bool unlinked = false;
    {
      LockGuard guard(dentry_lock());
      if (Dentry* above = place.parent()) {
        if (above->inode() != nullptr && (maybe_watched(*above->inode()) || dnotify::active())) {
          parent = RefPtr<Dentry>(above);
          const StringView text = place.name();
          length = min(text.size(), sizeof name);
          __builtin_memcpy(name, text.data(), length);
          unlinked = place.deleted();
        }
      }
    }
    if (parent && dnotify::active()) dnotify::event(parent->inode()->file_system(), parent->inode()->number(), event);
    if (parent) {
      LockGuard guard(g_lock);
      NotifyAccess::tell(parent->inode()->file_system(), parent->inode()->number(), event, directory_bit(*inode, event),
                         {name, length}, 0, unlinked);
    }
  }
  inode_event(*inode, event);
}

void file_closed(File& file) {
  if ((file.flags() & kOpenPath) != 0) return;
  const bool wrote = (file.flags() & kOpenAccessMask) != kOpenReadOnly;
  place_event(*file.dentry(), wrote ? kCloseWrite : kCloseNoWrite);
}

// The last user of a name that was taken away has gone; where it was the file's last, so has the file.
void dentry_gone(Dentry& dentry) {
  Inode* inode = dentry.inode();
  if (inode == nullptr || !maybe_watched(*inode)) return;
  Stat stat;
  const bool directory = inode->type() == FileType::kDirectory;
  if (!directory && inode->stat(stat).ok() && stat.links != 0) return;
  LockGuard guard(g_lock);
  NotifyAccess::tell(inode->file_system(), inode->number(), kDeleteSelf, 0, {}, 0, false);
  Watch* next = nullptr;
  for (Watch* w = g_buckets[bucket_of(inode->file_system(), inode->number())]; w != nullptr; w = next) {
    next = w->hash_next;
    if (w->inode == inode->number() && w->file_system == &inode->file_system()) NotifyAccess::ignore(*w);
  }
}

void unmounted(FileSystem& fs) {
  LockGuard guard(g_lock);
  for (Watch* bucket : g_buckets) {
    Watch* next = nullptr;
    for (Watch* w = bucket; w != nullptr; w = next) {
      next = w->hash_next;
      if (w->file_system != &fs) continue;
      NotifyAccess::queue(*NotifyAccess::owner_of(*w), w->descriptor, kUnmount, {}, 0);
      NotifyAccess::ignore(*w);
    }
  }
}

}  // namespace notify

Result<RefPtr<Inotify>> Inotify::create(u32 open_flags) {
  if (g_instances.fetch_add(1, std::memory_order_relaxed) >= g_max_inotify_instances.load(std::memory_order_relaxed)) {
    g_instances.fetch_sub(1, std::memory_order_relaxed);
    return Errno::TooManyFiles;
  }
  auto made = make_ref<Inotify>(open_flags);
  if (!made.ok()) g_instances.fetch_sub(1, std::memory_order_relaxed);
  return made;
}

Inotify::~Inotify() {
  {
    LockGuard guard(g_lock);
    while (watches_ != nullptr)
      NotifyAccess::drop(*watches_);
  }
  while (Pending* event = NotifyAccess::take(*this))
    ::operator delete(event);
  g_instances.fetch_sub(1, std::memory_order_relaxed);
}

Result<i32> Inotify::watch(Inode& inode, u32 events, Existing existing) {
  if (inode.type() == FileType::kDirectory) events |= notify::kDirectory;
  auto* fresh = new (std::nothrow) Watch{};
  if (fresh == nullptr) return Errno::NoMemory;
  LockGuard guard(g_lock);
  if (Watch** at = NotifyAccess::find(*this, inode.file_system(), inode.number())) {
    delete fresh;
    if (existing == Existing::kRefuse) return Errno::Exists;
    (*at)->events = existing == Existing::kAdd ? (*at)->events | events : events;
    return i32{(*at)->descriptor};
  }
  if (notify::g_watches.load(std::memory_order_relaxed) >= g_max_inotify_watches.load(std::memory_order_relaxed)) {
    delete fresh;
    return Errno::NoSpace;
  }
  Watch*& bucket = g_buckets[bucket_of(inode.file_system(), inode.number())];
  *fresh = Watch{bucket, watches_, this, &inode.file_system(), inode.number(), next_descriptor_, events};
  next_descriptor_ = next_descriptor_ == 0x7fffffff ? 1 : next_descriptor_ + 1;
  bucket = fresh;
  watches_ = fresh;
  if ((events & notify::kDirectory) != 0) g_directories.fetch_add(1, std::memory_order_relaxed);
  notify::g_watches.fetch_add(1, std::memory_order_relaxed);
  return i32{fresh->descriptor};
}

Result<void> Inotify::forget(i32 descriptor) {
  LockGuard guard(g_lock);
  for (Watch* w = watches_; w != nullptr; w = w->sibling) {
    if (w->descriptor != descriptor) continue;
    NotifyAccess::ignore(*w);
    return {};
  }
  return Errno::Invalid;
}

u32 Inotify::poll() {
  LockGuard guard(g_lock);
  return pending_bytes_ != 0 ? u32{kPollIn | kPollRdNorm} : 0;
}

// Whole events, as many as fit; Invalid where the first does not.
Result<usize> Inotify::read(IoCursor& to, u64) {
  struct Head {
    i32 descriptor;
    u32 mask, cookie, name_length;
  };
  usize done = 0;
  while (true) {
    Pending* event = nullptr;
    bool overflow = false;
    {
      LockGuard guard(g_lock);
      overflow = NotifyAccess::overflow_next(*this);
      const usize size = overflow ? sizeof(Head) : first_ != nullptr ? first_->size() : 0;
      if (size > to.remaining()) return done != 0 ? Result<usize>(done) : Result<usize>(Errno::Invalid);
      if (overflow) {
        overflowed_ = false;
        pending_bytes_ -= sizeof(Head);
      } else if (size != 0) {
        event = NotifyAccess::take(*this);
      }
    }
    if (event == nullptr && !overflow) {
      if (done != 0) return done;
      if (nonblocking()) return Errno::Again;
      if (queue_.wait([this] { return poll() != 0; }) != Wake::kReady) return Errno::RestartSys;
      continue;
    }
    const Head head = overflow ? Head{-1, notify::kOverflow, 0, 0}
                               : Head{event->descriptor, event->mask, event->cookie, event->name_length};
    auto put = [&to](const void* from, usize size) {
      const Result<usize> copied = to.put(from, size);
      return copied.ok() ? copied.value() : 0;
    };
    usize wanted = sizeof head;
    usize got = put(&head, sizeof head);
    if (got == wanted && event != nullptr && event->name_length != 0) {
      wanted += event->name_length;
      got += put(event->name, event->name_length);
    }
    ::operator delete(event);
    if (got != wanted) return Errno::Fault;
    done += wanted;
  }
}

Result<i64> Inotify::ioctl(u32 command, u64 argument) {
  constexpr u32 kFionRead = 0x541b;
  if (command != kFionRead) return Errno::NotTty;
  i32 bytes = 0;
  {
    LockGuard guard(g_lock);
    bytes = static_cast<i32>(pending_bytes_);
  }
  TRY(UserPtr<i32>(argument).write(bytes));
  return 0;
}

usize Inotify::describe(Span<char> out) {
  return describe_anonymous("inotify", out);
}

// One line a watch, in the order of the descriptors: the lock is let go for each.
void Inotify::describe_info(Writer& out) {
  struct Line {
    i32 descriptor;
    u32 events;
    u64 inode, device;
  };
  for (Line line{};;) {
    Line next{};
    {
      LockGuard guard(g_lock);
      for (const Watch* w = watches_; w != nullptr; w = w->sibling) {
        if (w->descriptor > line.descriptor && (next.descriptor == 0 || w->descriptor < next.descriptor))
          next = {w->descriptor, w->events & ~u32{notify::kDirectory}, w->inode, w->file_system->device_number()};
      }
    }
    if (next.descriptor == 0) return;
    line = next;
    format(out, "inotify wd:{:x} ino:{:x} sdev:{:x} mask:{:x} ignored_mask:0\n", line.descriptor, line.inode,
           (line.device >> 8) << 20 | (line.device & 0xff), line.events);
  }
}

}  // namespace uni::fs

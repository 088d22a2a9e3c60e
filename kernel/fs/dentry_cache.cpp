// SPDX-License-Identifier: Apache-2.0
// The dentry cache. The hash is an array of chains in the BSS; it costs nothing at boot.
#include "kernel/fs/dentry_cache.hpp"

#include "kernel/base/late.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/fs/notify.hpp"

namespace uni::fs {

namespace {
constexpr usize kBuckets = 2048;
constexpr usize kMostDentries = 16384;
constexpr usize kTrimBatch = 16;

constinit SpinLock g_lock{Rank::kInodeCache};
constinit Dentry* g_buckets[kBuckets] = {};
constinit usize g_count = 0;

usize bucket_of(const Dentry& parent, u32 hash) {
  // SAFETY: the address is only a number here.
  const u64 mixed = hash ^ (reinterpret_cast<u64>(&parent) >> 5);
  return (mixed ^ (mixed >> 15)) % kBuckets;
}
}  // namespace

SpinLock& dentry_lock() {
  return g_lock;
}

u32 hash_name(StringView name) {
  u32 hash = 0;
  for (char c : name)
    hash = hash_step(hash, c);
  return hash;
}

// The list's head needs a constructor, and no constructor runs at start: it is made at first use, under the lock.
class DentryLru {
 public:
  using Lru = List<Dentry, &Dentry::lru_>;
  static Lru& list() {
    static constinit Late<Lru> made;
    return made.get();
  }
};

Dentry::Dentry(Mount* mount, RefPtr<Inode> inode) : inode_(uni::move(inode)), mount_(mount) {
  caches_children_ = is_directory() && inode_->cacheable();
}

Dentry::~Dentry() {
  if (deleted_ && notify::active()) [[unlikely]]
    notify::dentry_gone(*this);
  delete[] heap_name_;
}

// Not recursive: a chain of unlinked directories can be as deep as a program likes.
void Dentry::last_unref() {
  Dentry* dying = this;
  while (dying != nullptr) {
    Dentry* above = dying->parent_.leak();
    delete dying;
    dying = above != nullptr && above->drop_ref() ? above : nullptr;
  }
}

Result<RefPtr<Dentry>> Dentry::create(Mount* mount, Dentry* parent, StringView name, RefPtr<Inode> inode) {
  char* heap_name = TRY(DentryCache::name_room(name));
  auto* made = new (std::nothrow) Dentry(mount, uni::move(inode));
  if (made == nullptr) {
    delete[] heap_name;
    return Errno::NoMemory;
  }
  made->parent_ = RefPtr<Dentry>(parent);
  if (parent == nullptr) made->mount_reference_ = RefPtr<Mount>(mount);
  made->set_name(name, heap_name);
  return RefPtr<Dentry>::adopt(made);
}

void Dentry::set_name(StringView text, char* heap_name) {
  heap_name_ = heap_name;
  name_length_ = static_cast<u8>(text.size());
  __builtin_memcpy(heap_name != nullptr ? heap_name : inline_name_, text.data(), text.size());
}

Result<char*> DentryCache::name_room(StringView name) {
  if (name.size() <= Dentry::kInlineName) return static_cast<char*>(nullptr);
  char* room = new (std::nothrow) char[name.size()];
  if (room == nullptr) return Errno::NoMemory;
  return room;
}

Dentry* DentryCache::find(const Dentry& parent, StringView name, u32 hash) {
  for (Dentry* d = g_buckets[bucket_of(parent, hash)]; d != nullptr; d = d->hash_next_) {
    if (d->hash_ != hash || d->parent_.get() != &parent || d->name_length_ != name.size()) continue;
    if (__builtin_memcmp(d->name().data(), name.data(), name.size()) != 0) continue;
    d->used_ = true;
    return d;
  }
  return nullptr;
}

void DentryCache::insert(Dentry& dentry, u32 hash) {
  ASSERT(!dentry.hashed_ && dentry.parent_);
  dentry.ref();
  dentry.hash_ = hash;
  dentry.hashed_ = true;
  Dentry*& bucket = g_buckets[bucket_of(*dentry.parent_, hash)];
  dentry.hash_next_ = bucket;
  bucket = &dentry;
  DentryLru::list().push_back(dentry);
  if (dentry.mount_ != nullptr) ++dentry.mount_->cached_names;
  ++g_count;
}

RefPtr<Dentry> DentryCache::unhash(Dentry& dentry) {
  if (!dentry.hashed_) return {};
  Dentry** link = &g_buckets[bucket_of(*dentry.parent_, dentry.hash_)];
  while (*link != &dentry)
    link = &(*link)->hash_next_;
  *link = dentry.hash_next_;
  dentry.hash_next_ = nullptr;
  dentry.hashed_ = false;
  dentry.lru_.unlink();
  if (dentry.mount_ != nullptr) --dentry.mount_->cached_names;
  --g_count;
  return RefPtr<Dentry>::adopt(&dentry);
}

RefPtr<Dentry> DentryCache::remove(Dentry& dentry) {
  dentry.deleted_ = true;
  return unhash(dentry);
}

void DentryCache::move_pins(Dentry& from, Dentry& to, u32 count) {
  for (Dentry* d = &from; d->parent_; d = d->parent_.get())
    d->pins -= count;
  for (Dentry* d = &to; d->parent_; d = d->parent_.get()) {
    d->pins += count;
    if (!d->hashed_) insert(*d, hash_name(d->name()));
  }
}

void DentryCache::move(Dentry& dentry, Dentry& new_parent, StringView name, char* heap_name, Moved& out) {
  const bool was_hashed = dentry.hashed_;
  Dentry* kept = unhash(dentry).leak();
  out.old_parent = exchange(dentry.parent_, RefPtr<Dentry>(&new_parent));
  out.old_name = dentry.heap_name_;
  dentry.set_name(name, heap_name);
  if (dentry.pins != 0) move_pins(*out.old_parent, new_parent, dentry.pins);
  if (!was_hashed) return;
  insert(dentry, hash_name(name));
  kept->unref();  // never the last: the hash has just taken one
}

void DentryCache::trim() {
  Dentry* victims[kTrimBatch];
  usize count = 0;
  {
    LockGuard guard(g_lock);
    if (g_count <= kMostDentries) return;
    auto& lru = DentryLru::list();
    for (usize looked = 0; looked < 4 * kTrimBatch && count < kTrimBatch; ++looked) {
      Dentry* oldest = lru.front();
      if (oldest == nullptr) break;
      if (oldest->used_ || oldest->mounted != nullptr || oldest->ref_count() != 1) {
        oldest->used_ = false;
        lru.remove(*oldest);
        lru.push_back(*oldest);
      } else {
        victims[count++] = unhash(*oldest).leak();
      }
    }
  }
  for (usize i = 0; i < count; ++i)
    victims[i]->unref();
}

void DentryCache::prune(const Mount& mount) {
  for (;;) {
    RefPtr<Dentry> victim;
    LockGuard guard(g_lock);
    if (mount.cached_names == 0) return;
    // Children come before their parents are unused, so the search begins again after each round.
    for (Dentry& d : DentryLru::list()) {
      if (d.mount_ != &mount || d.ref_count() != 1 || d.mounted != nullptr) continue;
      victim = unhash(d);
      break;
    }
    if (!victim) return;
    g_lock.unlock();
    victim = nullptr;
    g_lock.lock();
  }
}

Result<RefPtr<Dentry>> DentryCache::lookup(Dentry& directory, StringView name, u32 hash) {
  if (name.size() > kNameMax) return Errno::NameTooLong;
  {
    LockGuard guard(g_lock);
    Dentry* there = find(directory, name, hash);
    if (there != nullptr && (directory.caches_children() || there->pins != 0)) return RefPtr<Dentry>(there);
  }
  Result<RefPtr<Inode>> inode = directory.inode()->lookup(name);
  if (!inode.ok() && inode.error() != Errno::NoEntry) return inode.error();
  RefPtr<Dentry> made =
      TRY(Dentry::create(directory.mount(), &directory, name, inode.ok() ? inode.take() : RefPtr<Inode>()));
  if (!directory.caches_children()) return made;
  {
    LockGuard guard(g_lock);
    if (directory.deleted()) return made;
    insert(*made, hash);
  }
  trim();
  return made;
}

Result<RefPtr<Dentry>> DentryCache::add(Dentry& directory, StringView name, u32 hash, RefPtr<Inode> inode) {
  RefPtr<Dentry> made = TRY(Dentry::create(directory.mount(), &directory, name, uni::move(inode)));
  RefPtr<Dentry> negative;
  {
    LockGuard guard(g_lock);
    if (Dentry* old = find(directory, name, hash)) negative = unhash(*old);
    if (directory.caches_children()) insert(*made, hash);
  }
  trim();
  return made;
}

}  // namespace uni::fs

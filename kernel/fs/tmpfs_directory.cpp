// SPDX-License-Identifier: Apache-2.0
// tmpfs: names. All of it runs under the directory's Inode::lock (both directories' in a rename).
#include "kernel/fs/tmpfs_directory.hpp"

#include "kernel/fs/dentry_cache.hpp"

namespace uni::fs {

TmpfsInode::Directory::~Directory() {
  while (Entry* entry = entries.pop_front())
    delete entry;
}

// Inodes hold the file system, so the tree must go before it can. Not recursive: the tree may be deep.
void Tmpfs::last_mount_gone() {
  List<TmpfsInode::Entry, &TmpfsInode::Entry::node> all;
  const auto empty = [&](TmpfsInode& inode) {
    TmpfsInode::Directory* d = inode.directory_;
    while (TmpfsInode::Entry* entry = d != nullptr ? d->entries.pop_front() : nullptr)
      all.push_back(*entry);
    if (d == nullptr) return;
    d->count = 0;
    d->parent = nullptr;
    for (TmpfsInode::Entry*& bucket : d->buckets)
      bucket = nullptr;
  };
  const RefPtr<Tmpfs> keep(this);
  empty(*root_);
  while (TmpfsInode::Entry* entry = all.pop_front()) {
    empty(*entry->inode);
    delete entry;
  }
}

Result<void> TmpfsInode::fit() {
  if (directory_ == nullptr) {
    directory_ = new (std::nothrow) Directory;
    if (directory_ == nullptr) return Errno::NoMemory;
  }
  Directory& d = *directory_;
  if (d.count < d.buckets.size() * 2) return {};
  Vector<Entry*> wider;
  TRY(wider.resize(d.buckets.empty() ? 8 : d.buckets.size() * 4));
  for (Entry& entry : d.entries) {
    Entry*& bucket = wider[entry.hash % wider.size()];
    entry.hash_next = bucket;
    bucket = &entry;
  }
  d.buckets = uni::move(wider);
  return {};
}

TmpfsInode::Entry* TmpfsInode::find(StringView name) const {
  if (directory_ == nullptr || directory_->buckets.empty()) return nullptr;
  const u32 hash = hash_name(name);
  for (Entry* e = directory_->buckets[hash % directory_->buckets.size()]; e != nullptr; e = e->hash_next) {
    if (e->hash == hash && e->name.view() == name) return e;
  }
  return nullptr;
}

Result<void> TmpfsInode::add(StringView name, TmpfsInode& child) {
  if (type() != FileType::kDirectory) return Errno::NotDirectory;
  TRY(fit());
  OwnPtr<Entry> made = TRY(make_own<Entry>());
  made->name = TRY(String::copy(name));
  made->hash = hash_name(name);
  made->inode = RefPtr<TmpfsInode>(&child);
  Directory& d = *directory_;
  made->number = d.next_number++;
  Entry*& bucket = d.buckets[made->hash % d.buckets.size()];
  made->hash_next = bucket;
  bucket = made.get();
  d.entries.push_back(*made.release());
  ++d.count;
  note_modified();
  return {};
}

void TmpfsInode::erase(Entry& entry) {
  Directory& d = *directory_;
  Entry** link = &d.buckets[entry.hash % d.buckets.size()];
  while (*link != &entry)
    link = &(*link)->hash_next;
  *link = entry.hash_next;
  d.entries.remove(entry);
  --d.count;
  delete &entry;
  note_modified();
}

bool TmpfsInode::empty() const {
  return directory_ == nullptr || directory_->count == 0;
}

Result<RefPtr<Inode>> TmpfsInode::lookup(StringView name) {
  if (type() != FileType::kDirectory) return Errno::NotDirectory;
  const Entry* entry = find(name);
  if (entry == nullptr) return Errno::NoEntry;
  return RefPtr<Inode>(entry->inode);
}

Result<RefPtr<Inode>> TmpfsInode::create(StringView name, FileType type_wanted, u32 mode, u32 uid, u32 gid,
                                         u64 special_device) {
  RefPtr<TmpfsInode> child = TRY(fs().make_inode(type_wanted, mode, uid, gid, special_device));
  if (type_wanted == FileType::kDirectory) TRY(child->fit());
  TRY(add(name, *child));
  if (type_wanted == FileType::kDirectory) {
    child->directory_->parent = this;
    ++links_;
  }
  return RefPtr<Inode>(child);
}

Result<RefPtr<Inode>> TmpfsInode::symlink(StringView name, StringView target, u32 uid, u32 gid) {
  RefPtr<TmpfsInode> child = TRY(fs().make_inode(FileType::kSymlink, 0777, uid, gid, 0));
  child->target_ = TRY(String::copy(target));
  TRY(add(name, *child));
  return RefPtr<Inode>(child);
}

// SAFETY (the casts below): the VFS never passes an inode of another file system.
Result<void> TmpfsInode::link(StringView name, Inode& existing) {
  auto& target = static_cast<TmpfsInode&>(existing);
  TRY(add(name, target));
  ++target.links_;
  target.changed_ = modified_;
  return {};
}

Result<void> TmpfsInode::unlink(StringView name, Inode& victim) {
  Entry* entry = find(name);
  if (entry == nullptr) return Errno::NoEntry;
  auto& target = static_cast<TmpfsInode&>(victim);
  erase(*entry);
  --target.links_;
  target.changed_ = modified_;
  return {};
}

Result<void> TmpfsInode::rmdir(StringView name, Inode& victim) {
  auto& target = static_cast<TmpfsInode&>(victim);
  if (!target.empty()) return Errno::NotEmpty;
  Entry* entry = find(name);
  if (entry == nullptr) return Errno::NoEntry;
  erase(*entry);
  target.links_ = 0;
  --links_;
  return {};
}

Result<void> TmpfsInode::rename(StringView old_name, Inode& moved, Inode& new_parent, StringView new_name,
                                Inode* replaced, bool exchange) {
  auto& to = static_cast<TmpfsInode&>(new_parent);
  auto& source = static_cast<TmpfsInode&>(moved);
  auto* target = static_cast<TmpfsInode*>(replaced);
  const bool directory = source.type() == FileType::kDirectory;
  Entry* from_entry = find(old_name);
  if (from_entry == nullptr) return Errno::NoEntry;
  if (exchange) {
    Entry* to_entry = to.find(new_name);
    if (to_entry == nullptr) return Errno::NoEntry;
    uni::swap(from_entry->inode, to_entry->inode);
    if (directory) source.directory_->parent = &to;
    const bool other = target->type() == FileType::kDirectory;
    if (other) target->directory_->parent = this;
    links_ = links_ - (directory ? 1 : 0) + (other ? 1 : 0);
    to.links_ = to.links_ + (directory ? 1 : 0) - (other ? 1 : 0);
  } else {
    if (target != nullptr && target->type() == FileType::kDirectory && !target->empty()) return Errno::NotEmpty;
    if (Entry* to_entry = to.find(new_name)) {
      to_entry->inode = RefPtr<TmpfsInode>(&source);
      if (target != nullptr && target->type() == FileType::kDirectory) {
        target->links_ = 0;
        --to.links_;
      } else if (target != nullptr) {
        --target->links_;
        target->changed_ = time::realtime_ns();
      }
    } else {
      TRY(to.add(new_name, source));
    }
    erase(*from_entry);
    if (directory) {
      source.directory_->parent = &to;
      --links_;
      ++to.links_;
    }
  }
  note_modified();
  to.note_modified();
  source.changed_ = modified_;
  return {};
}

Result<void> TmpfsInode::read_directory(u64 offset, DirectorySink& sink) {
  if (type() != FileType::kDirectory) return Errno::NotDirectory;
  const TmpfsInode* above = directory_ != nullptr && directory_->parent != nullptr ? directory_->parent : this;
  if (offset < 1 && !sink.entry(".", number(), FileType::kDirectory, 1)) return {};
  if (offset < 2 && !sink.entry("..", above->number(), FileType::kDirectory, 2)) return {};
  if (directory_ == nullptr) return {};
  for (Entry& entry : directory_->entries) {
    if (entry.number < offset) continue;
    if (!sink.entry(entry.name.view(), entry.inode->number(), entry.inode->type(), entry.number + 1)) break;
  }
  return {};
}

}  // namespace uni::fs

// SPDX-License-Identifier: Apache-2.0
// Checks of places: rights are given by rules at the place itself and at every directory above it, up to the real root,
// each layer for itself.
#include "kernel/fs/dentry.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/security/landlock.hpp"

namespace uni::landlock {

namespace {
using fs::Dentry;
using fs::FileType;

// Which rights each layer still denies.
class Denied {
 public:
  Denied(const Domain& domain, u16 wanted) : domain_(domain) {
    for (const Domain* d = &domain; d != nullptr; d = d->below())
      by_layer_[d->layer()] = static_cast<u16>(wanted & d->handled_fs());
  }
  // Takes away what the rules at this very place allow.
  void allow_at(const Dentry& place) {
    const fs::Inode* inode = place.inode();
    for (const Domain* d = inode != nullptr ? &domain_ : nullptr; d != nullptr; d = d->below()) {
      u16& left = by_layer_[d->layer()];
      if (left != 0) left &= static_cast<u16>(~d->rules().allowed(*inode));
    }
  }
  void keep_only(u16 wanted) {
    for (u16& left : by_layer_)
      left &= wanted;
  }
  u16 any() const {
    u16 all = 0;
    for (const u16 left : by_layer_)
      all |= left;
    return all;
  }
  // Does something that is denied `child` here and by its own rules stay denied at `there`?
  bool kept_by(const Denied& child, bool is_directory, const Denied& there) const {
    const u16 meant = is_directory ? kAllFs : kOfFiles;
    for (unsigned i = 0; i < Domain::kMostLayers; ++i) {
      if ((by_layer_[i] & child.by_layer_[i] & meant & ~there.by_layer_[i]) != 0) return false;
    }
    return true;
  }

 private:
  const Domain& domain_;
  u16 by_layer_[Domain::kMostLayers] = {};
};

// The directory above, across mounts, whose covered places do not count; null at the real root, and where nothing is
// above (a mount that was taken out of the tree). Needs dentry_lock().
const Dentry* above(const Dentry& place) {
  const Dentry* d = &place;
  while (d != nullptr && d->parent() == nullptr)
    d = d->mount() != nullptr ? d->mount()->at.get() : nullptr;
  return d != nullptr ? d->parent() : nullptr;
}

void allow_upwards(const Dentry& from, Denied& denied) {
  for (const Dentry* d = &from; d != nullptr && denied.any() != 0; d = above(*d))
    denied.allow_at(*d);
}

// The same, within the mount.
void allow_in_mount(const Dentry& from, Denied& denied) {
  for (const Dentry* d = &from; d != nullptr && denied.any() != 0; d = d->parent())
    denied.allow_at(*d);
}

// The current thread's domain, if a place that has a name can be meant: pipes, sockets and the like have none.
const Domain* domain_for(const Dentry& place) {
  if (!bound() || place.mount() == nullptr) return nullptr;
  const Domain* const domain = Thread::current().landlock.get();
  return domain != nullptr && domain->knows_files() ? domain : nullptr;
}

u16 denied_at(const Domain& domain, const Dentry& place, u16 wanted) {
  Denied denied(domain, wanted);
  LockGuard guard(fs::dentry_lock());
  allow_upwards(place, denied);
  return denied.any();
}

u16 right_to_remove(const Dentry* dentry) {
  if (dentry == nullptr || dentry->inode() == nullptr) return 0;
  return dentry->is_directory() ? kRemoveDirectory : kRemoveFile;
}

bool is_device(FileType type) {
  return type == FileType::kCharacter || type == FileType::kBlock;
}

// A name that moves or is added: what must be allowed at its old and its new directory.
struct Move {
  const Dentry& from;
  const Dentry& moved;
  const Dentry& to;
  const Dentry* exchanged;  // what goes the other way, or null
  u16 wanted_from, wanted_to;
};

// Whether both sides allow what is wanted, and nothing gains a right by its new place. The comparison of the places
// holds for all rights; once it is sure, only the wanted ones are looked at further up.
Result<void> check_move(const Domain& domain, const Move& m) {
  Denied from(domain, kAllFs), to(domain, kAllFs), moved(domain, kAllFs), exchanged(domain, kAllFs);
  LockGuard guard(fs::dentry_lock());
  allow_in_mount(m.from, from);
  allow_in_mount(m.to, to);
  if (from.any() == 0 && to.any() == 0) return {};
  moved.allow_at(m.moved);
  if (m.exchanged != nullptr) exchanged.allow_at(*m.exchanged);
  const Dentry* at = m.to.mount()->root.get();
  for (bool sure = false; at != nullptr; at = above(*at)) {
    if (!sure && from.kept_by(moved, m.moved.is_directory(), to) &&
        (m.exchanged == nullptr || to.kept_by(exchanged, m.exchanged->is_directory(), from))) {
      sure = true;
      from.keep_only(m.wanted_from);
      to.keep_only(m.wanted_to);
    }
    if (from.any() == 0 && to.any() == 0) return {};
    from.allow_at(*at);
    to.allow_at(*at);
    if (from.any() == 0 && to.any() == 0) return {};
  }
  const bool denied = (from.any() & m.wanted_from & ~kRefer) != 0 || (to.any() & m.wanted_to & ~kRefer) != 0;
  return denied ? Errno::Access : Errno::CrossDevice;
}

}  // namespace

u16 right_to_make(FileType type) {
  switch (type) {
    case FileType::kSymlink:
      return kMakeSymlink;
    case FileType::kDirectory:
      return kMakeDirectory;
    case FileType::kCharacter:
      return kMakeCharacter;
    case FileType::kBlock:
      return kMakeBlock;
    case FileType::kFifo:
      return kMakeFifo;
    case FileType::kSocket:
      return kMakeSocket;
    case FileType::kRegular:
      break;
  }
  return kMakeRegular;
}

Result<void> check(Dentry& place, u16 wanted) {
  const Domain* domain = domain_for(place);
  if (domain != nullptr && denied_at(*domain, place, wanted) != 0) return Errno::Access;
  return {};
}

Result<u16> check_open(Dentry& place, u32 flags) {
  const Domain* domain = domain_for(place);
  if (domain == nullptr) return u16{0};
  const u32 mode = flags & fs::kOpenAccessMask;
  u16 needed = 0;
  if (place.is_directory()) {
    needed = kReadDirectory;
  } else {
    if (mode == fs::kOpenReadOnly || mode == fs::kOpenReadWrite) needed |= kReadFile;
    if (mode == fs::kOpenWriteOnly || mode == fs::kOpenReadWrite) needed |= kWriteFile;
  }
  const u16 optional = is_device(place.inode()->type()) ? kTruncate | kIoctlDevice : kTruncate;
  const u16 denied = denied_at(*domain, place, needed | optional);
  if ((denied & needed) != 0) return Errno::Access;
  return denied;
}

Result<void> check_refer(Dentry& from, Dentry& moved, Dentry& to, Dentry* replaced, Refer how) {
  const Domain* domain = domain_for(from);
  if (domain == nullptr) return {};
  u16 wanted_from = how == Refer::kExchange ? right_to_make(replaced->inode()->type()) : u16{0};
  u16 wanted_to = right_to_make(moved.inode()->type());
  if (how != Refer::kLink) {
    wanted_from |= right_to_remove(&moved);
    wanted_to |= right_to_remove(replaced);
  }
  if (&from == &to) return check(to, wanted_from | wanted_to);
  return check_move(*domain, {from, moved, to, how == Refer::kExchange ? replaced : nullptr,
                              static_cast<u16>(wanted_from | kRefer), static_cast<u16>(wanted_to | kRefer)});
}

}  // namespace uni::landlock

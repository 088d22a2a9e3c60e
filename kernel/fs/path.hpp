// SPDX-License-Identifier: Apache-2.0
// Path walk (path_resolution(7)), for the VFS itself. Cached components are walked under one lock, with no reference
// taken and nothing allocated; a miss, a symbolic link or a permission check of a program without capabilities drops
// the lock.
#pragma once

#include "kernel/base/vector.hpp"
#include "kernel/fs/dentry_cache.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::fs {

inline constexpr unsigned kMostLinks = 40;
inline constexpr usize kPathMax = 4096;

// The last component, which a call that changes names handles itself.
struct LastName {
  enum class Kind : u8 { kNormal, kRoot, kDot, kDotDot };
  RefPtr<Dentry> directory;
  StringView name;  // in the path or in a link's text: valid as long as the Walker
  u32 hash = 0;
  Kind kind = Kind::kNormal;
  bool slash = false;  // slashes follow it
};

class Walker {
 public:
  Walker(const PathStart& start, u32 flags) : start_(start), flags_(flags) {}
  ~Walker();
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;

  // The file at the whole path.
  Result<RefPtr<Dentry>> walk(StringView path);
  // The directory of the last component.
  Result<LastName> to_parent(StringView path);
  // Goes on at `link`, the last component of the latest to_parent, as if its target stood there.
  Result<LastName> follow_last(const LastName& last, Dentry& link);

 private:
  struct Part {
    const char* at;
    const char* end;
  };
  Result<void> begin(StringView path);
  Result<void> run(LastName* stop);  // these need dentry_lock() and return with it
  Result<void> search(Dentry& directory);
  Result<void> up();
  Result<void> down();
  Result<Dentry*> child(StringView name, u32 hash);
  Result<void> follow(Dentry& link, bool last);
  Result<usize> read_target(Inode& link, RefPtr<Dentry>& jump);  // without the lock
  Result<void> go_to_root();
  Dentry* root() const;
  void hold(RefPtr<Dentry> dentry);
  Result<LastName> finish_parent(Result<void> walked, LastName& last);

  const PathStart& start_;
  u32 flags_;
  unsigned links_ = 0;
  bool must_be_directory_ = false;
  Dentry* at_ = nullptr;  // borrowed: valid under the lock, or held by held_
  RefPtr<Dentry> held_;   // changed only without the lock
  RefPtr<Dentry> top_;    // what kBeneath and kInRoot keep the walk below; null without them
  Part rest_{};
  Vector<Part> pending_;  // what stands behind the links that are being followed
  Vector<mm::Page*> link_texts_;
};

// The start of path walks in the kernel itself: the real root, all permissions.
RefPtr<Dentry> real_root();
// The covered place's topmost root; needs dentry_lock().
inline Dentry* topmost(Dentry* d) {
  while (d->mounted != nullptr)
    d = d->mounted->root.get();
  return d;
}

}  // namespace uni::fs

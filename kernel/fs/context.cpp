// SPDX-License-Identifier: Apache-2.0
// A process's view of the tree: cwd, root, umask.
#include "kernel/fs/path.hpp"

namespace uni::fs {

Result<RefPtr<FsContext>> FsContext::create_root() {
  RefPtr<FsContext> context = TRY(make_ref<FsContext>());
  context->root_ = context->cwd_ = real_root();
  return context;
}

Result<RefPtr<FsContext>> FsContext::copy() {
  RefPtr<FsContext> context = TRY(make_ref<FsContext>());
  LockGuard guard(dentry_lock());
  context->root_ = root_;
  context->cwd_ = cwd_;
  context->umask.store(umask.load());
  return context;
}

RefPtr<Dentry> FsContext::root() {
  LockGuard guard(dentry_lock());
  return root_;
}

RefPtr<Dentry> FsContext::cwd() {
  LockGuard guard(dentry_lock());
  return cwd_;
}

// The old one is dropped with the argument, after the lock.
void FsContext::set_root(RefPtr<Dentry> dentry) {
  LockGuard guard(dentry_lock());
  uni::swap(root_, dentry);
}

void FsContext::set_cwd(RefPtr<Dentry> dentry) {
  LockGuard guard(dentry_lock());
  uni::swap(cwd_, dentry);
}

}  // namespace uni::fs

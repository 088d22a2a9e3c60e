// SPDX-License-Identifier: Apache-2.0
// A small hash of bound AF_UNIX sockets. It borrows: a socket takes itself out before it dies, under the same lock.
#include "kernel/net/unix_names.hpp"

namespace uni::net {

SpinLock g_unix_lock{Rank::kSocketTable};
UnixSocket* UnixNames::buckets_[kBuckets];

u32 UnixNames::hash_abstract(StringView name) {
  u32 h = 2166136261u;  // FNV-1a
  for (char c : name)
    h = (h ^ static_cast<u8>(c)) * 16777619u;
  return h % kBuckets;
}

u32 UnixNames::hash_inode(const fs::Inode& inode) {
  return static_cast<u32>((inode.number() * 0x9e3779b97f4a7c15ull) >> 58) % kBuckets;
}

void UnixNames::add(UnixSocket& socket, u32 bucket) {
  socket.bucket_ = bucket;
  socket.named_ = true;
  socket.next_named_ = buckets_[bucket];
  buckets_[bucket] = &socket;
}

void UnixNames::remove(UnixSocket& socket) {
  if (!socket.named_) return;
  socket.named_ = false;
  for (UnixSocket** at = &buckets_[socket.bucket_]; *at != nullptr; at = &(*at)->next_named_) {
    if (*at == &socket) {
      *at = socket.next_named_;
      return;
    }
  }
}

RefPtr<UnixSocket> UnixNames::find_abstract(StringView name) {
  for (UnixSocket* s = buckets_[hash_abstract(name)]; s != nullptr; s = s->next_named_) {
    if (s->name_ != nullptr && !s->inode_ && s->name_->unix_name() == name && s->try_ref()) {
      return RefPtr<UnixSocket>::adopt(s);
    }
  }
  return nullptr;
}

RefPtr<UnixSocket> UnixNames::find_inode(const fs::Inode& inode) {
  for (UnixSocket* s = buckets_[hash_inode(inode)]; s != nullptr; s = s->next_named_) {
    if (s->inode_.get() == &inode && s->try_ref()) return RefPtr<UnixSocket>::adopt(s);
  }
  return nullptr;
}

}  // namespace uni::net

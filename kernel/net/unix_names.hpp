// SPDX-License-Identifier: Apache-2.0
// The names that AF_UNIX sockets are bound to: abstract ones by their bytes, paths by their inode.
#pragma once

#include "kernel/net/unix_socket.hpp"

namespace uni::net {

extern SpinLock g_unix_lock;  // names, peers, accept queues, datagram queues

class UnixNames {
 public:
  static u32 hash_abstract(StringView name);
  static u32 hash_inode(const fs::Inode& inode);
  // All need g_unix_lock. The finders give a reference, or null.
  static void add(UnixSocket& socket, u32 bucket);
  static void remove(UnixSocket& socket);
  static RefPtr<UnixSocket> find_abstract(StringView name);
  static RefPtr<UnixSocket> find_inode(const fs::Inode& inode);

 private:
  static constexpr u32 kBuckets = 64;
  static UnixSocket* buckets_[kBuckets];
};

}  // namespace uni::net

// SPDX-License-Identifier: Apache-2.0
// /proc, as far as programs read it (proc(5)): a table of rows over pseudo_fs.hpp.
#pragma once

#include "kernel/base/format.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::fs::procfs {

// Mount it at /proc. Errors: NoMemory.
Result<RefPtr<FileSystem>> create();

// Files of /proc/net that only the network knows how to fill. The network sets the provider when it starts; without
// one the files show their headings only, as with no interface and no socket. Called without locks; may not block.
enum class NetFile : u8 { kDevices, kRoutes, kTcp, kTcp6, kUdp, kUdp6, kUnix, kInet6Addresses, kArp, kIgmp, kIgmp6 };
using NetProvider = void (*)(NetFile file, Writer& out);
void set_net_provider(NetProvider provider);

}  // namespace uni::fs::procfs

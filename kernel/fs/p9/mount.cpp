// SPDX-License-Identifier: Apache-2.0
#include "kernel/fs/p9/p9.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::fs::p9 {
namespace {
P9Transport* transports = nullptr;  // filled at boot, before others look
}

void register_transport(P9Transport& transport) {
  transport.next = transports;
  transports = &transport;
}

P9Transport* find_transport(StringView tag) {
  for (P9Transport* t = transports; t != nullptr; t = t->next) {
    if (t->tag() == tag) return t;
  }
  return nullptr;
}

Result<void> mount_tag(StringView tag, StringView target, bool read_only) {
  P9Transport* transport = find_transport(tag);
  if (transport == nullptr) return Errno::NoDevice;
  auto fs = TRY(connect(*transport, read_only ? ReadOnly::kYes : ReadOnly::kNo));
  return mount_at(target, uni::move(fs), tag, read_only ? u32{kMountReadOnly} : 0);
}

}  // namespace uni::fs::p9

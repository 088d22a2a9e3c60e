// SPDX-License-Identifier: Apache-2.0
// Filters of sockets. The program is run with a reference and no lock of its own.
#include "kernel/net/socket_filter.hpp"

namespace uni::net {

Result<void> FilterSlot::set(RefPtr<SocketFilter> filter) {
  if (locked()) return Errno::NotPermitted;
  LockGuard guard(lock_);
  if (!filter && !filter_) return Errno::NoEntry;
  uni::swap(filter_, filter);
  there_.store(static_cast<bool>(filter_), std::memory_order_release);
  return {};
}

RefPtr<SocketFilter> FilterSlot::get() {
  LockGuard guard(lock_);
  return filter_;
}

u32 FilterSlot::run(bpf::Source& source) {
  const RefPtr<SocketFilter> filter = get();
  return filter ? bpf::run(filter->program(), source) : ~u32{0};
}

// Network order. The ancillary offsets of Linux (SKF_AD_OFF) are beyond every packet: they read nothing.
bool PacketSource::load(u32 offset, u32 size, u32* value) {
  if (offset > length() || length() - offset < size) return false;
  u32 number = 0;
  for (u32 i = offset; i < offset + size; ++i) {
    const u32 head = static_cast<u32>(header_.size());
    number = number << 8 | (i < head ? header_[i] : byte_at(i - head));
  }
  *value = number;
  return true;
}

}  // namespace uni::net

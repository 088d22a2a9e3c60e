// SPDX-License-Identifier: Apache-2.0
// The rows of /proc about inter-process communication: /proc/sysvipc, and limits that can be written.
#pragma once

#include "kernel/fs/procfs/rows.hpp"
#include "kernel/ipc/limits.hpp"

namespace uni::fs::procfs {

Result<void> show_sysvipc_shm(Writer& out, const Numbers&);
Result<void> show_sysvipc_sem(Writer& out, const Numbers&);
Result<void> show_sysvipc_msg(Writer& out, const Numbers&);

Result<void> show_sem_limits(Writer& out, const Numbers&);
Result<void> store_sem_limits(StringView text, const Numbers&);

Result<void> show_limit(Writer& out, const std::atomic<u64>& limit);
Result<void> store_limit(StringView text, std::atomic<u64>& limit, u64 least, u64 most);

enum class IpcFamily : u8 { kShared, kSemaphores, kMessages };
Result<void> show_next_id(Writer& out, IpcFamily family);
Result<void> store_next_id(StringView text, IpcFamily family);

// A number of ipc::limits between least and most.
template <std::atomic<u64> ipc::Limits::*kLimit, u64 kLeast, u64 kMost>
constexpr pseudo::Row limit_row(StringView path) {
  pseudo::Row r{path};
  r.show = [](Writer& out, const Numbers&) { return show_limit(out, ipc::limits.*kLimit); };
  r.store = [](StringView text, const Numbers&) { return store_limit(text, ipc::limits.*kLimit, kLeast, kMost); };
  r.mode = 0644;
  return r;
}

// Any other number.
template <std::atomic<u64>& kNumber, u64 kLeast, u64 kMost>
constexpr pseudo::Row number_row(StringView path) {
  pseudo::Row r{path};
  r.show = [](Writer& out, const Numbers&) { return show_limit(out, kNumber); };
  r.store = [](StringView text, const Numbers&) { return store_limit(text, kNumber, kLeast, kMost); };
  r.mode = 0644;
  return r;
}

template <IpcFamily kFamily>
constexpr pseudo::Row next_id_row(StringView path) {
  pseudo::Row r{path};
  r.show = [](Writer& out, const Numbers&) { return show_next_id(out, kFamily); };
  r.store = [](StringView text, const Numbers&) { return store_next_id(text, kFamily); };
  r.mode = 0644;
  return r;
}

}  // namespace uni::fs::procfs

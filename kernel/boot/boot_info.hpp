// SPDX-License-Identifier: Apache-2.0
// What the loader told us, whichever protocol it spoke (PVH, Linux 64-bit).
#pragma once

#include "kernel/base/boot_config.hpp"
#include "kernel/mm/page.hpp"

namespace uni::boot {

struct MemoryRange {
  u64 start, size;
  bool usable;
};
struct Info {
  MemoryRange memory[64];
  usize memory_count;
  StringView command_line;  // in the direct map
  u64 rsdp;                 // physical, 0 when unknown
  StringView module;        // the boot configuration, in the direct map
};
const Info& info();
// The parsed boot configuration.
const BootConfig& config();
// The manifest's limit of that name (docs/IMAGE.md, key `limit`); ~0 where it has none.
u64 limit(StringView name);

// Powers the machine off after telling the host how the program ended. Never returns. kernel/boot/shutdown.cpp.
[[noreturn]] void shut_down_exited(int status);
[[noreturn]] void shut_down_killed(int signal);

}  // namespace uni::boot

// SPDX-License-Identifier: Apache-2.0
// Who may look into another process, and calls that do.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "kernel/sched/process.hpp"

namespace uni::shim {

// ptrace(2), "Ptrace access mode checking", with the real ids: the same process, or one of the same user and group that
// may be dumped, or CAP_SYS_PTRACE.
bool may_inspect(Process& target);
// The process's memory or descriptors, with a reference; null once it has ended.
RefPtr<mm::AddressSpace> space_of(Process& process);
RefPtr<fs::FileTable> files_of(Process& process);

}  // namespace uni::shim

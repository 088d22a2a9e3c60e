// SPDX-License-Identifier: Apache-2.0
// The steps of a process's end, between process_exit.cpp and process_tree.cpp.
#pragma once

#include "kernel/sched/process.hpp"

namespace uni {

// The process has let go of everything: gives its children away, tells its parent, and is reaped at once where nobody
// wants to know. Needs no lock.
void become_zombie(Process& process);

}  // namespace uni

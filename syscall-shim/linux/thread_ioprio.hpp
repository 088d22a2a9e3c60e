// SPDX-License-Identifier: Apache-2.0
// The I/O priority of threads (ioprio_set(2)). It is kept and handed down; requests are served in order of arrival.
#pragma once

#include "kernel/sched/thread.hpp"

namespace uni::shim::ioprio {

// A new thread has its maker's. Where memory is out it has none.
void inherit(const Thread& child, const Thread& parent);
// The thread ends.
void forget(const Thread& thread);

}  // namespace uni::shim::ioprio

// SPDX-License-Identifier: Apache-2.0
// Descriptors that travel (SCM_RIGHTS): how many of each user are on their way, and the end of those that nobody can
// receive any more because the sockets in whose queues they wait are themselves on their way there (docs/NETWORK.md).
#pragma once

#include "kernel/net/packet.hpp"

namespace uni::net::flight {

// They begin to travel: before they are put into a queue. Needs: no spin lock held.
// Errors: TooManyRefs (more of the user's travel than RLIMIT_NOFILE, without CAP_SYS_RESOURCE or CAP_SYS_ADMIN),
// NoMemory.
Result<void> take_off(Rights& rights);
// They were taken out of a queue. Idempotent; Rights that are destroyed land by themselves. Needs: no spin lock of rank
// kFlight or higher held.
void land(Rights& rights);
// A socket went, or the last descriptor of one may be about to: looks soon for what cannot be received any more.
// Lock-free where no socket travels.
void look_soon();

}  // namespace uni::net::flight

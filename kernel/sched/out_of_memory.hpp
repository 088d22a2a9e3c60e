// SPDX-License-Identifier: Apache-2.0
// What happens when a page fault finds no memory, after reclaim: the process that holds most is ended, so that the
// others live.
#pragma once

namespace uni::sched {

// Ends the process with most memory (weighed by oom_score_adj), or waits a moment for one that is ending already. True:
// the fault may be tried again. False: the current process is the one to end, and nothing was done. May block; no spin
// lock held.
bool make_room();

}  // namespace uni::sched

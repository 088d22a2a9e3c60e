// SPDX-License-Identifier: Apache-2.0
// /proc/net.
#pragma once

namespace uni::net {

// Tells procfs who fills /proc/net, at boot. The network starts with the first question.
void provide_proc_net();

}  // namespace uni::net

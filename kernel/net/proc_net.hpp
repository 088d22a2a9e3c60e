// SPDX-License-Identifier: Apache-2.0
// /proc/net.
#pragma once

namespace uni::net {

// Tells procfs who fills /proc/net. Called once, by init().
void provide_proc_net();

}  // namespace uni::net

// SPDX-License-Identifier: Apache-2.0
// /etc/resolv.conf, as the boot configuration or DHCP has it: the packing machine's own name servers are seldom those
// that the guest can reach.
#pragma once

namespace uni::net {

// Writes it where the configuration, or by now DHCP, names servers; else leaves the image's file. Quiet where it cannot
// (a read-only root). May block.
void write_resolver_file();

}  // namespace uni::net

// SPDX-License-Identifier: Apache-2.0
// virtio-blk (virtio 1.1, 5.2).
#pragma once

#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {

// Takes a disk over; disk(n) shows it. Errors: NoDevice, NoMemory, NoSpace (too many disks).
Result<void> start_block(OwnPtr<Transport> transport);

}  // namespace uni::dev::virtio

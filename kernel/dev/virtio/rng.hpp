// SPDX-License-Identifier: Apache-2.0
// virtio-rng (virtio 1.1, 5.4): the host's entropy.
#pragma once

#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {

// Keeps the device for request_entropy; it is not touched until then. Errors: NoDevice (there is one already).
Result<void> start_rng(OwnPtr<Transport> transport);

// Asks the device for 64 bytes if that has not been done; they are mixed into the generator when they come. Does not
// block.
void request_entropy();

}  // namespace uni::dev::virtio

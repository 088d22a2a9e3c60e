// SPDX-License-Identifier: Apache-2.0
// virtio-9p (virtio 1.2, 5.9 with QEMU's layout): carries 9P messages to the host's server.
#pragma once

#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {

// Starts the device and registers its mount tag. Errors: NoDevice, NoMemory.
Result<void> start_p9(OwnPtr<Transport> transport);

}  // namespace uni::dev::virtio

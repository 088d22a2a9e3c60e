// SPDX-License-Identifier: Apache-2.0
// virtio-net (virtio 1.1, 5.1). The device is only noted at boot; it is started by the first net_device() that asks for
// it.
#pragma once

#include "kernel/dev/virtio/transport.hpp"

namespace uni::dev::virtio {

Result<void> note_net(OwnPtr<Transport> transport);

}  // namespace uni::dev::virtio

// SPDX-License-Identifier: Apache-2.0
// What carries 9P messages to a server: a virtio-9p device, or a test's own.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"

namespace uni::fs::p9 {

class P9Transport {
 public:
  // The name that a mount asks for.
  virtual StringView tag() const = 0;
  // Sends one request and waits for its reply; gives the reply's length. Buffers are kernel memory in the direct map,
  // each physically contiguous, at most kMaxMessage bytes. Several threads may have a request under way; which is told
  // by the messages' own tags. May block. Errors: Io.
  virtual Result<usize> request(Span<const u8> tx, Span<u8> rx) = 0;

  // The list of transports; owned by register_transport.
  P9Transport* next = nullptr;

 protected:
  ~P9Transport() = default;
};

// The largest message that this client sends or accepts: 128 KiB of data and a header.
inline constexpr usize kMaxMessage = 128 * kKiB + 4096;

// Makes a transport known; it stays for ever. From the driver, when it has found a device. Does not block.
void register_transport(P9Transport& transport);
// The one with this tag, or null.
P9Transport* find_transport(StringView tag);

}  // namespace uni::fs::p9

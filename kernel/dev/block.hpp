// SPDX-License-Identifier: Apache-2.0
// Block devices. Requests may block the calling thread until the device answers.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni::dev {

// A piece of kernel memory (direct map) taking part in a transfer; a multiple of 512 bytes.
struct BlockSegment {
  void* data;
  usize size;
};

class BlockDevice {
 public:
  virtual ~BlockDevice() = default;
  // Transfers `segments`, in order, from or to byte `offset` (a multiple of 512). Blocks until done.
  // Errors: Io, Invalid (beyond the end, misaligned), ReadOnlyFs.
  virtual Result<void> read(u64 offset, Span<const BlockSegment> segments) = 0;
  virtual Result<void> write(u64 offset, Span<const BlockSegment> segments) = 0;
  virtual Result<void> flush() = 0;
  virtual u64 size() const = 0;  // bytes
  virtual bool read_only() const = 0;
};

// The nth disk found at boot (0 is the root image), or null.
BlockDevice* disk(usize n);

}  // namespace uni::dev

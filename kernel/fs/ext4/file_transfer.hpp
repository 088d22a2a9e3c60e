// SPDX-License-Identifier: Apache-2.0
// Gathers transfers of blocks into large device requests.
#pragma once

#include "kernel/fs/ext4/file_system.hpp"

namespace uni::fs::ext4 {

class Transfer {
 public:
  enum Direction : bool { kRead, kWrite };
  Transfer(Ext4& fs, Direction direction) : fs_(fs), write_(direction == kWrite) {}
  // Adds a piece; sends what has gathered when it does not follow on. May block. Errors: Io.
  Result<void> add(u64 device_offset, u8* data, usize size);
  // Sends the rest.
  Result<void> flush();

 private:
  static constexpr usize kMaxSegments = 64;
  Ext4& fs_;
  bool write_;
  dev::BlockSegment segments_[kMaxSegments];
  usize count_ = 0;
  u64 at_ = 0, next_ = 0;
};

}  // namespace uni::fs::ext4

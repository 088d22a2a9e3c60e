// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4), without the inversions at begin and end: each user adds its
// own. Uses the processor's instruction where there is one.
#pragma once

#include "kernel/base/types.hpp"

namespace uni {

u32 crc32c(u32 crc, const void* data, usize size);

}  // namespace uni

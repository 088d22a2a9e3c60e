// SPDX-License-Identifier: Apache-2.0
// Linux's POSIX message queue structures, x86-64 layout (mq_open(2)).
#pragma once

#include "syscall-shim/abi/types.hpp"

namespace uni::abi {

struct MqAttr {
  i64 flags, maxmsg, msgsize, curmsgs;
  i64 reserved[4];
};
static_assert(sizeof(MqAttr) == 64);

}  // namespace uni::abi

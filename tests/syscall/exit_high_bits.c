// SPDX-License-Identifier: Apache-2.0
// exit_group(2) keeps the low eight bits.
// run: status=1
#include "check.h"

int main(void) {
  syscall(SYS_exit_group, 0x101);
}

// SPDX-License-Identifier: Apache-2.0
// _exit(2): the status 127 reaches the caller.
// run: status=127
#include "check.h"

int main(void) {
  SAY("leaving");
  _exit(127);
}

// SPDX-License-Identifier: Apache-2.0
// _exit(2): the status 1 reaches the caller.
// run: status=1
#include "check.h"

int main(void) {
  SAY("leaving");
  _exit(1);
}

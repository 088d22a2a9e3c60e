// SPDX-License-Identifier: Apache-2.0
// _exit(2): the status 0 reaches the caller.
// run: status=0
#include "check.h"

int main(void) {
  SAY("leaving");
  _exit(0);
}

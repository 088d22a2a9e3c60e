// SPDX-License-Identifier: Apache-2.0
// _exit(2): the status 255 reaches the caller.
// run: status=255
#include "check.h"

int main(void) {
  SAY("leaving");
  _exit(255);
}

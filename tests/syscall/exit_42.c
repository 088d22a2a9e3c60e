// SPDX-License-Identifier: Apache-2.0
// _exit(2): the status 42 reaches the caller.
// run: status=42
#include "check.h"

int main(void) {
  SAY("leaving");
  _exit(42);
}

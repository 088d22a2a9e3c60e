// SPDX-License-Identifier: Apache-2.0
// A program that SIGKILL ends: its status is 128 and the signal's number.
// run: status=137
#include "check.h"

int main(void) {
  SAY("before");
  kill(getpid(), SIGKILL);
  SAY("not reached");
  return 0;
}

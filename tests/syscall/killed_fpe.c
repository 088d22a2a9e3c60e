// SPDX-License-Identifier: Apache-2.0
// A program that SIGFPE ends: its status is 128 and the signal's number.
// run: status=136
#include "check.h"

int main(void) {
  SAY("before");
  raise(SIGFPE);
  SAY("not reached");
  return 0;
}

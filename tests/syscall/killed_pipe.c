// SPDX-License-Identifier: Apache-2.0
// A program that SIGPIPE ends: its status is 128 and the signal's number.
// run: status=141
#include "check.h"

int main(void) {
  SAY("before");
  raise(SIGPIPE);
  SAY("not reached");
  return 0;
}

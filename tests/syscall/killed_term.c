// SPDX-License-Identifier: Apache-2.0
// A program that SIGTERM ends: its status is 128 and the signal's number.
// run: status=143
#include "check.h"

int main(void) {
  SAY("before");
  raise(SIGTERM);
  SAY("not reached");
  return 0;
}

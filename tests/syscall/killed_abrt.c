// SPDX-License-Identifier: Apache-2.0
// A program that SIGABRT ends: its status is 128 and the signal's number.
// run: status=134
#include "check.h"

int main(void) {
  SAY("before");
  abort();
  SAY("not reached");
  return 0;
}

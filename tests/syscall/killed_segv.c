// SPDX-License-Identifier: Apache-2.0
// A program that SIGSEGV ends: its status is 128 and the signal's number.
// run: status=139
#include "check.h"

int main(void) {
  SAY("before");
  *(volatile int*)8 = 1;
  SAY("not reached");
  return 0;
}

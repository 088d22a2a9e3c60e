// SPDX-License-Identifier: Apache-2.0
// The least that a program does: write and exit.
#include "check.h"

int main(void) {
  RET(write(1, "hello\n", 6));
  RET(write(1, "", 0));
  return done();
}

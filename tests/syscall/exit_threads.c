// SPDX-License-Identifier: Apache-2.0
// The program ends when its last thread does, with that thread's status; main may leave before.
// run: status=0
#include "check.h"

static void* last(void* unused) {
  pause_ms(100);
  SAY("last thread");
  return unused;
}

int main(void) {
  start(last, NULL);
  SAY("main leaves");
  pthread_exit(NULL);
}

// SPDX-License-Identifier: Apache-2.0
// exit_group(2) from a thread ends all the others, wherever they wait.
// run: status=9
#include "check.h"

static void* waits(void* unused) {
  int p[2];
  char c;
  pipe(p);
  read(p[0], &c, 1);
  return unused;
}
static void* spins(void* unused) {
  for (volatile int i = 0;;)
    i++;
  return unused;
}
static void* leaves(void* unused) {
  pause_ms(50);
  SAY("leaving");
  exit(9);
  return unused;
}

int main(void) {
  start(waits, NULL);
  start(spins, NULL);
  start(leaves, NULL);
  pause();
}

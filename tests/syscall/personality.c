// SPDX-License-Identifier: Apache-2.0
// ADDR_NO_RANDOMIZE: a program lies at the same addresses each time that it is executed.
// run: processes=exec
#include "check.h"

#include <sys/personality.h>
#include <sys/wait.h>

static int same(unsigned long persona, char* name) {
  uintptr_t seen[2] = {0, 1};
  for (int i = 0; i < 2; i++) {
    int fds[2];
    pipe(fds);
    if (fork() == 0) {
      personality(persona);
      dup2(fds[1], 1);
      execl("/proc/self/exe", name, "shows", NULL);
    }
    read(fds[0], &seen[i], sizeof seen[i]);
    wait(NULL);
    close(fds[0]);
    close(fds[1]);
  }
  return seen[0] == seen[1];
}

int main(int argc, char** argv) {
  uintptr_t here = (uintptr_t)&here;
  if (argc > 1) return write(1, &here, sizeof here) != sizeof here;
  IS(same(ADDR_NO_RANDOMIZE, argv[0]));
  IS(!same(0, argv[0]));
  return done();
}

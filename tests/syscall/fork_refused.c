// SPDX-License-Identifier: Apache-2.0
// An image packed without the fork permission refuses to make a second process, and says which permission it lacks.
// run: guest processes=none
#include <sys/wait.h>

#include "check.h"

int main(void) {
  pid_t child = fork();
  if (child == 0) _exit(3);
  if (child > 0) waitpid(child, NULL, 0);
  SAY("fork: %s", child < 0 ? error_name(errno) : "made a process");
  int status;
  SAY("wait: %d %s", waitpid(-1, &status, WNOHANG), error_name(errno));
  return child < 0 ? 0 : 1;
}

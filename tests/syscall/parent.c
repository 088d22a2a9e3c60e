// SPDX-License-Identifier: Apache-2.0
// getppid(2): the program is not an orphan, and only orphans have process 1 for a parent.
// run: processes=fork
#include <sys/wait.h>
#include "check.h"

int main(void) {
  IS(getppid() != 1);
  int ends[2];
  pipe(ends);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    IS(getppid() == parent);
    if (fork() == 0) {
      for (int i = 0; i < 100 && getppid() != 1; i++)
        pause_ms(10);
      char byte = getppid() == parent ? 'n' : 'y';
      write(ends[1], &byte, 1);
    }
    _exit(0);
  }
  waitpid(child, NULL, 0);
  char byte = 0;
  read(ends[0], &byte, 1);
  SAY("the grandchild has another parent: %c", byte);
  char text[2048] = "";
  int fd = open("/proc/self/status", O_RDONLY);
  read(fd, text, sizeof text - 1);
  const char* line = strstr(text, "\nPPid:\t");
  IS(line && atoi(line + 7) == getppid());
  return done();
}

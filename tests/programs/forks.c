// SPDX-License-Identifier: Apache-2.0
// Makes and ends as many processes as the argument says, each second one by SIGKILL, and prints the free memory before
// and after, in kB.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long free_memory(void) {
  char line[128];
  long kb = -1;
  FILE* file = fopen("/proc/meminfo", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "MemFree: %ld", &kb) == 1) break;
  if (file != NULL) fclose(file);
  return kb;
}

static void turn(int kill_it) {
  const pid_t child = fork();
  if (child == 0) {
    while (kill_it)
      pause();
    _exit(0);
  }
  int status = 0;
  if (child < 0 || (kill_it && kill(child, SIGKILL) != 0) || waitpid(child, &status, 0) != child ||
      status != (kill_it ? SIGKILL : 0)) {
    printf("a child went wrong: %d, status %d\n", (int)child, status);
    exit(1);
  }
}

int main(int argc, char** argv) {
  const long total = argc > 1 ? atol(argv[1]) : 1000;
  // What is kept for the next process is there after the first few.
  for (int i = 0; i < 1000; ++i)
    turn(i & 1);
  const long before = free_memory();
  for (long i = 0; i < total; ++i)
    turn((int)(i & 1));
  printf("free before %ld kB, after %ld kB\n", before, free_memory());
  return 0;
}

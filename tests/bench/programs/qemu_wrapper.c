// SPDX-License-Identifier: Apache-2.0
// Stands before QEMU on the PATH while a start is taken apart: notes the time in $BENCH_STAMP (CLOCK_MONOTONIC, in
// nanoseconds), adds the words of $BENCH_QEMU_ARGUMENTS, and becomes the program named by $BENCH_QEMU.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const char* stamp = getenv("BENCH_STAMP");
  FILE* out = stamp ? fopen(stamp, "we") : NULL;
  if (out) {
    fprintf(out, "%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    fclose(out);
  }
  char** words = calloc((size_t)argc + 32, sizeof *words);
  int count = 0;
  for (; count < argc; count++)
    words[count] = argv[count];
  char* more = getenv("BENCH_QEMU_ARGUMENTS");
  for (char* word = more ? strtok(strdup(more), " ") : NULL; word && count < argc + 30; word = strtok(NULL, " "))
    words[count++] = word;
  const char* program = getenv("BENCH_QEMU");
  if (program) execv(program, words);
  perror("qemu");
  return 127;
}

// SPDX-License-Identifier: Apache-2.0
// Prints its arguments and one environment variable; the first argument, where it is a number, is the exit status.
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  printf("hello from %s\n", argv[0] ? "uni" : "nowhere");
  for (int i = 1; i < argc; i++)
    printf("arg %d: %s\n", i, argv[i]);
  const char* word = getenv("GREETING");
  if (word) printf("GREETING=%s\n", word);
  fprintf(stderr, "hello on stderr\n");
  return argc > 1 ? atoi(argv[1]) : 0;
}

// SPDX-License-Identifier: Apache-2.0
// Prints one line, with the time stamp counter at main: gcc -O2 -static hello.c -o hello
#include <stdio.h>
#include <x86intrin.h>
int main(void) {
  unsigned long long t = __rdtsc();
  printf("hello, tsc %llu\n", t);
  return 0;
}

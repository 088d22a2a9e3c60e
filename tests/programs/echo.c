// SPDX-License-Identifier: Apache-2.0
// Copies stdin to stdout, byte for byte, until end-of-file; tells the count on stderr.
#include <stdio.h>
#include <unistd.h>

int main(void) {
  static char buffer[65536];
  long total = 0;
  for (;;) {
    ssize_t got = read(0, buffer, sizeof buffer);
    if (got < 0) return 1;
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      ssize_t put = write(1, buffer + done, (size_t)(got - done));
      if (put < 0) return 2;
      done += put;
    }
    total += got;
  }
  fprintf(stderr, "%ld bytes\n", total);
  return 0;
}

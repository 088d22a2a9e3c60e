// SPDX-License-Identifier: Apache-2.0
// getrandom(2), /dev/random, /dev/urandom, /dev/zero, /dev/null, /dev/full.
#include <sys/random.h>

#include "check.h"

static int distinct(const unsigned char* b, int n) {
  char seen[256] = {0};
  int count = 0;
  for (int i = 0; i < n; i++)
    if (!seen[b[i]]++) count++;
  return count;
}

int main(void) {
  unsigned char a[4096], b[4096];
  RET(getrandom(a, sizeof a, 0));
  RET(getrandom(b, sizeof b, GRND_NONBLOCK));
  IS(memcmp(a, b, sizeof a) != 0);
  IS(distinct(a, 4096) > 200 && distinct(b, 4096) > 200);
  RET(getrandom(a, 0, 0));
  RET(getrandom(a, 16, GRND_RANDOM));
  RET(getrandom(a, 16, 4));
  RET(getrandom(a, 16, 0x100));
  RET(getrandom(NULL, 16, 0));
  const char* sources[] = {"/dev/random", "/dev/urandom"};
  for (int i = 0; i < 2; i++) {
    int fd = open(sources[i], O_RDWR);
    RET(read(fd, a, 256));
    IS(distinct(a, 256) > 100);
    RET(write(fd, a, 16));
    close(fd);
  }
  int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR), full = open("/dev/full", O_RDWR);
  memset(a, 'x', sizeof a);
  RET(read(zero, a, sizeof a));
  IS(a[0] == 0 && a[4095] == 0);
  RET(write(zero, a, 100));
  RET(read(null, a, 100));
  RET(write(null, a, 100));
  RET(write(null, NULL, 100));
  RET(read(full, a, 100));
  RET(write(full, a, 100));
  unsigned char* m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  IS(m != MAP_FAILED);
  if (m != MAP_FAILED) IS(m[5000] == 0 && (m[5000] = 1));
  return done();
}

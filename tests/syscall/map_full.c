// SPDX-License-Identifier: Apache-2.0
// A program with as many mappings as it may have (max_map_count): an end of one can be unmapped or mapped over, and
// what reaches from one into the next; a hole in the middle cannot be made. run: memory=128M
#include "check.h"

enum { kPage = 4096 };

static long limit(void) {
  char text[32] = "";
  int fd = open("/proc/sys/vm/max_map_count", O_RDONLY);
  read(fd, text, sizeof text - 1);
  close(fd);
  return atol(text);
}

int main(void) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  long pages = 2 * limit(), at = 17;
  char* area = mmap(NULL, (size_t)pages * kPage, PROT_NONE, flags, -1, 0);
  RET(mprotect(area, 8 * kPage, PROT_READ | PROT_WRITE));
  RET(mprotect(area + 8 * kPage, 8 * kPage, PROT_READ));
  while (at < pages && mprotect(area + at * kPage, kPage, PROT_READ) == 0)
    at += 2;
  if (at < pages) mprotect(area + at * kPage, (size_t)(pages - at) * kPage, PROT_READ);  // if one is left
  RET(mprotect(area + 2 * kPage, kPage, PROT_NONE));
  RET(munmap(area + 2 * kPage, kPage));
  RET(munmap(area, kPage));
  RET(munmap(area + 15 * kPage, kPage));
  RET(munmap(area + 7 * kPage, 2 * kPage));
  RET(munmap(area + 3 * kPage, kPage));
  RET(munmap(area + 1 * kPage, 6 * kPage));
  RET(munmap(area + 10 * kPage, kPage));
  RET(munmap(area, (size_t)pages * kPage));
  return done();
}

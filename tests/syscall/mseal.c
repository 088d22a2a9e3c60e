// SPDX-License-Identifier: Apache-2.0
// mseal(2): a sealed mapping stays where it is and as it is.
#include "check.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static long seal(void* address, size_t length, unsigned long flags) {
  return syscall(SYS_mseal, address, length, flags);
}

int main(void) {
  char* p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RET(seal(p, 4096, 1));
  RET(seal(p + 1, 4096, 0));
  RET(seal(p, 0, 0));
  RET(seal(p, (size_t)-4095, 0));
  RET(munmap(p + 4 * 4096, 4096));
  RET(seal(p + 3 * 4096, 3 * 4096, 0));  // a hole: nothing is sealed
  RET(mprotect(p + 3 * 4096, 4096, PROT_READ));
  RET(seal(p, 2 * 4096, 0));
  RET(seal(p, 2 * 4096, 0));
  p[0] = 'a';
  RET(munmap(p, 4096));
  RET(munmap(p, 4 * 4096));
  RET(mprotect(p + 4096, 4096, PROT_READ));
  RET(mprotect(p + 2 * 4096, 4096, PROT_READ));
  IS(mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EPERM);
  IS(mremap(p, 2 * 4096, 4096, 0) == MAP_FAILED && errno == EPERM);
  RET(madvise(p, 4096, MADV_DONTNEED));  // it may be written, so it may be cleared
  SAY("%d", p[0]);
  char* r = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RET(seal(r, 4096, 0));
  RET(madvise(r, 4096, MADV_DONTNEED));
  RET(madvise(r, 4096, MADV_WILLNEED));
  RET(munmap(p + 5 * 4096, 3 * 4096));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// mlock(2), mlock2(2), mlockall(2), and what they do to mincore, madvise and msync.
#include "check.h"

#define PAGE 4096

static int resident(char* at, int pages) {
  unsigned char there[64];
  if (mincore(at, (size_t)pages * PAGE, there)) return -1;
  int sum = 0;
  for (int i = 0; i < pages; i++)
    sum += there[i] & 1;
  return sum;
}

static char* map(int pages) {
  return mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
  char* a = map(8);
  RET(resident(a, 8));
  RET(mlock(a + PAGE + 5, 2 * PAGE));
  RET(resident(a, 8));
  RET(madvise(a, 8 * PAGE, MADV_DONTNEED));
  RET(madvise(a + PAGE, PAGE, MADV_COLD));
  RET(madvise(a + PAGE, PAGE, MADV_FREE));
  RET(msync(a, 8 * PAGE, MS_INVALIDATE | MS_SYNC));
  RET(msync(a, 8 * PAGE, MS_SYNC));
  RET(munlock(a, 8 * PAGE));
  RET(madvise(a, 8 * PAGE, MADV_DONTNEED));
  RET(resident(a, 8));
  RET(syscall(SYS_mlock2, a, 8 * PAGE, 1));
  RET(resident(a, 8));
  a[0] = 1;
  RET(resident(a, 8));
  RET(syscall(SYS_mlock2, a, 8 * PAGE, 2));
  RET(munlock(a, 8 * PAGE));
  RET(mlock(a, 0));
  RET(munmap(a + 4 * PAGE, PAGE));
  RET(mlock(a, 8 * PAGE));
  RET(munlock(a, 8 * PAGE));
  RET(mlock((void*)-4096ul, 8 * PAGE));
  RET(mlock(a, (size_t)-1));
  RET(munlock(a, (size_t)-1));
  RET(mlockall(0));
  RET(mlockall(8));
  RET(mlockall(MCL_ONFAULT));
  char* b = map(4);
  RET(mlockall(MCL_CURRENT));
  RET(resident(b, 4));
  RET(mlockall(MCL_FUTURE));
  char* c = map(4);
  RET(resident(c, 4));
  RET(mlockall(MCL_FUTURE | MCL_ONFAULT));
  char* d = map(4);
  RET(resident(d, 4));
  RET(munlockall());
  char* e = map(4);
  RET(resident(e, 4));
  RET(madvise(b, 4 * PAGE, MADV_DONTNEED));
  char* f = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
  RET(resident(f, 4));
  RET(madvise(f, 4 * PAGE, MADV_DONTNEED));
  RET(madvise(f, 4 * PAGE, 24 /* MADV_DONTNEED_LOCKED */));
  RET(resident(f, 4));
  return done();
}

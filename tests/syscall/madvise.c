// SPDX-License-Identifier: Apache-2.0
// madvise(2), mincore(2), mlock(2), brk(2).
#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void) {
  scratch();
  char* p = mmap(NULL, 4 * 4096, RW, ANON, -1, 0);
  memset(p, 'x', 4 * 4096);
  RET(madvise(p + 4096, 4096, MADV_DONTNEED));
  IS(p[0] == 'x' && p[4096] == 0 && p[8192] == 'x');
  RET(madvise(p, 4096, MADV_WILLNEED));
  RET(madvise(p, 4096, MADV_NORMAL));
  RET(madvise(p, 4096, MADV_RANDOM));
  RET(madvise(p, 4096, MADV_SEQUENTIAL));
  RET(madvise(p, 4096, MADV_DONTFORK));
  RET(madvise(p, 4096, MADV_DONTDUMP));
  RET(madvise(p, 4096, MADV_FREE));
  p[0] = 'y';
  IS(p[0] == 'y');
  RET(madvise(p + 1, 4096, MADV_DONTNEED));
  RET(madvise(p, 4096, 9999));
  RET(madvise(p, 0, MADV_DONTNEED));
  munmap(p + 2 * 4096, 4096);
  RET(madvise(p, 4 * 4096, MADV_DONTNEED));
  IS(p[0] == 0 && p[3 * 4096] == 0);
  RET(madvise(p, 8192, MADV_POPULATE_WRITE));
  // A private file page goes back to the file's content.
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  write(fd, "file", 4);
  char* f = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);
  f[0] = 'X';
  RET(madvise(f, 4096, MADV_DONTNEED));
  SAY("%.4s", f);
  unsigned char in[4] = {0};
  char* q = mmap(NULL, 2 * 4096, RW, ANON, -1, 0);
  q[0] = 1;
  RET(mincore(q, 2 * 4096, in));
  SAY("%d %d", in[0] & 1, in[1] & 1);
  RET(mincore(q + 1, 4096, in));
  RET(mincore(q, 4096, NULL));
  munmap(q, 8192);
  RET(mincore(q, 4096, in));
  RET(mlock(p, 4096));
  RET(munlock(p, 4096));
  RET(mlock(q, 4096));
  char* end = sbrk(0);
  IS(sbrk(10000) == end);
  memset(end, 'b', 10000);
  IS(sbrk(0) == end + 10000);
  RET(brk(end));
  IS(sbrk(0) == end);
  IS(sbrk(4096) == end && end[0] == 0);
  IS(syscall(SYS_brk, 0) == syscall(SYS_brk, 1));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// mremap(2): shrinking, growing in place, moving, errors.
#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void) {
  char* p = mmap(NULL, 8 * 4096, RW, ANON, -1, 0);
  for (int i = 0; i < 8; i++)
    p[i * 4096] = (char)('0' + i);
  IS(mremap(p, 8 * 4096, 4 * 4096, 0) == p);
  IS(p[3 * 4096] == '3');
  IS(mremap(p, 4 * 4096, 6 * 4096, 0) == p);
  IS(p[5 * 4096] == 0);
  char* wall = mmap(p + 6 * 4096, 4096, RW, ANON | MAP_FIXED, -1, 0);
  IS(wall == p + 6 * 4096);
  RET((long)mremap(p, 6 * 4096, 10 * 4096, 0));
  char* q = mremap(p, 6 * 4096, 10 * 4096, MREMAP_MAYMOVE);
  IS(q != MAP_FAILED && q != p);
  IS(q[0] == '0' && q[3 * 4096] == '3' && q[9 * 4096] == 0);
  char* to = mmap(NULL, 16 * 4096, RW, ANON, -1, 0);
  char* m = mremap(q, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to + 4096);
  IS(m == to + 4096 && m[0] == '0' && m[4096] == '1' && to[0] == 0 && to[3 * 4096] == 0);
  RET((long)mremap(q + 2 * 4096, 4096, 0, MREMAP_MAYMOVE));
  RET((long)mremap(q + 1, 4096, 8192, MREMAP_MAYMOVE));
  RET((long)mremap(q, 4096, 8192, MREMAP_MAYMOVE));
  RET((long)mremap(to, 4096, 8192, 0x40));
  RET((long)mremap(to, 4096, 4096, MREMAP_FIXED, to));
  RET((long)mremap(to, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, to + 4096));
  // A big area keeps its content when it moves.
  size_t big = 4 << 20;
  p = mmap(NULL, big, RW, ANON, -1, 0);
  for (size_t i = 0; i < big; i += 4096)
    p[i] = (char)(i / 4096);
  q = mremap(p, big, 4 * big, MREMAP_MAYMOVE);
  int wrong = 0;
  for (size_t i = 0; i < big; i += 4096)
    wrong += q[i] != (char)(i / 4096);
  RET(wrong);
  return done();
}

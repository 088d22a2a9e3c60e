// SPDX-License-Identifier: Apache-2.0
// mmap(2), munmap(2), mprotect(2): placement, splitting, errors.
#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void) {
  char* p = mmap(NULL, 5 * 4096, RW, ANON, -1, 0);
  IS(p != MAP_FAILED && ((uintptr_t)p & 4095) == 0);
  IS(p[0] == 0 && p[5 * 4096 - 1] == 0);
  memset(p, 'm', 5 * 4096);
  RET(munmap(p + 4096, 4096));
  IS(p[0] == 'm' && p[2 * 4096] == 'm');
  RET(mprotect(p, 4096, PROT_READ));
  RET(mprotect(p, 3 * 4096, PROT_READ));
  RET(mprotect(p + 2 * 4096, 4096, PROT_READ));
  RET(mprotect(p + 1, 4096, PROT_READ));
  RET(mprotect(p, 0, PROT_READ));
  RET(mprotect(p, 4096, 0x1000));
  RET(munmap(p, 5 * 4096));
  RET(munmap(p, 5 * 4096));
  RET(munmap(p + 1, 4096));
  RET(munmap(p, 0));
  RET((long)mmap(NULL, 0, RW, ANON, -1, 0));
  RET((long)mmap(NULL, 4096, RW, MAP_ANONYMOUS, -1, 0));
  RET((long)mmap(NULL, 4096, RW, ANON | MAP_HUGETLB | 63 << 26, -1, 0));
  RET((long)mmap(NULL, 4096, RW, MAP_PRIVATE, 99, 0));
  RET((long)mmap(NULL, 4096, RW, MAP_PRIVATE, 1, 5));
  RET((long)mmap((void*)5, 4096, RW, ANON | MAP_FIXED, -1, 0));
  RET((long)mmap((void*)0x800000000000, 4096, RW, ANON | MAP_FIXED, -1, 0));
  RET((long)mmap(NULL, (size_t)1 << 50, RW, ANON, -1, 0));
  // A hint that is free is taken; MAP_FIXED replaces; MAP_FIXED_NOREPLACE does not.
  p = mmap(NULL, 16 * 4096, RW, ANON, -1, 0);
  memset(p, 'a', 16 * 4096);
  munmap(p + 4 * 4096, 4096);
  IS(mmap(p + 4 * 4096, 4096, RW, ANON, -1, 0) == p + 4 * 4096);
  IS(mmap(p, 4096, RW, ANON, -1, 0) != p);
  IS(mmap(p, 4096, RW, ANON | MAP_FIXED, -1, 0) == p);
  IS(p[0] == 0 && p[4096] == 'a');
  RET((long)mmap(p, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  munmap(p, 4096);
  IS(mmap(p, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p);
  // Big reservations cost nothing.
  char* big = mmap(NULL, (size_t)1 << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
  IS(big != MAP_FAILED);
  RET(mprotect(big + ((size_t)1 << 39), 8192, RW));
  big[(size_t)1 << 39] = 'b';
  IS(big[((size_t)1 << 39) + 4096] == 0);
  RET(munmap(big, (size_t)1 << 40));
  char* low = mmap(NULL, 4096, RW, ANON | MAP_32BIT, -1, 0);
  IS(low != MAP_FAILED && (uintptr_t)low < ((uintptr_t)1 << 32));
  char* populated = mmap(NULL, 8192, RW, ANON | MAP_POPULATE, -1, 0);
  IS(populated != MAP_FAILED && populated[4096] == 0);
  // Code written, then run.
  unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov eax, 42; ret
  unsigned char* x = mmap(NULL, 4096, RW, ANON, -1, 0);
  memcpy(x, code, sizeof code);
  RET(mprotect(x, 4096, PROT_READ | PROT_EXEC));
  RET(((int (*)(void))(uintptr_t)x)());
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// mmap(2) of files: private and shared, write-back, one view with read and write, past the end.
#include <setjmp.h>

#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
static sigjmp_buf back;
static siginfo_t info;
static void on_fault(int s, siginfo_t* i, void* u) {
  (void)s, (void)u;
  info = *i;
  siglongjmp(back, 1);
}

int main(void) {
  scratch();
  char b[16] = {0};
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  write(fd, "file content", 12);
  char* s = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
  char* p = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);
  SAY("%.12s", s);
  s[0] = 'F';
  RET(pread(fd, b, 4, 0));
  SAY("%s %c", b, p[0]);
  p[1] = '!';
  RET(pread(fd, b, 4, 0));
  SAY("%s %c", b, s[1]);
  RET(pwrite(fd, "AB", 2, 4));
  SAY("%.2s", s + 4);
  RET(msync(s, 4096, MS_SYNC));
  RET(msync(s, 4096, MS_ASYNC));
  RET(msync(s + 1, 4096, MS_SYNC));
  RET(msync(s, 4096, MS_SYNC | MS_ASYNC));
  RET(munmap(s, 4096));
  RET(msync(s, 4096, MS_SYNC));
  show("f");
  IS(p[12] == 0 && p[4095] == 0);
  int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
  RET((long)mmap(NULL, 4096, RW, MAP_SHARED, r, 0));
  RET(mmap(NULL, 4096, RW, MAP_PRIVATE, r, 0) != MAP_FAILED);
  RET((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, w, 0));
  char* ro = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r, 0);
  RET(mprotect(ro, 4096, RW));
  int d = open(".", O_RDONLY);
  RET((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, d, 0));
  RET((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 100));
  // The mapping outlives its descriptor and its name.
  s = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
  close(fd);
  unlink("f");
  SAY("%.4s", s);
  // Beyond the last page of the file is SIGBUS.
  fd = open("g", O_RDWR | O_CREAT, 0644);
  ftruncate(fd, 5000);
  s = mmap(NULL, 4 * 4096, RW, MAP_SHARED, fd, 0);
  s[8191] = 1;
  struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &a, NULL);
  sigaction(SIGSEGV, &a, NULL);
  if (!sigsetjmp(back, 1)) s[8192] = 1;
  SAY("signal %d code %d at page %ld", info.si_signo, info.si_code, ((char*)info.si_addr - s) / 4096);
  RET(read(0, s + 8192, 1) <= 0);
  RET(write(1, s + 8192, 1));
  ftruncate(fd, 4 * 4096);
  s[8192] = 'x';
  RET(pread(fd, b, 1, 8192));
  SAY("%c", b[0]);
  // An offset into the file.
  char* o = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 8192);
  SAY("%c", o[0]);
  // No file is memory that a store makes last, and a validated mapping has no flag that nobody knows.
  int plain = open("sync", O_RDWR | O_CREAT, 0600);
  IS(mmap(NULL, 4096, PROT_READ, 0x80000 | 3, plain, 0) == MAP_FAILED && errno == EOPNOTSUPP);  // MAP_SYNC, validated
  IS(mmap(NULL, 4096, PROT_READ, 0x200 | 3, plain, 0) == MAP_FAILED && errno == EOPNOTSUPP);
  return done();
}

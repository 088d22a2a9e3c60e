// SPDX-License-Identifier: Apache-2.0
// read(2), write(2): counts, ends, and the errors in the order in which Linux finds them.
#include "check.h"

int main(void) {
  scratch();
  char b[16] = {0};
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  RET(fd);
  RET(write(fd, "0123456789", 10));
  RET(read(fd, b, 5));
  RET(lseek(fd, 0, SEEK_SET));
  RET(read(fd, b, 4));
  SAY("read %.4s", b);
  RET(read(fd, b, 16));
  SAY("read %.6s", b);
  RET(read(fd, b, 16));
  RET(read(fd, b, 0));
  RET(write(fd, b, 0));
  RET(read(-1, b, 1));
  RET(write(-1, b, 1));
  RET(read(99, NULL, 1));
  RET(write(fd, NULL, 1));
  lseek(fd, 0, SEEK_SET);
  RET(read(fd, NULL, 1));
  RET(read(fd, NULL, 0));
  RET(lseek(fd, 0, SEEK_CUR));
  RET(write(fd, (void*)0xffff800000000000, 1));
  int r = open("f", O_RDONLY), w = open("f", O_WRONLY), d = open(".", O_RDONLY);
  RET(write(r, b, 1));
  RET(read(w, b, 1));
  RET(write(r, NULL, 1));
  RET(read(d, b, 1));
  RET(write(d, b, 1));
  // A hole reads as zeros.
  RET(lseek(fd, 8192, SEEK_SET));
  RET(write(fd, "x", 1));
  RET(lseek(fd, 5000, SEEK_SET));
  memset(b, 'z', sizeof b);
  RET(read(fd, b, 16));
  IS(b[0] == 0 && b[15] == 0);
  // O_APPEND writes at the end, wherever the offset is.
  int a = open("f", O_WRONLY | O_APPEND);
  RET(lseek(a, 0, SEEK_CUR));
  RET(write(a, "tail", 4));
  RET(lseek(a, 0, SEEK_CUR));
  // A count that begins in good memory and ends in bad memory.
  char* page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + 4096, 4096);
  memset(page, 'p', 4096);
  int p = open("p", O_RDWR | O_CREAT, 0644);
  RET(write(p, page + 4096, 10));
  RET(close(p));
  RET(close(p));
  RET(close(-1));
  return done();
}

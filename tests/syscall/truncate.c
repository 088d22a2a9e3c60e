// SPDX-License-Identifier: Apache-2.0
// truncate(2), ftruncate(2), fallocate(2): growing, shrinking, what is read afterwards.
#include "check.h"

static long size_of(const char* name) {
  struct stat st;
  return stat(name, &st) ? -1 : (long)st.st_size;
}

int main(void) {
  scratch();
  char b[16];
  int fd = open("f", O_RDWR | O_CREAT, 0644);
  RET(write(fd, "0123456789", 10));
  RET(ftruncate(fd, 4));
  RET(size_of("f"));
  RET(lseek(fd, 0, SEEK_CUR));
  RET(ftruncate(fd, 10));
  RET(pread(fd, b, 10, 0));
  IS(b[3] == '3' && b[4] == 0 && b[9] == 0);
  RET(ftruncate(fd, 10000));
  RET(pread(fd, b, 16, 9990));
  RET(truncate("f", 3));
  RET(size_of("f"));
  RET(truncate("none", 0));
  RET(truncate("f", -1));
  RET(ftruncate(fd, -1));
  mkdir("d", 0755);
  RET(truncate("d", 0));
  RET(truncate("f/x", 0));
  int r = open("f", O_RDONLY);
  RET(ftruncate(r, 0));
  RET(ftruncate(99, 0));
  int p[2];
  pipe(p);
  RET(ftruncate(p[1], 0));
  RET(fallocate(fd, 0, 0, 5000));
  RET(size_of("f"));
  RET(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
  RET(size_of("f"));
  RET(fallocate(fd, 0, -1, 10));
  RET(fallocate(fd, 0, 0, 0));
  RET(fallocate(r, 0, 0, 10));
  RET(fallocate(p[1], 0, 0, 10));
  RET(posix_fallocate(fd, 0, 30000));
  RET(size_of("f"));
  // A shared mapping sees the cut.
  ftruncate(fd, 8192);
  char* m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  m[5000] = 'x';
  RET(ftruncate(fd, 100));
  RET(ftruncate(fd, 8192));
  IS(m[5000] == 0);
  return done();
}

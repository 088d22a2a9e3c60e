// SPDX-License-Identifier: Apache-2.0
// memfd_create(2) and its seals.
#include "check.h"

int main(void) {
  char b[16] = {0};
  int fd = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  IS(fd >= 0);
  RET(fcntl(fd, F_GETFD));
  RET(write(fd, "memory", 6));
  RET(ftruncate(fd, 8192));
  char* m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  SAY("%s", m);
  m[5000] = 'z';
  RET(pread(fd, b, 1, 5000));
  struct stat st;
  RET(fstat(fd, &st));
  SAY("%o %ld", st.st_mode & S_IFMT, (long)st.st_size);
  RET(fcntl(fd, F_GET_SEALS));
  RET(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  RET(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
  RET(ftruncate(fd, 9000));
  RET(ftruncate(fd, 100));
  munmap(m, 8192);
  RET(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
  RET(write(fd, "x", 1));
  RET(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  RET((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  int plain = memfd_create("", 0);
  RET(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE));
  int copied = memfd_create("", MFD_ALLOW_SEALING);
  RET(ftruncate(copied, 4096));
  char* own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, copied, 0);
  char* seen = mmap(NULL, 4096, PROT_READ, MAP_SHARED, copied, 0);
  RET(fcntl(copied, F_ADD_SEALS, F_SEAL_WRITE));
  RET(munmap(seen, 4096));
  RET(fcntl(copied, F_ADD_SEALS, F_SEAL_WRITE));
  own[0] = 'x';
  RET(pread(copied, b, 1, 0));
  IS(b[0] == 0);
  RET(memfd_create("x", 0x4000));
  RET(memfd_create(NULL, 0));
  return done();
}

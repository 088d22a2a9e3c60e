// SPDX-License-Identifier: Apache-2.0
// fcntl(2) record locks, open file description locks, flock(2), as one process sees them.
#include <sys/file.h>

#include "check.h"

static int lock(int fd, int command, short type, long from, long length) {
  struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length};
  return fcntl(fd, command, &l);
}

static const char* held(int fd, int command, long from, long length) {
  struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = length};
  if (fcntl(fd, command, &l)) return error_name(errno);
  return l.l_type == F_UNLCK ? "free" : l.l_type == F_RDLCK ? "read lock" : "write lock";
}

int main(void) {
  scratch();
  put("f", "some content");
  int a = open("f", O_RDWR), b = open("f", O_RDWR), r = open("f", O_RDONLY);
  // A process never stands in its own way.
  RET(lock(a, F_SETLK, F_WRLCK, 0, 10));
  RET(lock(b, F_SETLK, F_WRLCK, 0, 10));
  SAY("%s", held(a, F_GETLK, 0, 10));
  RET(lock(a, F_SETLK, F_UNLCK, 0, 0));
  RET(lock(r, F_SETLK, F_WRLCK, 0, 1));
  RET(lock(r, F_SETLK, F_RDLCK, 0, 1));
  RET(lock(a, F_SETLK, 77, 0, 1));
  RET(lock(a, F_SETLK, F_WRLCK, -1, 1));
  RET(lock(99, F_SETLK, F_WRLCK, 0, 1));
  RET(fcntl(a, F_SETLK, NULL));
  RET(lock(a, F_SETLKW, F_WRLCK, 100, 10));
  // Open file description locks stand in each other's way.
  RET(lock(a, F_OFD_SETLK, F_WRLCK, 200, 10));
  RET(lock(b, F_OFD_SETLK, F_WRLCK, 205, 10));
  RET(lock(b, F_OFD_SETLK, F_RDLCK, 210, 10));
  SAY("%s", held(b, F_OFD_GETLK, 200, 5));
  SAY("%s", held(a, F_OFD_GETLK, 210, 5));
  RET(lock(a, F_OFD_SETLK, F_UNLCK, 200, 10));
  RET(lock(b, F_OFD_SETLK, F_WRLCK, 205, 10));
  // Of several that stand in the way the first in the file is told.
  RET(lock(b, F_OFD_SETLK, F_RDLCK, 310, 3));
  RET(lock(b, F_OFD_SETLK, F_WRLCK, 320, 5));
  RET(lock(b, F_OFD_SETLK, F_RDLCK, 300, 3));
  struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 300, .l_len = 0};
  RET(fcntl(a, F_OFD_GETLK, &first));
  SAY("at %ld, %ld bytes", (long)first.l_start, (long)first.l_len);
  RET(lock(b, F_OFD_SETLK, F_UNLCK, 300, 0));
  RET(flock(a, LOCK_EX));
  RET(flock(b, LOCK_EX | LOCK_NB));
  RET(flock(b, LOCK_SH | LOCK_NB));
  RET(flock(a, LOCK_SH));
  RET(flock(b, LOCK_SH | LOCK_NB));
  RET(flock(b, LOCK_EX | LOCK_NB));
  RET(flock(a, LOCK_UN));
  RET(flock(b, LOCK_EX | LOCK_NB));
  int copy = dup(b);
  RET(close(b));
  RET(flock(a, LOCK_EX | LOCK_NB));
  RET(close(copy));
  RET(flock(a, LOCK_EX | LOCK_NB));
  RET(flock(a, 0));
  RET(flock(99, LOCK_EX));
  return done();
}

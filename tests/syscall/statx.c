// SPDX-License-Identifier: Apache-2.0
// statx(2): the mask, the fields, the errors.
#include "check.h"

int main(void) {
  scratch();
  struct statx x;
  put("f", "hello");
  memset(&x, 0xff, sizeof x);
  RET(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
  IS((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
  SAY("mode %o links %u size %llu", x.stx_mode, x.stx_nlink, (unsigned long long)x.stx_size);
  IS(x.stx_blksize > 0 && x.stx_ino != 0 && x.stx_uid == getuid());
  IS(x.stx_mtime.tv_nsec < 1000000000 && x.stx_mtime.tv_sec > 0);
  struct stat st;
  stat("f", &st);
  IS(st.st_ino == x.stx_ino && st.st_blocks == (long)x.stx_blocks);
  int fd = open("f", O_RDONLY);
  RET(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x));
  IS(x.stx_size == 5);
  symlink("f", "s");
  RET(statx(AT_FDCWD, "s", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
  SAY("type %o", x.stx_mode & S_IFMT);
  RET(statx(AT_FDCWD, "/dev/null", 0, STATX_TYPE, &x));
  SAY("rdev %u:%u", x.stx_rdev_major, x.stx_rdev_minor);
  RET(statx(AT_FDCWD, "none", 0, STATX_TYPE, &x));
  RET(statx(99, "f", 0, STATX_TYPE, &x));
  RET(statx(AT_FDCWD, "f", 0x10000000, STATX_TYPE, &x));
  RET(statx(AT_FDCWD, "f", 0, STATX__RESERVED, &x));
  RET(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_TYPE, NULL));
  RET(statx(fd, "", 0, STATX_TYPE, &x));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// statfs(2), fstatfs(2), sync(2), fsync(2), fdatasync(2), syncfs(2), sync_file_range(2), fadvise(2).
#include <sys/vfs.h>

#include "check.h"

int main(void) {
  scratch();
  struct statfs s;
  RET(statfs(".", &s));
  IS(s.f_bsize >= 512 && s.f_blocks > 0 && s.f_bfree <= s.f_blocks && s.f_namelen == 255);
  RET(statfs("/proc", &s));
  SAY("%lx", (long)s.f_type);
  RET(statfs("none", &s));
  RET(statfs(".", NULL));
  put("f", "content");
  int fd = open("f", O_RDWR);
  RET(fstatfs(fd, &s));
  RET(fstatfs(99, &s));
  RET(fsync(fd));
  RET(fdatasync(fd));
  RET(fsync(99));
  int p[2];
  pipe(p);
  RET(fsync(p[0]));
  sync();
  RET(syncfs(fd));
  RET(sync_file_range(fd, 0, 10, SYNC_FILE_RANGE_WRITE));
  RET(posix_fadvise(fd, 0, 10, POSIX_FADV_DONTNEED));
  RET(posix_fadvise(fd, 0, 10, 99));
  RET(posix_fadvise(p[0], 0, 10, POSIX_FADV_NORMAL));
  RET(readahead(fd, 0, 10));
  int d = open(".", O_RDONLY);
  RET(fsync(d));
  return done();
}

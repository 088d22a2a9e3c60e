// SPDX-License-Identifier: Apache-2.0
// stat(2), lstat(2), fstat(2), fstatat(2): types, sizes, links, times.
#include "check.h"

static void tell(const char* name, const struct stat* st) {
  SAY("%s: type %o mode %o links %ld size %ld", name, st->st_mode & S_IFMT, st->st_mode & 07777,
      S_ISDIR(st->st_mode) ? -1L : (long)st->st_nlink, S_ISDIR(st->st_mode) ? -1L : (long)st->st_size);
}

int main(void) {
  scratch();
  struct stat st, other;
  put("f", "four");
  chmod("f", 0640);
  RET(stat("f", &st));
  tell("f", &st);
  IS(st.st_blksize >= 512 && st.st_ino != 0);
  IS(st.st_uid == getuid() && st.st_gid == getgid());
  RET(link("f", "hard"));
  RET(stat("hard", &other));
  IS(st.st_ino == other.st_ino && st.st_dev == other.st_dev && other.st_nlink == 2);
  RET(symlink("f", "soft"));
  RET(lstat("soft", &other));
  tell("soft", &other);
  RET(stat("soft", &other));
  IS(other.st_ino == st.st_ino);
  RET(mkdir("d", 0700));
  RET(stat("d", &other));
  tell("d", &other);
  IS(other.st_nlink >= 2 || other.st_nlink == 1);
  RET(mkfifo("p", 0600));
  RET(stat("p", &other));
  tell("p", &other);
  RET(stat("/dev/null", &other));
  SAY("null: type %o device %lx", other.st_mode & S_IFMT, (unsigned long)other.st_rdev);
  RET(stat("/dev/zero", &other));
  SAY("zero: device %lx", (unsigned long)other.st_rdev);
  int fd = open("f", O_RDONLY);
  RET(fstat(fd, &other));
  IS(other.st_ino == st.st_ino);
  RET(fstatat(AT_FDCWD, "soft", &other, AT_SYMLINK_NOFOLLOW));
  IS(S_ISLNK(other.st_mode));
  RET(fstatat(fd, "", &other, AT_EMPTY_PATH));
  IS(other.st_ino == st.st_ino);
  RET(fstatat(fd, "", &other, 0));
  RET(fstatat(AT_FDCWD, "f", &other, 0x80000));
  int pipes[2];
  pipe(pipes);
  RET(fstat(pipes[0], &other));
  SAY("pipe: type %o", other.st_mode & S_IFMT);
  RET(stat("none", &other));
  RET(stat("f/x", &other));
  RET(stat("", &other));
  RET(fstat(99, &other));
  RET(syscall(SYS_stat, "f", NULL));
  RET(syscall(SYS_stat, NULL, &other));
  // A write moves the modification time, not the inode.
  pause_ms(20);
  int w = open("f", O_WRONLY);
  write(w, "changed", 7);
  stat("f", &other);
  IS(other.st_size == 7);
  IS(other.st_mtim.tv_sec > st.st_mtim.tv_sec ||
     (other.st_mtim.tv_sec == st.st_mtim.tv_sec && other.st_mtim.tv_nsec > st.st_mtim.tv_nsec));
  return done();
}

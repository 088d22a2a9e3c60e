// SPDX-License-Identifier: Apache-2.0
// openat(2): relative to a directory, O_PATH, O_TMPFILE.
#include <linux/openat2.h>

#include "check.h"

static int resolve(int directory, const char* path, unsigned long how_to) {
  struct open_how how = {.flags = O_RDONLY | O_CREAT, .mode = 0600, .resolve = how_to};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how) >= 0 ? 1 : -1;
}

// From the current directory, as from a descriptor's.
static void stay_below(void) {
  RET(resolve(AT_FDCWD, "../above", RESOLVE_BENEATH));
  RET(resolve(AT_FDCWD, "/proc/version", RESOLVE_BENEATH));
  RET(resolve(AT_FDCWD, "d/../below", RESOLVE_BENEATH));
  RET(resolve(AT_FDCWD, "/proc/version", RESOLVE_IN_ROOT));
  RET(resolve(AT_FDCWD, "../../../inside", RESOLVE_IN_ROOT));
  RET(access("inside", F_OK));
  RET(access("../inside", F_OK));
  RET(access("../above", F_OK));
}

int main(void) {
  scratch();
  mkdir("d", 0755);
  int d = open("d", O_RDONLY | O_DIRECTORY);
  int f = openat(d, "inner", O_RDWR | O_CREAT, 0644);
  RET(f);
  RET(access("d/inner", F_OK));
  stay_below();
  RET(openat(f, "x", O_RDONLY));
  RET(openat(99, "x", O_RDONLY));
  RET(openat(-1, "x", O_RDONLY));
  RET(openat(99, "/", O_RDONLY) >= 0);
  RET(openat(AT_FDCWD, "d/inner", O_RDONLY) >= 0);
  RET(openat(d, "", O_RDONLY));
  RET(openat(d, "..", O_RDONLY) >= 0);
  // O_PATH gives a place, not a way to read.
  char b[4];
  struct stat st;
  int p = open("d/inner", O_PATH);
  IS(p >= 0);
  RET(read(p, b, 1));
  RET(write(p, b, 1));
  RET(fstat(p, &st));
  RET(fchmod(p, 0600));
  RET(ftruncate(p, 0));
  RET(lseek(p, 0, SEEK_SET));
  RET(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, p, 0) != MAP_FAILED);
  RET(fcntl(p, F_GETFL) & O_PATH ? 1 : 0);
  int dp = open("d", O_PATH | O_DIRECTORY);
  RET(openat(dp, "inner", O_RDONLY) >= 0);
  RET(fchdir(dp));
  RET(access("inner", F_OK));
  RET(symlink("inner", "link"));
  int lp = open("link", O_PATH | O_NOFOLLOW);
  RET(fstat(lp, &st));
  IS(S_ISLNK(st.st_mode));
  RET(readlinkat(lp, "", b, 4));
  SAY("%.4s", b);
  // O_TMPFILE: a file without a name.
  int t = open(".", O_TMPFILE | O_RDWR, 0600);
  if (t < 0 && errno == EOPNOTSUPP) {
    SAY("no O_TMPFILE here");
  } else {
    IS(t >= 0);
    RET(write(t, "tmp", 3));
    RET(fstat(t, &st));
    SAY("links %ld size %ld", (long)st.st_nlink, (long)st.st_size);
  }
  RET(open(".", O_TMPFILE | O_RDONLY, 0600));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// open(2): creation, exclusion, truncation, directories, links, and errors.
#include "check.h"

int main(void) {
  scratch();
  RET(open("none", O_RDONLY));
  RET(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600));
  RET(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600));
  RET(write(3, "data", 4));
  RET(open("f", O_RDONLY | O_DIRECTORY));
  RET(mkdir("d", 0755));
  RET(open("d", O_WRONLY));
  RET(open("d", O_RDWR));
  RET(open("d", O_RDONLY | O_CREAT, 0644));
  RET(open("d", O_RDONLY | O_DIRECTORY));
  RET(open("f/x", O_RDONLY));
  RET(open("f/", O_RDONLY));
  RET(open("new/", O_WRONLY | O_CREAT, 0644));
  RET(open("none/x", O_WRONLY | O_CREAT, 0644));
  RET(open("", O_RDONLY));
  RET(open(NULL, O_RDONLY));
  RET(open((char*)1, O_RDONLY));
  RET(symlink("f", "s"));
  RET(open("s", O_RDONLY | O_NOFOLLOW));
  RET(open("s", O_RDONLY));
  RET(symlink("loop", "loop"));
  RET(open("loop", O_RDONLY));
  RET(symlink("made", "dangling"));
  RET(open("dangling", O_RDONLY));
  RET(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
  RET(open("dangling", O_WRONLY | O_CREAT, 0644));
  RET(access("made", F_OK));
  RET(open("f", O_RDWR | O_TRUNC));
  struct stat st;
  RET(stat("f", &st));
  SAY("size %ld mode %o", (long)st.st_size, st.st_mode);
  char name[300];
  memset(name, 'n', 255);
  name[255] = 0;
  RET(open(name, O_WRONLY | O_CREAT, 0644) >= 0);
  name[255] = 'n';
  name[256] = 0;
  RET(open(name, O_WRONLY | O_CREAT, 0644));
  static char path[5000];
  memset(path, '/', 4999);
  RET(open(path, O_RDONLY));
  RET(open("./././d/../d/.//", O_RDONLY) >= 0);
  RET(open("d/../../none/..", O_RDONLY));
  int fd = open("f", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);
  IS((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) == (O_RDWR | O_APPEND | O_NONBLOCK));
  RET(fcntl(fd, F_GETFD));
  RET(creat("c", 0640) >= 0);
  RET(stat("c", &st));
  SAY("mode %o", st.st_mode);
  umask(077);
  RET(creat("c2", 0666) >= 0);
  RET(stat("c2", &st));
  SAY("mode %o", st.st_mode);
  RET(open("f", O_WRONLY | O_RDWR) >= 0);
  return done();
}

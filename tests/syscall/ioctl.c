// SPDX-License-Identifier: Apache-2.0
// ioctl(2): the ones that every program tries: TCGETS on what is no terminal, FIONBIO, FIONREAD, FIOCLEX.
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "check.h"

int main(void) {
  scratch();
  put("f", "seven..");
  struct termios t;
  struct winsize w;
  int f = open("f", O_RDWR), n = -1, p[2], s[2], on = 1;
  pipe(p);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  RET(ioctl(f, TCGETS, &t));
  RET(isatty(f));
  RET(ioctl(p[0], TCGETS, &t));
  RET(ioctl(s[0], TIOCGWINSZ, &w));
  RET(ioctl(f, FIONREAD, &n));
  RET(n);
  RET(ioctl(p[0], FIONBIO, &on));
  IS((fcntl(p[0], F_GETFL) & O_NONBLOCK) != 0);
  char c;
  RET(read(p[0], &c, 1));
  on = 0;
  RET(ioctl(p[0], FIONBIO, &on));
  IS((fcntl(p[0], F_GETFL) & O_NONBLOCK) == 0);
  RET(ioctl(f, FIOCLEX));
  RET(fcntl(f, F_GETFD));
  RET(ioctl(f, FIONCLEX));
  RET(fcntl(f, F_GETFD));
  write(s[0], "abc", 3);
  RET(ioctl(s[1], FIONREAD, &n));
  RET(n);
  RET(ioctl(f, FIONREAD, NULL));
  RET(ioctl(99, TCGETS, &t));
  RET(ioctl(f, 0xdeadbeef, &t));
  int directory = open(".", O_RDONLY), other = open("other", O_RDWR | O_CREAT, 0644);
  RET(ioctl(other, FICLONE, f));
  RET(ioctl(other, FICLONE, 99));
  RET(ioctl(other, FICLONE, directory));
  RET(ioctl(other, FICLONERANGE, NULL));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// ioctl_tty(2): the older struct termio, TCGETA and TCSETA.
// run: guest
#include "pty.h"

static void tell(int fd) {
  struct termio t;
  memset(&t, 0xee, sizeof t);
  RET(ioctl(fd, TCGETA, &t));
  SAY("%x %x %x %x %d", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag, t.c_line);
  for (int i = 0; i < NCC; ++i)
    printf("%d ", t.c_cc[i]);
  SAY("%s", "");
}

int main(void) {
  int fd;
  open_pty(&fd);
  tell(fd);
  struct termios whole;
  tcgetattr(fd, &whole);
  whole.c_cc[VWERASE] = 77;
  whole.c_cflag |= CRTSCTS;
  RET(tcsetattr(fd, TCSANOW, &whole));
  struct termio old;
  ioctl(fd, TCGETA, &old);
  old.c_lflag &= (unsigned short)~(ICANON | ECHO);
  old.c_cc[VINTR] = 9;
  RET(ioctl(fd, TCSETA, &old));
  tell(fd);
  old.c_iflag = 0;
  RET(ioctl(fd, TCSETAW, &old));
  old.c_oflag = 0;
  RET(ioctl(fd, TCSETAF, &old));
  tell(fd);
  tcgetattr(fd, &whole);
  SAY("%d %d %x", whole.c_cc[VWERASE], whole.c_cc[VINTR], whole.c_cflag & CRTSCTS);
  RET(ioctl(fd, TCGETA, NULL));
  RET(ioctl(fd, TCSETA, (void*)8));
  int pipes[2];
  pipe(pipes);
  RET(ioctl(pipes[0], TCGETA, &old));
  return done();
}

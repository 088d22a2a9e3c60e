// SPDX-License-Identifier: Apache-2.0
// pty(7): making one, locks, names, window size, packet mode, polling, the end of either side.
#include <sys/epoll.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "pty.h"

static unsigned polled(int fd, short events) {
  struct pollfd p = {fd, events, 0};
  poll(&p, 1, 0);
  return (unsigned)p.revents;
}
static void await(int fd, short events) {
  struct pollfd p = {fd, events, 0};
  poll(&p, 1, 10000);
}

static void names(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  int number = -1, one = 1, zero = 0, value = -1;
  OK(ioctl(master, TIOCGPTN, &number));
  char path[32];
  snprintf(path, sizeof path, "/dev/pts/%d", number);
  RET(open(path, O_RDWR | O_NOCTTY));
  RET(ioctl(master, TIOCGPTLCK, &value));
  RET(value);
  RET(ioctl(master, TIOCSPTLCK, &zero));
  RET(ioctl(master, TIOCGPTLCK, &value));
  RET(value);
  int terminal = open(path, O_RDWR | O_NOCTTY);
  IS(terminal >= 0);
  struct stat s, t;
  OK(fstat(terminal, &s));
  OK(stat(path, &t));
  IS(S_ISCHR(s.st_mode));
  IS(major(s.st_rdev) == 136 && minor(s.st_rdev) == (unsigned)number);
  IS(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
  IS(s.st_uid == geteuid());
  char name[64] = "";
  RET(ttyname_r(terminal, name, sizeof name));
  IS(strcmp(name, path) == 0);
  struct statfs fs;
  OK(statfs("/dev/pts", &fs));
  IS(fs.f_type == 0x1cd1);
  RET(isatty(master));
  RET(isatty(terminal));
  RET(ioctl(terminal, TIOCGPTN, &value));
  RET(ioctl(terminal, TIOCSPTLCK, &one));
  OK(fchmod(terminal, 0600));
  OK(stat(path, &t));
  RET(t.st_mode & 07777);
  RET(lseek(terminal, 0, SEEK_CUR));
  RET(fcntl(terminal, F_GETFL) & ~O_LARGEFILE);
  RET(ioctl(terminal, 0x54ff, 0));
  RET(ioctl(master, TIOCGPGRP, NULL));
  RET(ioctl(terminal, TIOCGPGRP, &value));
  RET(ioctl(terminal, TIOCGSID, &value));
  RET(ioctl(master, TIOCGSID, &value));
  RET(ioctl(master, TIOCGPGRP, &value));
  RET(value);
  RET(ioctl(terminal, TIOCGETD, &value));
  RET(value);
  close(terminal);
  close(master);
  RET(open(path, O_RDWR | O_NOCTTY));
}

static void sizes(void) {
  int terminal, master = open_pty(&terminal);
  struct winsize size = {1, 1, 1, 1};
  RET(ioctl(terminal, TIOCGWINSZ, &size));
  SAY("%d %d %d %d", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
  size = (struct winsize){30, 100, 7, 8};
  RET(ioctl(master, TIOCSWINSZ, &size));
  memset(&size, 0, sizeof size);
  RET(ioctl(terminal, TIOCGWINSZ, &size));
  SAY("%d %d %d %d", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel);
  RET(ioctl(terminal, TIOCSWINSZ, NULL));
  struct termios t;
  RET(tcgetattr(terminal, &t));
  SAY("%x %x %x %x", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
  SAY("speeds %o %o", cfgetispeed(&t), cfgetospeed(&t));
  cfsetspeed(&t, B115200);
  t.c_cflag |= PARENB;
  RET(tcsetattr(terminal, TCSADRAIN, &t));
  RET(tcgetattr(master, &t));
  SAY("%x %o", t.c_cflag, cfgetospeed(&t));
  RET(ioctl(terminal, TCGETS, NULL));
  RET(ioctl(terminal, TCSETS, NULL));
  RET(tcflush(terminal, 7));
  RET(tcflush(terminal, TCIFLUSH));
  RET(tcsendbreak(terminal, 0));
  RET(tcdrain(terminal));
  RET(tcflow(terminal, 9));
  close(terminal);
  close(master);
}

static void data(void) {
  int terminal, master = open_pty(&terminal), count = -1;
  type(master, "one\n");
  expect("echo", master, 5);
  RET(polled(terminal, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
  RET(ioctl(terminal, FIONREAD, &count));
  RET(count);
  take("line", terminal, 100);
  RET(polled(terminal, POLLIN | POLLOUT) == POLLOUT);
  RET(write(terminal, "a\nb\tc", 5));
  expect("output", master, 6);
  fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  take("nothing", master, 10);
  fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  take("nothing", terminal, 10);
  // How much fits is each kernel's own business, but it ends.
  char zeros[4096];
  memset(zeros, 'x', sizeof zeros);
  long sent = 0, got;
  while ((got = write(terminal, zeros, sizeof zeros)) > 0)
    sent += got;
  IS(got == -1 && errno == EAGAIN);
  IS(sent > 4000 && sent < 200000);
  IS((polled(terminal, POLLOUT) & POLLOUT) == 0);
  long back = 0;
  while (back < sent) {
    await(master, POLLIN);
    got = read(master, zeros, sizeof zeros);
    if (got <= 0) break;
    back += got;
  }
  IS(back == sent);
  await(terminal, POLLOUT);
  IS(polled(terminal, POLLOUT) == POLLOUT);
  close(terminal);
  await(master, POLLIN);
  RET(polled(master, POLLIN | POLLOUT) == (POLLHUP | POLLOUT));
  take("after the terminal's end", master, 10);
  close(master);
}

static void packets(void) {
  int terminal, master = open_pty(&terminal), one = 1, value = 0;
  RET(ioctl(master, TIOCPKT, &one));
  RET(ioctl(master, TIOCGPKT, &value));
  RET(value);
  write(terminal, "hello", 5);
  await(master, POLLIN);
  take("packet", master, 100);
  RET(tcflush(terminal, TCIFLUSH));
  await(master, POLLPRI);
  RET((polled(master, POLLPRI | POLLIN) & POLLPRI) != 0);
  take("status", master, 100);
  set_modes(terminal, IXON, 0, 0, 0);
  await(master, POLLPRI);
  take("status", master, 100);
  set_modes(terminal, 0, IXON, 0, 0);
  await(master, POLLPRI);
  take("status", master, 100);
  RET(tcflow(terminal, TCOOFF));
  await(master, POLLPRI);
  take("status", master, 100);
  RET(tcflow(terminal, TCOON));
  await(master, POLLPRI);
  take("status", master, 100);
  close(terminal);
  close(master);
}

static void ends(void) {
  int terminal, master = open_pty(&terminal), value;
  int epoll = epoll_create1(0);
  struct epoll_event event = {EPOLLIN, {.fd = terminal}}, seen = {0, {0}};
  OK(epoll_ctl(epoll, EPOLL_CTL_ADD, terminal, &event));
  close(master);
  RET(epoll_wait(epoll, &seen, 1, 10000));
  IS((seen.events & EPOLLHUP) != 0);
  take("after the master's end", terminal, 10);
  RET(write(terminal, "x", 1));
  RET(ioctl(terminal, FIONREAD, &value));
  RET(ioctl(terminal, TIOCSPGRP, &value));
  IS(polled(terminal, POLLIN | POLLOUT) == (POLLIN | POLLOUT | POLLERR | POLLHUP));
  close(terminal);
}

static void exclusive(void) {
  int terminal, master = open_pty(&terminal), value = -1;
  RET(ioctl(terminal, TIOCEXCL));
  RET(ioctl(terminal, TIOCGEXCL, &value));
  RET(value);
  RET(ioctl(terminal, TIOCNXCL));
  RET(ioctl(terminal, TIOCGEXCL, &value));
  RET(value);
  close(terminal);
  // Opened again, it is as if it had never been closed.
  terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  type(master, "x\n");
  take("line", terminal, 10);
  close(terminal);
  close(master);
}

int main(void) {
  names();
  sizes();
  data();
  packets();
  ends();
  exclusive();
  return done();
}

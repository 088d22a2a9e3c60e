// SPDX-License-Identifier: Apache-2.0
// What the tests of terminals share. Linux moves bytes between a pty's sides in the background, so these wait for what
// must come, and never look whether something is there already.
#pragma once
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "check.h"

// A new pty; gives the master, and the terminal through `terminal`.
static inline int open_pty(int* terminal) {
  int master = posix_openpt(O_RDWR | O_NOCTTY), unlock = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock)) {
    SAY("no pty: %s", error_name(errno));
    exit(1);
  }
  *terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  return master;
}

// Prints bytes with everything that is not plain as \ooo.
static inline void show_bytes(const char* what, const char* bytes, long count) {
  printf("%s %ld: ", what, count);
  for (long i = 0; i < count; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c >= ' ' && c < 127 && c != '\\')
      putchar(c);
    else
      printf("\\%03o", c);
  }
  putchar('\n');
  fflush(stdout);
}

// Reads until `count` bytes have come, for at most 10 seconds.
static inline void expect(const char* what, int fd, long count) {
  char bytes[8192];
  long have = 0;
  while (have < count) {
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, 10000) <= 0) break;
    long got = read(fd, bytes + have, (size_t)(count - have));
    if (got <= 0) break;
    have += got;
  }
  show_bytes(what, bytes, have);
}

// One read.
static inline void take(const char* what, int fd, size_t size) {
  char bytes[8192];
  errno = 0;
  long got = read(fd, bytes, size);
  if (got < 0)
    SAY("%s: %s", what, error_name(errno));
  else
    show_bytes(what, bytes, got);
}

static inline void type(int master, const char* text) {
  if (write(master, text, strlen(text)) != (long)strlen(text)) SAY("short write");
}

static inline void set_modes(int fd, unsigned input_off, unsigned input_on, unsigned local_off, unsigned local_on) {
  struct termios t;
  tcgetattr(fd, &t);
  t.c_iflag = (t.c_iflag & ~input_off) | input_on;
  t.c_lflag = (t.c_lflag & ~local_off) | local_on;
  if (tcsetattr(fd, TCSANOW, &t)) SAY("tcsetattr: %s", error_name(errno));
}

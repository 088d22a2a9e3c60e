// SPDX-License-Identifier: Apache-2.0
// pipe2(2) with O_DIRECT: packets. fcntl(2): F_SETPIPE_SZ, F_GETPIPE_SZ.
#include <poll.h>
#include <sys/ioctl.h>

#include "check.h"

static char big[10000];

int main(void) {
  int ends[2];
  char buffer[5000];
  RET(pipe2(ends, O_DIRECT | O_NONBLOCK));
  RET((fcntl(ends[0], F_GETFL) & O_DIRECT) != 0);
  RET(write(ends[1], "one", 3));
  RET(write(ends[1], "second", 6));
  RET(write(ends[1], "", 0));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(read(ends[0], buffer, 3));
  RET(read(ends[0], buffer, sizeof buffer));
  // A long write is cut into packets of 4096.
  RET(write(ends[1], big, 9000));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(read(ends[0], buffer, 100));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(read(ends[0], buffer, sizeof buffer));
  // Each packet takes a page of the size.
  int written = 0;
  while (write(ends[1], "x", 1) == 1)
    ++written;
  SAY("%d packets, then %s", written, error_name(errno));
  struct pollfd poll_out = {ends[1], POLLOUT, 0};
  RET(poll(&poll_out, 1, 0));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(poll(&poll_out, 1, 0));
  // Without the flag it is a stream again; with it, packets.
  while (read(ends[0], buffer, sizeof buffer) > 0) {
  }
  RET(fcntl(ends[1], F_SETFL, O_NONBLOCK));
  RET(write(ends[1], "ab", 2));
  RET(write(ends[1], "cd", 2));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(fcntl(ends[1], F_SETFL, O_NONBLOCK | O_DIRECT));
  RET(write(ends[1], "ab", 2));
  RET(write(ends[1], "cd", 2));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(read(ends[0], buffer, sizeof buffer));

  RET(fcntl(ends[0], F_GETPIPE_SZ));
  RET(fcntl(ends[0], F_SETPIPE_SZ, 5000));
  RET(fcntl(ends[1], F_GETPIPE_SZ));
  RET(fcntl(ends[0], F_SETPIPE_SZ, 0));
  RET(fcntl(ends[0], F_SETPIPE_SZ, 8192));
  RET(fcntl(ends[1], F_SETFL, O_NONBLOCK));
  RET(write(ends[1], big, sizeof big));
  int waiting = 0;
  RET(ioctl(ends[0], FIONREAD, &waiting));
  RET(waiting);
  RET(fcntl(ends[0], F_SETPIPE_SZ, 4096));
  RET(fcntl(ends[0], F_SETPIPE_SZ, 0x80000001u));
  RET(fcntl(ends[0], F_SETPIPE_SZ, 65536));
  RET(read(ends[0], buffer, sizeof buffer));
  RET(fcntl(open("/dev/null", O_RDONLY), F_GETPIPE_SZ));
  RET(fcntl(open("/dev/null", O_RDONLY), F_SETFL, O_DIRECT));
  RET(pipe2(ends, O_DIRECT | O_APPEND));
  return done();
}

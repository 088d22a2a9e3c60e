// SPDX-License-Identifier: Apache-2.0
// pipe2(2), pipe(7): end-of-file, EPIPE and SIGPIPE, non-blocking ends, sizes, atomic writes.
#include <poll.h>
#include <sys/ioctl.h>

#include "check.h"

static volatile int pipe_signals;
static void on_pipe(int s) {
  pipe_signals += s == SIGPIPE;
}
static int p[2];

static void* late_writer(void* unused) {
  pause_ms(50);
  write(p[1], "late", 4);
  pause_ms(50);
  close(p[1]);
  return unused;
}

static void* block_writer(void* letter) {
  char block[4096];
  memset(block, (int)(long)letter, sizeof block);
  for (int i = 0; i < 20; i++)
    write(p[1], block, sizeof block);
  return NULL;
}

int main(void) {
  char b[65536] = {0};
  RET(pipe2(p, 0));
  SAY("%d %d", p[0], p[1]);
  RET(write(p[1], "abc", 3));
  int n = 0;
  RET(ioctl(p[0], FIONREAD, &n));
  RET(n);
  RET(read(p[0], b, 2));
  RET(read(p[0], b, 10));
  RET(read(p[1], b, 1));
  RET(write(p[0], b, 1));
  pthread_t t = start(late_writer, NULL);
  RET(read(p[0], b, 10));
  RET(read(p[0], b, 10));
  join(t);
  RET(read(p[0], b, 10));
  RET(close(p[0]));

  RET(pipe2(p, O_NONBLOCK | O_CLOEXEC));
  IS((fcntl(p[0], F_GETFL) & O_NONBLOCK) && (fcntl(p[1], F_GETFL) & O_NONBLOCK));
  RET(fcntl(p[0], F_GETFD));
  RET(read(p[0], b, 1));
  RET(fcntl(p[1], F_GETPIPE_SZ));
  RET(write(p[1], b, 65536));
  RET(write(p[1], b, 1));
  RET(read(p[0], b, 4096));
  RET(write(p[1], b, 4096));
  RET(read(p[0], b, 65536));
  // A write that fills what is left, and no more, is not atomic above PIPE_BUF.
  RET(write(p[1], b, 60000));
  RET(write(p[1], b, 4096));
  RET(close(p[1]));
  long total = 0;
  for (long got; (got = read(p[0], b, 10000)) > 0;)
    total += got;
  IS(total == 60000 || total == 64096);
  RET(read(p[0], b, 1));
  RET(close(p[0]));

  signal(SIGPIPE, on_pipe);
  RET(pipe(p));
  RET(close(p[0]));
  RET(write(p[1], "x", 1));
  RET(pipe_signals);
  signal(SIGPIPE, SIG_IGN);
  RET(write(p[1], "x", 1));
  RET(write(p[1], "x", 0));
  struct pollfd f = {p[1], POLLOUT, 0};
  RET(poll(&f, 1, 0));
  IS((f.revents & POLLERR) != 0);
  RET(close(p[1]));

  // Blocks of PIPE_BUF bytes stay whole.
  RET(pipe(p));
  pthread_t w1 = start(block_writer, (void*)'a'), w2 = start(block_writer, (void*)'b');
  int mixed = 0;
  for (int i = 0; i < 40; i++) {
    long have = 0;
    while (have < 4096)
      have += read(p[0], b + have, (size_t)(4096 - have));
    for (int j = 1; j < 4096; j++)
      mixed += b[j] != b[0];
  }
  join(w1);
  join(w2);
  RET(mixed);
  RET(fcntl(p[1], F_SETPIPE_SZ, 8192));
  RET(fcntl(p[1], F_GETPIPE_SZ));
  RET(pipe2(p, 0x1));
  RET(pipe(NULL));
  return done();
}

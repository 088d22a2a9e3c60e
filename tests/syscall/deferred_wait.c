// SPDX-License-Identifier: Apache-2.0
// A call that sends a signal to another on its way, and then waits, is not cut short by that: a long write to a pipe
// whose reader has O_ASYNC, an open that waits for a lease. run: processes=fork
#include <sys/ioctl.h>
#include <sys/wait.h>
#include "check.h"

static volatile sig_atomic_t signals;
static void on_signal(int number) {
  (void)number;
  ++signals;
}

// The reader's process has the signals; the writer writes four times what the pipe holds.
static void long_write(void) {
  int ends[2];
  if (pipe(ends) != 0) return;
  signal(SIGIO, on_signal);
  fcntl(ends[0], F_SETOWN, getpid());
  fcntl(ends[0], F_SETFL, O_ASYNC);
  const pid_t child = fork();
  if (child == 0) {
    static char bytes[4 * 65536];
    close(ends[0]);
    _exit(write(ends[1], bytes, sizeof bytes) == (ssize_t)sizeof bytes ? 0 : 1);
  }
  close(ends[1]);
  char part[10000];
  ssize_t got, all = 0;
  while ((got = read(ends[0], part, sizeof part)) != 0) {
    if (got > 0) all += got;
    usleep(1000);
  }
  int status = -1;
  waitpid(child, &status, 0);
  SAY("read %zd, writer's status %d", all, WEXITSTATUS(status));
  IS(signals > 0);
  close(ends[0]);
}

// While an open for writing waits, the file counts as open for writing: the lease cannot become one for reading.
static void waiting_open(void) {
  put("f", "x");
  sigset_t io;
  sigemptyset(&io);
  sigaddset(&io, SIGIO);
  sigprocmask(SIG_BLOCK, &io, NULL);
  int refused = 0;
  for (int turn = 0; turn < 100; ++turn) {
    const int fd = open("f", O_RDONLY);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
      SAY("turn %d: %s", turn, error_name(errno));
      break;
    }
    const pid_t child = fork();
    if (child == 0) {
      close(fd);
      _exit(turn % 2 ? truncate("f", 0) != 0 : open("f", O_RDWR) < 0);
    }
    sigwaitinfo(&io, NULL);
    refused += fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    waitpid(child, NULL, 0);
    close(fd);
  }
  SAY("refused %d times", refused);
}

int main(void) {
  scratch();
  long_write();
  waiting_open();
  return 0;
}

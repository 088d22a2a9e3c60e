// SPDX-License-Identifier: Apache-2.0
// File leases (fcntl(2), F_SETLEASE): who may have one, what breaks it, the signal, and the one who waits.
// run: processes=fork
#include <sys/wait.h>
#include "check.h"

static volatile sig_atomic_t told, told_fd;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)context;
  told = number;
  told_fd = info->si_fd;
}

static const char* held(int fd) {
  int type = fcntl(fd, F_GETLEASE);
  return type == F_RDLCK ? "read" : type == F_WRLCK ? "write" : type == F_UNLCK ? "none" : error_name(errno);
}

static void open_refused(const char* name, int flags) {
  told = 0;
  errno = 0;
  int fd = open(name, flags | O_NONBLOCK);
  SAY("open with %d: %s, signal %s", flags, fd >= 0 ? "open" : error_name(errno), told ? "came" : "did not come");
  if (fd >= 0) close(fd);
}

// A child truncates or opens; the holder gives way.
static void wait_for_holder(int fd, int operation) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGIO);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pid_t child = fork();
  if (child == 0) {
    if (operation == 0) _exit(truncate("f", 1) ? 1 : 0);
    _exit(open("f", operation == 1 ? O_RDONLY : O_WRONLY) < 0 ? 1 : 0);
  }
  struct timespec most = {20, 0};
  IS(sigtimedwait(&set, NULL, &most) == SIGIO);
  SAY("asked to go down to %s", held(fd));
  IS(waitpid(child, NULL, WNOHANG) == 0);
  if (operation == 1) RET(fcntl(fd, F_SETLEASE, F_RDLCK));
  if (operation != 1) RET(fcntl(fd, F_SETLEASE, F_UNLCK));
  int status = -1;
  waitpid(child, &status, 0);
  SAY("child's status %d, now %s", status, held(fd));
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(void) {
  scratch();
  put("f", "some content");
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGIO, &action, NULL);
  sigaction(SIGRTMIN + 1, &action, NULL);
  int r = open("f", O_RDONLY);
  SAY("%s", held(r));
  RET(fcntl(r, F_SETLEASE, F_UNLCK));
  RET(fcntl(r, F_SETLEASE, 77));
  RET(fcntl(r, F_SETLEASE, F_RDLCK));
  SAY("%s", held(r));
  // Other readers are no harm to a read lease, but to a write lease.
  int other = open("f", O_RDONLY);
  RET(fcntl(r, F_SETLEASE, F_WRLCK));
  RET(fcntl(other, F_SETLEASE, F_RDLCK));
  RET(fcntl(other, F_SETLEASE, F_UNLCK));
  RET(close(other));
  RET(fcntl(r, F_SETLEASE, F_WRLCK));
  SAY("%s", held(r));
  RET(fcntl(r, F_SETLEASE, F_UNLCK));
  // A file that is written has no read lease.
  int w = open("f", O_RDWR);
  RET(fcntl(r, F_SETLEASE, F_RDLCK));
  RET(fcntl(w, F_SETLEASE, F_RDLCK));
  RET(fcntl(w, F_SETLEASE, F_WRLCK));
  RET(close(r));
  RET(fcntl(w, F_SETLEASE, F_WRLCK));
  RET(close(w));
  int directory = open(".", O_RDONLY);
  RET(fcntl(directory, F_SETLEASE, F_RDLCK));
  RET(close(directory));
  // Breaking, without waiting for it.
  r = open("f", O_RDONLY);
  RET(fcntl(r, F_SETLEASE, F_RDLCK));
  open_refused("f", O_RDONLY);
  open_refused("f", O_WRONLY);
  SAY("%s", held(r));
  open_refused("f", O_WRONLY);  // asked only once
  RET(fcntl(r, F_SETLEASE, F_UNLCK));
  open_refused("f", O_WRONLY);
  RET(fcntl(r, F_SETSIG, SIGRTMIN + 1));
  RET(fcntl(r, F_SETLEASE, F_WRLCK));
  open_refused("f", O_RDONLY);
  IS(told == SIGRTMIN + 1 && told_fd == r);
  SAY("%s", held(r));
  RET(fcntl(r, F_SETLEASE, F_RDLCK));
  open_refused("f", O_RDONLY);
  RET(fcntl(r, F_SETSIG, 0));
  RET(fcntl(r, F_SETLEASE, F_UNLCK));
  RET(fcntl(r, F_SETLEASE, F_WRLCK));
  wait_for_holder(r, 1);
  RET(fcntl(r, F_SETLEASE, F_WRLCK));
  wait_for_holder(r, 2);
  RET(fcntl(r, F_SETLEASE, F_RDLCK));
  wait_for_holder(r, 0);
  RET(close(r));
  show("/proc/sys/fs/lease-break-time");
  return done();
}

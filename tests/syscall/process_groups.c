// SPDX-License-Identifier: Apache-2.0
// setpgid(2), setsid(2), kill(2) of groups, orphaned groups, killing by pidfd.
// run: processes=exec
#include <poll.h>
#include <sys/wait.h>

#include "check.h"

static int ready[2];

static void sleeps(void) {
  write(ready[1], "r", 1);
  for (;;)
    pause();
}
static pid_t child(void (*body)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(0);
  }
  return pid;
}
static int ended(pid_t pid) {
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
static void session(void) {
  RET(setsid() == getpid());
  RET(getsid(0) == getpid() && getpgrp() == getpid());
  RET(setsid());
  RET(setpgid(0, 0));
  RET(setpgid(0, 1));
}
static void execs(void) {
  execl("/proc/self/exe", "x", "pause", NULL);
}
static void on_hup(int s) {
  char c = s == SIGHUP ? 'h' : '?';
  write(ready[1], &c, 1);
}
// Its child stops; when this one ends, the group is orphaned: HUP, then CONT.
static void orphans(void) {
  setpgid(0, 0);
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    signal(SIGHUP, on_hup);
    write(ready[1], "r", 1);
    raise(SIGSTOP);
    write(ready[1], "c", 1);
    _exit(0);
  }
  char c;
  read(ready[0], &c, 1);
  int status;
  waitpid(pid, &status, WUNTRACED);
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) {
    pause();
    return 0;
  }
  char c;
  pipe(ready);
  RET(ended(child(session)));
  pid_t a = child(sleeps), b = child(sleeps);
  read(ready[0], &c, 1);
  read(ready[0], &c, 1);
  RET(setpgid(a, a));
  RET(setpgid(b, a));
  IS(getpgid(b) == a);
  RET(setpgid(b, 32767));
  RET(setpgid(a, -1));
  RET(setpgid(32767, 0));
  RET(kill(-a, 0));
  RET(kill(-a, SIGUSR1));
  RET(ended(a));
  RET(kill(-a, SIGUSR1));
  RET(ended(b));
  RET(kill(-a, 0));
  RET(kill(32767, 0));

  // A child that has executed is out of reach.
  a = child(execs);
  while (setpgid(a, a) == 0)
    usleep(1000);
  RET(setpgid(a, a));
  kill(a, SIGKILL);
  RET(ended(a));

  a = child(orphans);
  RET(ended(a));
  RET(read(ready[0], &c, 1));
  SAY("%c", c);
  RET(read(ready[0], &c, 1));
  SAY("%c", c);

  a = child(sleeps);
  read(ready[0], &c, 1);
  int fd = (int)syscall(SYS_pidfd_open, a, 0);
  IS(fd >= 0);
  struct pollfd p = {fd, POLLIN, 0};
  RET(poll(&p, 1, 0));
  RET(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
  RET(poll(&p, 1, 5000));
  RET(p.revents);
  siginfo_t info = {0};
  RET(waitid((idtype_t)3, (id_t)fd, &info, WEXITED));
  SAY("%d %d", info.si_code, info.si_status);
  RET(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
  RET(syscall(SYS_pidfd_open, 32767, 0));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// fork(2), vfork(2), wait4(2), waitid(2): copies of memory, statuses, usage, errors, orphans and who adopts them.
// run: processes=fork
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "check.h"

static int global = 1;

static void shown(const char* what, int status) {
  if (WIFEXITED(status))
    SAY("%s: exited %d", what, WEXITSTATUS(status));
  else if (WIFSIGNALED(status))
    SAY("%s: killed by %d", what, WTERMSIG(status));
  else if (WIFSTOPPED(status))
    SAY("%s: stopped by %d", what, WSTOPSIG(status));
  else if (WIFCONTINUED(status))
    SAY("%s: continued", what);
  else
    SAY("%s: %x", what, status);
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

static void exits(void) {
  global = 2;
  _exit(7);
}
static void dies(void) {
  kill(getpid(), SIGTERM);
}
static void sleeps(void) {
  for (;;)
    pause();
}

static int shared_pipe[2];
static void says(void) {
  write(shared_pipe[1], "x", 1);
}
static void grandchild(void) {
  pid_t parent = getpid();
  if (fork() == 0) {
    while (getppid() == parent)
      usleep(1000);
    char c = (char)('0' + (getppid() != parent));
    write(shared_pipe[1], &c, 1);
    _exit(0);
  }
}
static void subreaper(void) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (fork() == 0) {
    if (fork() == 0) {
      pause_ms(50);
      _exit(9);
    }
    _exit(8);
  }
  int codes = 0, status;
  while (wait(&status) > 0)
    codes += WEXITSTATUS(status);
  _exit(codes);
}
static void with_death_signal(void) {
  pid_t parent = getpid();
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    write(shared_pipe[1], "r", 1);
    int number = 0;
    sigwait(&set, &number);
    char c = number == SIGUSR1 && getppid() != parent ? 'y' : 'n';
    write(shared_pipe[1], &c, 1);
    _exit(0);
  }
  char c;
  read(shared_pipe[0], &c, 1);
}

int main(void) {
  int status = -1;
  char c = 0;
  RET(waitpid(-1, &status, 0));
  RET(waitpid(-1, &status, 0x40));
  pid_t pid = child(exits);
  IS(pid > 0);
  IS(waitpid(pid, &status, 0) == pid);
  shown("exits", status);
  RET(global);
  RET(waitpid(pid, &status, 0));
  pid = child(dies);
  IS(waitpid(pid, &status, 0) == pid);
  shown("dies", status);
  pid = child(sleeps);
  RET(waitpid(pid, &status, WNOHANG));
  RET(waitpid(pid + 10000, &status, WNOHANG));
  kill(pid, SIGSTOP);
  IS(waitpid(pid, &status, WUNTRACED) == pid);
  shown("stopped", status);
  RET(waitpid(pid, &status, WUNTRACED | WNOHANG));
  kill(pid, SIGCONT);
  IS(waitpid(pid, &status, WCONTINUED) == pid);
  shown("continued", status);
  kill(pid, SIGKILL);
  siginfo_t info;
  memset(&info, 0, sizeof info);
  RET(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  SAY("code %d status %d signal %d mine %d", info.si_code, info.si_status, info.si_signo, info.si_pid == pid);
  struct rusage usage;
  IS(wait4(pid, &status, 0, &usage) == pid);
  shown("killed", status);
  RET(waitid(P_ALL, 0, &info, WEXITED));
  RET(waitid(P_ALL, 0, &info, 0));
  RET(waitid(P_PID, 0, &info, WEXITED));

  // A child that ends before it is waited for; and one that is ignored.
  signal(SIGCHLD, SIG_IGN);
  pipe(shared_pipe);
  pid = child(says);
  RET(read(shared_pipe[0], &c, 1));
  RET(waitpid(pid, &status, 0));
  signal(SIGCHLD, SIG_DFL);

  pid = child(grandchild);
  IS(waitpid(pid, &status, 0) == pid);
  RET(read(shared_pipe[0], &c, 1));
  RET(c);
  pid = child(subreaper);
  IS(waitpid(pid, &status, 0) == pid);
  shown("subreaper", status);
  pid = child(with_death_signal);
  IS(waitpid(pid, &status, 0) == pid);
  RET(read(shared_pipe[0], &c, 1));
  RET(c);

  // The parent of a vfork goes on when the child has left its memory.
  volatile int order = 0;
  pid = vfork();
  if (pid == 0) {
    order = order * 10 + 1;
    _exit(3);
  }
  order = order * 10 + 2;
  IS(waitpid(pid, &status, 0) == pid);
  shown("vfork", status);
  RET(order);
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// PTRACE_ATTACH, SEIZE, INTERRUPT, LISTEN, DETACH: stops of a running child, group stops as its tracer sees them, what
// becomes of it when the tracer ends.
// run: processes=fork
#include "check.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int status;

static void wait_for(pid_t child) {
  if (waitpid(child, &status, __WALL) != child) SAY("waitpid: %s", error_name(errno));
  if (WIFEXITED(status))
    SAY("exited %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status))
    SAY("killed by %d", WTERMSIG(status));
  else if (WIFCONTINUED(status))
    SAY("continued");
  else
    SAY("stopped by %d, event %d", WSTOPSIG(status), status >> 16);
}

static pid_t sleeper(void) {
  int ready[2];
  char byte;
  pipe(ready);
  pid_t child = fork();
  if (child == 0) {
    write(ready[1], "x", 1);
    for (;;)
      pause();
  }
  read(ready[0], &byte, 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

static char state_of(pid_t pid) {
  char path[64], text[2048] = "";
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = open(path, O_RDONLY);
  read(fd, text, sizeof text - 1);
  close(fd);
  char* at = strstr(text, "State:\t");
  return at ? at[7] : '?';
}

static pid_t tracer_of(pid_t pid) {
  char path[64], text[2048] = "";
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = open(path, O_RDONLY);
  read(fd, text, sizeof text - 1);
  close(fd);
  char* at = strstr(text, "TracerPid:\t");
  return at ? atoi(at + 11) : -1;
}

static void attach(void) {
  SAY("attach");
  pid_t child = sleeper();
  RET(ptrace(PTRACE_ATTACH, child, 0, 0));
  RET(ptrace(PTRACE_ATTACH, child, 0, 0));
  wait_for(child);
  SAY("state %c", state_of(child));
  IS(tracer_of(child) == getpid());
  siginfo_t info = {0};
  RET(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
  SAY("signal %d", info.si_signo);
  RET(ptrace(PTRACE_INTERRUPT, child, 0, 0));
  // A signal that is ignored by default is shown too, and can be swallowed.
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  kill(child, SIGWINCH);
  wait_for(child);
  ptrace(PTRACE_CONT, child, 0, 0);
  kill(child, SIGTERM);
  wait_for(child);
  ptrace(PTRACE_CONT, child, 0, 0);
  // The stop of the process, which a tracer that only attached sees without siginfo.
  kill(child, SIGTSTP);
  wait_for(child);
  RET(ptrace(PTRACE_CONT, child, 0, SIGSTOP));
  wait_for(child);
  RET(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
  // Let go it stays stopped.
  RET(ptrace(PTRACE_DETACH, child, 0, 0));
  pause_ms(50);
  SAY("state %c", state_of(child));
  IS(tracer_of(child) == 0);
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  kill(child, SIGKILL);
  wait_for(child);
}

// A process that is stopped already is a stopped tracee at once; SIGCONT takes the SIGSTOP of the attaching away.
static void attach_stopped(void) {
  SAY("attach to what is stopped");
  pid_t child = sleeper();
  kill(child, SIGSTOP);
  waitpid(child, &status, WUNTRACED);
  RET(ptrace(PTRACE_ATTACH, child, 0, 0));
  RET(ptrace(PTRACE_DETACH, child, 0, 0));
  kill(child, SIGCONT);
  pause_ms(100);
  SAY("state %c", state_of(child));
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

static void seize(void) {
  SAY("seize");
  pid_t child = sleeper();
  RET(ptrace(PTRACE_SEIZE, child, 1, 0));
  RET(ptrace(PTRACE_SEIZE, child, 0, 0x40000000));
  RET(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD));
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  RET(waitpid(child, &status, WNOHANG | __WALL));
  RET(ptrace(PTRACE_INTERRUPT, child, 0, 0));
  wait_for(child);
  siginfo_t info = {0};
  RET(ptrace(PTRACE_GETSIGINFO, child, 0, &info));
  SAY("signal %d, code %#x", info.si_signo, info.si_code);
  RET(ptrace(PTRACE_LISTEN, child, 0, 0));
  SAY("state %c", state_of(child));
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  RET(ptrace(PTRACE_INTERRUPT, child, 0, 0));
  wait_for(child);
  ptrace(PTRACE_CONT, child, 0, 0);
  SAY("group stop");
  kill(child, SIGSTOP);
  wait_for(child);
  ptrace(PTRACE_CONT, child, 0, SIGSTOP);
  wait_for(child);
  RET(ptrace(PTRACE_LISTEN, child, 0, 0));
  RET(waitpid(child, &status, WNOHANG | __WALL));
  kill(child, SIGCONT);
  wait_for(child);
  RET(ptrace(PTRACE_CONT, child, 0, 0));
  wait_for(child);
  RET(ptrace(PTRACE_DETACH, child, 0, SIGTERM));
  wait_for(child);
}

// The parent of what another process traces sees its end last, but sees it.
static void others_child(int exit_kill) {
  SAY("tracer that is not the parent");
  pid_t child = sleeper();
  pid_t tracer = fork();
  if (tracer == 0) {
    ptrace(PTRACE_SEIZE, child, 0, exit_kill ? PTRACE_O_EXITKILL : 0);
    if (exit_kill) _exit(0);
    kill(child, SIGKILL);
    waitpid(child, &status, __WALL);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 99);
  }
  wait_for(tracer);
  wait_for(child);
}

static void* endless(void* unused) {
  for (;;)
    pause_ms(1000);
  return unused;
}

int main(void) {
  attach();
  attach_stopped();
  seize();
  others_child(0);
  others_child(1);

  SAY("refusals");
  RET(ptrace(PTRACE_ATTACH, getpid(), 0, 0));
  RET(ptrace(PTRACE_SEIZE, 0x7ffffff, 0, 0));
  pthread_t thread = start(endless, NULL);
  pid_t child = sleeper();
  if (getuid() == 0) {
    pid_t stranger = fork();
    if (stranger == 0) {
      setresuid(12345, 12345, 12345);
      IS(ptrace(PTRACE_ATTACH, child, 0, 0) == -1 && errno == EPERM);
      _exit(0);
    }
    wait_for(stranger);
  }
  pid_t quiet = fork();
  if (quiet == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    for (;;)
      pause();
  }
  kill(quiet, SIGKILL);
  wait_for(quiet);
  kill(child, SIGKILL);
  wait_for(child);
  (void)thread;
  return done();
}

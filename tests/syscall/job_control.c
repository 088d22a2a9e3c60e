// SPDX-License-Identifier: Apache-2.0
// Controlling terminals, foreground groups, SIGTTIN and SIGTTOU, stopping and going on, hang-up (credentials(7)).
// run: processes=fork
#include "pty.h"

static int terminal, master;
static int news[2];  // what children report, in order

static void report(const char* text) {
  write(news[1], text, strlen(text));
}
static void hear(const char* what, long count) {
  expect(what, news[0], count);
}
static void shown(const char* what, pid_t pid, int options) {
  int status = -1;
  if (waitpid(pid, &status, options) != pid)
    SAY("%s: no child", what);
  else if (WIFSTOPPED(status))
    SAY("%s: stopped by %d", what, WSTOPSIG(status));
  else if (WIFCONTINUED(status))
    SAY("%s: continued", what);
  else if (WIFSIGNALED(status))
    SAY("%s: killed by %d", what, WTERMSIG(status));
  else
    SAY("%s: exited %d", what, WEXITSTATUS(status));
}

static void on_winch(int number) {
  (void)number;
  report("w");
}

// In a group of its own, in the background; reads one line there.
static void background_reader(void) {
  char c;
  setpgid(0, 0);
  report("b");
  errno = 0;
  long got = read(terminal, &c, 1);
  char text[32];
  snprintf(text, sizeof text, "r%ld%s", got, got < 0 ? error_name(errno) : "");
  report(text);
  _exit(3);
}

static void background_writer(void) {
  setpgid(0, 0);
  report("b");
  write(terminal, "out", 3);
  _exit(4);
}

static void ignoring_reader(void) {
  char c;
  signal(SIGTTIN, SIG_IGN);
  setpgid(0, 0);
  long got = read(terminal, &c, 1);
  report(got < 0 && errno == EIO ? "EIO" : "???");
  _exit(5);
}

static void blocking_setter(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  sigprocmask(SIG_BLOCK, &set, NULL);
  setpgid(0, 0);
  report(tcsetpgrp(terminal, getpgrp()) == 0 ? "set" : "???");
  _exit(6);
}

static void orphaned_reader(void) {
  // Its parent is gone, and with it the last link of its group to the session.
  pid_t parent = getpid();
  if (fork() == 0) {
    char c;
    setpgid(0, 0);
    while (getppid() == parent)
      usleep(1000);
    long got = read(terminal, &c, 1);
    report(got < 0 && errno == EIO ? "EIO" : "???");
    _exit(0);
  }
  _exit(0);
}

static void sleeper(void) {
  setpgid(0, 0);
  report("s");
  for (;;)
    pause();
}

static pid_t child(void (*body)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) body();
  return pid;
}

static void shell(void) {
  int value = -1;
  RET(ioctl(terminal, TIOCSCTTY, 0));
  IS(setsid() == getpid());
  RET(open("/dev/tty", O_RDWR));
  RET(tcgetpgrp(terminal));
  RET(ioctl(terminal, TIOCSCTTY, 0));
  RET(ioctl(terminal, TIOCSCTTY, 0));
  IS(tcgetpgrp(terminal) == getpgrp());
  IS(tcgetsid(terminal) == getsid(0));
  IS(ioctl(master, TIOCGPGRP, &value) == 0 && value == getpgrp());
  int tty = open("/dev/tty", O_RDWR);
  IS(tty >= 0);
  struct stat s;
  OK(fstat(tty, &s));
  IS(s.st_rdev == 0x500);
  IS(tcgetpgrp(tty) == getpgrp());
  close(tty);
  RET(tcsetpgrp(terminal, -3));
  RET(tcsetpgrp(terminal, 999999));

  // The window's size goes to the foreground.
  struct sigaction action = {.sa_handler = on_winch, .sa_flags = SA_RESTART};
  sigaction(SIGWINCH, &action, NULL);
  struct winsize size = {10, 20, 0, 0};
  RET(ioctl(master, TIOCSWINSZ, &size));
  hear("winch", 1);
  RET(ioctl(master, TIOCSWINSZ, &size));

  // ^C and ^Z reach the foreground, and nobody else.
  signal(SIGTTOU, SIG_IGN);
  pid_t pid = child(sleeper);
  hear("sleeper", 1);
  RET(tcsetpgrp(terminal, pid));
  type(master, "\032");
  shown("^Z", pid, WUNTRACED);
  RET(kill(-pid, SIGCONT));
  shown("fg", pid, WCONTINUED);
  type(master, "\003");
  shown("^C", pid, 0);
  RET(tcsetpgrp(terminal, getpgrp()));
  expect("echo", master, 4);
  pid = child(sleeper);
  hear("sleeper", 1);
  RET(tcsetpgrp(terminal, pid));
  RET(ioctl(master, TIOCSIG, SIGQUIT));
  RET(ioctl(master, TIOCSIG, SIGUSR1));
  int status;
  IS(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGQUIT);
  RET(tcsetpgrp(terminal, getpgrp()));

  // A read in the background stops, and goes on in the foreground.
  signal(SIGTTOU, SIG_DFL);
  pid = child(background_reader);
  hear("reader", 1);
  shown("background read", pid, WUNTRACED);
  RET(tcsetpgrp(terminal, pid));
  kill(-pid, SIGCONT);
  type(master, "x\n");
  hear("read", 2);
  shown("reader", pid, 0);
  // Now this one is in the background.
  signal(SIGTTOU, SIG_IGN);
  RET(tcsetpgrp(terminal, getpgrp()));
  signal(SIGTTOU, SIG_DFL);
  tcflush(terminal, TCIFLUSH);

  // Writing from there is allowed, but with TOSTOP.
  pid = child(background_writer);
  hear("writer", 1);
  shown("background write", pid, WUNTRACED);
  set_modes(terminal, 0, 0, 0, TOSTOP);
  pid = child(background_writer);
  hear("writer", 1);
  shown("background write, tostop", pid, WUNTRACED);
  kill(-pid, SIGKILL);
  shown("writer", pid, 0);
  set_modes(terminal, 0, 0, TOSTOP, 0);

  pid = child(ignoring_reader);
  hear("ignored", 3);
  shown("ignoring", pid, WUNTRACED);
  pid = child(blocking_setter);
  hear("blocked", 3);
  shown("blocking", pid, WUNTRACED);
  signal(SIGTTOU, SIG_IGN);
  RET(tcsetpgrp(terminal, getpgrp()));
  pid = child(orphaned_reader);
  shown("parent", pid, 0);
  hear("orphaned", 3);

  // Giving it up.
  pid = child(sleeper);
  hear("sleeper", 1);
  RET(tcsetpgrp(terminal, pid));
  signal(SIGHUP, SIG_IGN);
  RET(ioctl(terminal, TIOCNOTTY));
  shown("after tiocnotty", pid, 0);
  RET(open("/dev/tty", O_RDWR));
  RET(ioctl(terminal, TIOCNOTTY));
  _exit(0);
}

// The end of a session's leader tells the foreground.
static void leader(void) {
  setsid();
  ioctl(terminal, TIOCSCTTY, 0);
  signal(SIGTTOU, SIG_IGN);
  int ready[2];
  pipe(ready);
  pid_t pid = fork();
  if (pid == 0) {
    char c;
    setpgid(0, 0);
    read(ready[0], &c, 1);
    report("s");
    for (;;)
      pause();
  }
  setpgid(pid, pid);
  tcsetpgrp(terminal, pid);
  write(ready[1], "x", 1);
  pause();
  _exit(0);
}

static void on_hup(int number) {
  (void)number;
  report("h");
  _exit(9);
}

static void hung_up(void) {
  setsid();
  ioctl(terminal, TIOCSCTTY, 0);
  close(master);
  signal(SIGHUP, on_hup);
  report("r");
  for (;;)
    pause();
}

int main(void) {
  pipe(news);
  master = open_pty(&terminal);
  signal(SIGCHLD, SIG_DFL);
  pid_t pid = child(shell);
  shown("shell", pid, 0);
  close(terminal);
  close(master);

  master = open_pty(&terminal);
  pid = child(leader);
  hear("leader's child", 1);
  kill(pid, SIGKILL);
  shown("leader", pid, 0);
  close(terminal);
  // The foreground's process had it open too: its end is seen here.
  struct pollfd p = {master, POLLHUP, 0};
  RET(poll(&p, 1, 10000));
  IS((p.revents & POLLHUP) != 0);
  close(master);

  master = open_pty(&terminal);
  pid = child(hung_up);
  hear("ready", 1);
  close(master);
  hear("hung up", 1);
  shown("hung up", pid, 0);
  return done();
}

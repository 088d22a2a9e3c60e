// SPDX-License-Identifier: Apache-2.0
// execve(2), execveat(2), fexecve(3): what the new program is given, what it keeps and what it loses; scripts; errors.
// run: processes=exec
#include <sys/wait.h>

#include "check.h"

extern char** environ;
static const char* self;

static int wait_for(pid_t pid) {
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// The second life: reports what it finds.
static int second(int argc, char** argv) {
  if (!strcmp(argv[1], "arguments")) {
    for (int i = 2; i < argc; i++)
      SAY("argument %d: %s", i, argv[i]);
    for (char** e = environ; *e; e++)
      SAY("environment: %s", *e);
  } else if (!strcmp(argv[1], "state")) {
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    SAY("usr1 default %d", action.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &action);
    SAY("usr2 ignored %d", action.sa_handler == SIG_IGN);
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    SAY("hup blocked %d", sigismember(&set, SIGHUP));
    stack_t stack;
    sigaltstack(NULL, &stack);
    SAY("stack disabled %d", stack.ss_flags == SS_DISABLE);
    RET(fcntl(100, F_GETFD));
    RET(fcntl(101, F_GETFD));
    SAY("pid kept %d", atoi(argv[2]) == getpid());
    SAY("leader %d", getpid() == gettid());
    char name[32] = "", exe[256] = "";
    int fd = open("/proc/self/comm", O_RDONLY);
    read(fd, name, sizeof name - 1);
    SAY("name %s", strtok(name, "\n"));
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    SAY("exe %d", n > 0 && strstr(exe, "exec") != NULL);
  } else if (!strcmp(argv[1], "script")) {
    for (int i = 1; i < argc; i++)
      SAY("script argument %d: %s", i, argv[i]);
  }
  return 0;
}

static void handler(int s) {
  (void)s;
}
static void* from_thread(void* pid) {
  char* const argv[] = {"thread", "state", pid, NULL};
  execv(self, argv);
  _exit(99);
}
static void* waits(void* unused) {
  for (;;)
    pause();
  return unused;
}

static pid_t run(void (*body)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(98);
  }
  return pid;
}
static void arguments(void) {
  char* const argv[] = {"zero", "arguments", "", "two words", "end", NULL};
  char* const env[] = {"A=1", "EMPTY=", "B=x y", NULL};
  execve(self, argv, env);
}
static void state(void) {
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  static char stack[65536];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
  dup2(1, 100);
  dup3(1, 101, O_CLOEXEC);
  char pid[16];
  snprintf(pid, sizeof pid, "%d", getpid());
  start(waits, NULL);
  start(waits, NULL);
  char* const argv[] = {"zero", "state", pid, NULL};
  execv(self, argv);
}
static void thread(void) {
  static char pid[16];
  snprintf(pid, sizeof pid, "%d", getpid());
  signal(SIGUSR2, SIG_IGN);
  start(waits, NULL);
  start(from_thread, pid);
  waits(NULL);
}
static void by_descriptor(void) {
  int fd = open(self, O_RDONLY | O_CLOEXEC);
  char* const argv[] = {"zero", "arguments", "by descriptor", NULL};
  char* const env[] = {NULL};
  fexecve(fd, argv, env);
}
static void script(void) {
  execl("./script", "ignored", "first", "second", NULL);
}

int main(int argc, char** argv) {
  if (argc > 1) return second(argc, argv);
  static char path[256];
  path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0;
  self = path;
  RET(wait_for(run(arguments)));
  RET(wait_for(run(state)));
  RET(wait_for(run(thread)));
  RET(wait_for(run(by_descriptor)));
  scratch();
  char text[400];
  snprintf(text, sizeof text, "#! %s   script  \nrest\n", self);
  put("script", text);
  RET(execl("./script", "x", NULL));
  chmod("script", 0755);
  RET(wait_for(run(script)));
  RET(execl("missing", "x", NULL));
  RET(execl("/", "x", NULL));
  RET(execl("script/x", "x", NULL));
  put("empty", "");
  chmod("empty", 0755);
  RET(execl("./empty", "x", NULL));
  put("text", "echo hello\n");
  chmod("text", 0755);
  RET(execl("./text", "x", NULL));
  put("lost", "#!/no/such/interpreter\n");
  chmod("lost", 0755);
  RET(execl("./lost", "x", NULL));
  put("loop", "#!./loop\n");
  chmod("loop", 0755);
  RET(execl("./loop", "x", NULL));
  RET(syscall(SYS_execve, (void*)1, NULL, NULL));
  RET(syscall(SYS_execve, "./text", (void*)1, NULL));
  RET(syscall(SYS_execveat, AT_FDCWD, "text", NULL, NULL, 0x10));
  symlink("text", "link");
  RET(syscall(SYS_execveat, AT_FDCWD, "link", (char*[]){"x", NULL}, environ, AT_SYMLINK_NOFOLLOW));
  RET(syscall(SYS_execveat, 99, "text", (char*[]){"x", NULL}, environ, 0));
  return done();
}

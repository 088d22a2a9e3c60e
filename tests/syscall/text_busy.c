// SPDX-License-Identifier: Apache-2.0
// ETXTBSY (open(2), execve(2)): a running program's file cannot be written, one open for writing cannot be run.
// run: processes=exec
#include <sys/wait.h>
#include "check.h"

static int run(const char* path) {
  pid_t child = fork();
  if (child == 0) {
    execl(path, path, "child", NULL);
    _exit(errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

static void copy(const char* from, const char* to) {
  char buffer[65536];
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);
  for (long n; (n = read(in, buffer, sizeof buffer)) > 0;) {
    if (write(out, buffer, (size_t)n) != n) exit(1);
  }
  close(in);
  close(out);
}

int main(int count, char** arguments) {
  (void)arguments;
  if (count > 1) return 7;
  scratch();
  RET(open("/proc/self/exe", O_WRONLY));
  RET(truncate("/proc/self/exe", 5));
  copy("/proc/self/exe", "program");
  SAY("%d", run("./program"));
  int w = open("program", O_WRONLY);
  SAY("%s", error_name(run("./program")));
  RET(close(w));
  int r = open("program", O_RDONLY);
  SAY("%d", run("./program"));
  RET(close(r));
  put("script", "#!./program\n");
  chmod("script", 0755);
  w = open("script", O_RDWR);
  SAY("%s", error_name(run("./script")));
  RET(close(w));
  SAY("%d", run("./script"));
  RET(truncate("program", 0));
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// Directory notification by signals (fcntl(2), F_NOTIFY), and F_CREATED_QUERY.
#include "check.h"

#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif

static volatile sig_atomic_t came, came_fd;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  came++;
  came_fd = info->si_fd;
}

static void tell(const char* what) {
  SAY("%s: %d", what, (int)came);
  came = 0;
}

int main(void) {
  scratch();
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 2, &action, NULL);
  mkdir("d", 0755);
  mkdir("e", 0755);
  put("d/f", "content");
  int d = open("d", O_RDONLY), f = open("d/f", O_RDWR);
  RET(fcntl(f, F_NOTIFY, DN_ACCESS));
  RET(fcntl(d, F_SETSIG, SIGRTMIN + 2));
  RET(fcntl(d, F_NOTIFY, DN_CREATE));
  put("d/g", "");
  tell("created");
  IS(came_fd == d);
  put("d/h", "");
  tell("created, asked for one");
  RET(fcntl(d, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT));
  put("d/i", "");
  tell("created");
  RET(unlink("d/i"));
  tell("deleted");
  RET(unlink("d/h"));
  tell("deleted");
  char byte;
  RET(read(f, &byte, 1));
  tell("read, not asked for");
  RET(fcntl(d, F_NOTIFY, DN_ACCESS | DN_MODIFY | DN_ATTRIB | DN_RENAME | DN_MULTISHOT));
  RET(read(f, &byte, 1));
  tell("read");
  RET(write(f, "x", 1));
  tell("written");
  RET(fchmod(f, 0600));
  tell("mode");
  RET(chmod("d", 0700));
  tell("the directory's own mode");
  RET(rename("d/f", "d/k"));
  IS(came > 0);
  came = 0;
  RET(fcntl(d, F_NOTIFY, 0));
  RET(read(f, &byte, 1));
  put("d/l", "");
  tell("nothing asked for");
  RET(fcntl(d, F_NOTIFY, DN_RENAME | DN_MULTISHOT));
  RET(rename("d/k", "e/k"));
  tell("out of the directory");
  RET(rename("d/g", "d/m"));
  tell("within it");
  int copy = dup(d);
  RET(close(copy));  // ends what the process asked for
  RET(rename("d/m", "d/n"));
  tell("after a close");
  int fresh = open("q", O_CREAT | O_RDONLY, 0600), again = open("q", O_CREAT | O_RDONLY, 0600);
  RET(fcntl(fresh, F_CREATED_QUERY, 0));
  RET(fcntl(again, F_CREATED_QUERY, 0));
  return done();
}

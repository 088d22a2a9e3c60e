// SPDX-License-Identifier: Apache-2.0
// Numbers and names of /proc/sys that can be written, and what they do. Each is put back at once.
// run: guest processes=fork
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include "check.h"

static char old[256];

static void read_file(const char* path, char* text, size_t size) {
  int fd = open(path, O_RDONLY);
  long got = read(fd, text, size - 1);
  text[got < 0 ? 0 : got] = 0;
  close(fd);
}

static long write_file(const char* path, const char* text) {
  int fd = open(path, O_WRONLY);
  long done = write(fd, text, strlen(text));
  int number = errno;
  close(fd);
  errno = number;
  return done;
}

static void tell(const char* path) {
  char text[256];
  read_file(path, text, sizeof text);
  text[strcspn(text, "\n")] = 0;
  SAY("%s", text);
}

static void name(const char* path) {
  struct utsname u;
  read_file(path, old, sizeof old);
  RET(write_file(path, "for.a.test\n"));
  tell(path);
  uname(&u);
  SAY("%s", strstr(path, "domain") ? u.domainname : u.nodename);
  IS(write_file(path, old) == (long)strlen(old));
}

// A little less than before, which nobody else on this machine notices.
static void descriptors(void) {
  const char* path = "/proc/sys/fs/nr_open";
  read_file(path, old, sizeof old);
  long most = atol(old);
  char text[32];
  snprintf(text, sizeof text, "%ld", most - 64);
  struct rlimit now, wanted;
  getrlimit(RLIMIT_NOFILE, &now);
  wanted = now;
  wanted.rlim_max = (rlim_t)most - 63;
  RET(write_file(path, text));
  RET(setrlimit(RLIMIT_NOFILE, &wanted));
  wanted.rlim_max = now.rlim_max < (rlim_t)most - 64 ? now.rlim_max : (rlim_t)most - 64;
  RET(setrlimit(RLIMIT_NOFILE, &wanted));
  RET(write_file(path, old));
  RET(write_file(path, "63"));
  RET(write_file(path, "2147483648"));
  RET(write_file(path, "x"));
}

// Only upwards: a smaller one would be felt by others on this machine.
static void pipes(void) {
  const char* path = "/proc/sys/fs/pipe-max-size";
  read_file(path, old, sizeof old);
  int ends[2];
  pipe(ends);
  RET(write_file(path, "2000001"));
  tell(path);
  pid_t child = fork();
  if (child == 0) {
    setresuid(1000, 1000, 1000);
    RET(fcntl(ends[0], F_SETPIPE_SZ, 1048577));
    RET(fcntl(ends[0], F_SETPIPE_SZ, 2097153));
    RET(fcntl(ends[0], F_SETPIPE_SZ, 5000));
    _exit(0);
  }
  waitpid(child, NULL, 0);
  RET(write_file(path, old));
  RET(write_file(path, "2147483649"));
  RET(write_file(path, "-1"));
}

// Makes mappings until there is no room for more: one for each page up to `at`. With the program's own they are as many
// as the limit says.
static int fills(long limit) {
  enum { kPage = 4096 };
  long pages = 2 * limit, at = 1;
  char* area = mmap(NULL, (size_t)pages * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  while (at < pages && mprotect(area + at * kPage, kPage, PROT_READ) == 0)
    at += 2;
  int error = errno;
  munmap(area, (size_t)pages * kPage);
  return error == ENOMEM && at < limit && at > limit - 50;
}

static void map_count(void) {
  const char* path = "/proc/sys/vm/max_map_count";
  read_file(path, old, sizeof old);
  long most = atol(old);
  char text[32];
  snprintf(text, sizeof text, "%ld", most + 1000);
  IS(fills(most));
  RET(write_file(path, text));
  IS(fills(most + 1000));
  RET(write_file(path, old));
  RET(write_file(path, "-1"));
}

int main(void) {
  name("/proc/sys/kernel/domainname");
  name("/proc/sys/kernel/hostname");
  descriptors();
  pipes();
  map_count();
  return done();
}

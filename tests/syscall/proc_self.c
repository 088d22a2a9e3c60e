// SPDX-License-Identifier: Apache-2.0
// /proc/self: exe, cwd, fd, maps, status, stat, cmdline, environ, comm, limits, as programs read them.
// run: arg=first arg=second env=COLOR=blue
#include <dirent.h>

#include "check.h"

static char text[262144];
static long slurp(const char* path) {
  int fd = open(path, O_RDONLY);
  long have = 0;
  if (fd < 0) {
    SAY("%s: %s", path, error_name(errno));
    text[0] = 0;
    return -1;
  }
  for (long n; (n = read(fd, text + have, sizeof text - 1 - (size_t)have)) > 0;)
    have += n;
  close(fd);
  text[have] = 0;
  return have;
}

static void has(const char* path, const char* const* keys) {
  if (slurp(path) <= 0) return;
  for (; *keys; keys++)
    SAY("%s %s: %s", path, *keys, strstr(text, *keys) ? "there" : "MISSING");
}

int main(int argc, char** argv) {
  (void)argc;
  scratch();
  char b[512] = {0}, other[512] = {0};
  long n = readlink("/proc/self/exe", b, sizeof b);
  IS(n > 0 && strstr(b, "proc_self") != NULL);
  int exe = open("/proc/self/exe", O_RDONLY);
  RET(read(exe, b, 4));
  IS(!memcmp(b, "\177ELF", 4));
  memset(b, 0, sizeof b);
  readlink("/proc/self/cwd", b, sizeof b);
  getcwd(other, sizeof other);
  IS(!strcmp(b, other));
  RET(readlink("/proc/self/root", b, sizeof b));
  put("f", "reopened");
  int fd = open("f", O_RDONLY);
  char link[64], target[600];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  memset(b, 0, sizeof b);
  readlink(link, b, sizeof b);
  snprintf(target, sizeof target, "%s/f", other);
  IS(!strcmp(b, target));
  int again = open(link, O_RDONLY);
  IS(again >= 0 && read(again, b, 8) == 8 && !memcmp(b, "reopened", 8));
  RET(open("/proc/self/fd/99", O_RDONLY));
  DIR* d = opendir("/proc/self/fd");
  int fds = 0;
  for (struct dirent* e; d && (e = readdir(d));)
    fds += e->d_name[0] != '.';
  RET(fds);
  int p[2];
  pipe(p);
  snprintf(link, sizeof link, "/proc/self/fd/%d", p[0]);
  memset(b, 0, sizeof b);
  readlink(link, b, sizeof b);
  IS(!strncmp(b, "pipe:[", 6));
  // maps: one line per area, address order, our own program and stack among them.
  slurp("/proc/self/maps");
  int stack = 0, heap = 0, own = 0, code = 0, order = 1, lines = 0;
  unsigned long last = 0, from, to, here = (unsigned long)&here;
  for (char* line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
    char flags[8], path[256] = "";
    if (sscanf(line, "%lx-%lx %7s %*x %*x:%*x %*u %255s", &from, &to, flags, path) < 3) SAY("odd line %s", line);
    order &= from >= last && to > from;
    last = to;
    stack |= !strcmp(path, "[stack]") && here >= from && here < to;
    heap |= !strcmp(path, "[heap]");
    own |= strstr(path, "proc_self") != NULL;
    code |= (unsigned long)main >= from && (unsigned long)main < to && !strcmp(flags, "r-xp");
  }
  IS(stack && heap && own && code && order && lines > 4);
  const char* const status[] = {"Name:\tproc_self\n",
                                "State:\tR",
                                "Tgid:\t",
                                "Pid:\t",
                                "PPid:\t",
                                "Uid:\t",
                                "Gid:\t",
                                "VmSize:\t",
                                "VmRSS:\t",
                                "Threads:\t1\n",
                                "SigBlk:\t",
                                "SigCgt:\t",
                                "CapEff:\t",
                                "Cpus_allowed:\t",
                                NULL};
  has("/proc/self/status", status);
  slurp("/proc/self/stat");
  int pid = 0, fields = 0;
  char comm[32] = "", state = 0;
  sscanf(text, "%d (%31[^)]) %c", &pid, comm, &state);
  for (char* c = strrchr(text, ')'); *c; c++)
    fields += *c == ' ';
  SAY("stat: pid %d comm %s state %c fields %d", pid == getpid(), comm, state, fields >= 42);
  IS(slurp("/proc/self/cmdline") > 0 && !strcmp(text, argv[0]));
  SAY("second %s", text + strlen(text) + 1);
  n = slurp("/proc/self/environ");
  int color = 0;
  for (long i = 0; i < n; i += (long)strlen(text + i) + 1)
    color |= !strcmp(text + i, "COLOR=blue");
  IS(color);
  slurp("/proc/self/comm");
  SAY("comm %s", text);
  slurp("/proc/self/statm");
  unsigned long size = 0, resident = 0;
  IS(sscanf(text, "%lu %lu", &size, &resident) == 2 && size >= resident && resident > 0);
  const char* const limits[] = {"Limit ", "Max open files", "Max stack size", NULL};
  has("/proc/self/limits", limits);
  const char* const mountinfo[] = {" - ", " /proc ", NULL};
  has("/proc/self/mountinfo", mountinfo);
  const char* const mounts[] = {" /proc ", NULL};
  has("/proc/self/mounts", mounts);
  // In a chroot(2) the root need not be where something is mounted.
  struct statx root;
  IS(!statx(AT_FDCWD, "/", 0, 0, &root) && (root.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT));
  const int mounted = (root.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  IS((slurp("/proc/self/mountinfo") > 0 && strstr(text, " / / ") != NULL) == mounted);
  IS((slurp("/proc/self/mounts") > 0 && strstr(text, " / ") != NULL) == mounted);
  RET(slurp("/proc/self/cgroup") >= 0);
  d = opendir("/proc/self/task");
  int tasks = 0;
  for (struct dirent* e; d && (e = readdir(d));)
    tasks += e->d_name[0] != '.';
  RET(tasks);
  snprintf(link, sizeof link, "/proc/%d/stat", getpid());
  IS(slurp(link) > 0);
  RET(open("/proc/999999/stat", O_RDONLY));
  RET(open("/proc/self/none", O_RDONLY));
  RET(open("/proc/new", O_WRONLY | O_CREAT, 0644) < 0);
  struct stat st;
  RET(stat("/proc/self/status", &st));
  SAY("%o %ld", st.st_mode & S_IFMT, (long)st.st_size);
  RET(stat("/dev/stdin", &st) <= 0);
  return done();
}

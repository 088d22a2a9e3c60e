// SPDX-License-Identifier: Apache-2.0
// /proc and /sys files that runtimes read: their keys are there and their numbers agree with the system calls.
#include <sched.h>
#include <sys/sysinfo.h>

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

static long number(const char* path) {
  return slurp(path) > 0 ? strtol(text, NULL, 10) : -1;
}

int main(void) {
  struct sysinfo info;
  sysinfo(&info);
  const char* const meminfo[] = {
      "MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "Cached:", "SwapTotal:", "SwapFree:", "Shmem:", NULL};
  has("/proc/meminfo", meminfo);
  long total = 0;
  sscanf(text, "MemTotal: %ld kB", &total);
  IS(total == (long)(info.totalram * info.mem_unit / 1024));
  const char* const cpuinfo[] = {
      "processor\t: 0", "vendor_id\t: ", "model name\t: ", "flags\t\t: ", "cpu MHz\t\t: ", "siblings\t: ", NULL};
  has("/proc/cpuinfo", cpuinfo);
  int processors = 0;
  for (char* c = text; (c = strstr(c, "processor\t:")); c++)
    processors++;
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  IS(processors >= CPU_COUNT(&set));
  const char* const cpu_stat[] = {"cpu  ", "cpu0 ", "intr ", "ctxt ", "btime ", "processes ", NULL};
  has("/proc/stat", cpu_stat);
  double up = 0, idle = 0;
  slurp("/proc/uptime");
  IS(sscanf(text, "%lf %lf", &up, &idle) == 2 && up > 0);
  double load;
  int running, all;
  slurp("/proc/loadavg");
  IS(sscanf(text, "%lf %*f %*f %d/%d", &load, &running, &all) == 3 && all >= 1);
  slurp("/proc/version");
  IS(!strncmp(text, "Linux version ", 14));
  const char* const filesystems[] = {"proc", "tmpfs", "ext4", NULL};
  slurp("/proc/filesystems");
  IS(strstr(text, filesystems[0]) && strstr(text, filesystems[1]));
  IS(number("/proc/sys/net/core/somaxconn") >= 128);
  IS(number("/proc/sys/vm/overcommit_memory") >= 0);
  IS(number("/proc/sys/vm/max_map_count") >= 65530);
  IS(number("/proc/sys/kernel/pid_max") >= 32768);
  IS(number("/proc/sys/kernel/threads-max") > 0);
  RET(number("/proc/sys/kernel/ngroups_max"));
  IS(number("/proc/sys/kernel/cap_last_cap") >= 37);
  IS(number("/proc/sys/fs/file-max") > 0);
  IS(number("/proc/sys/fs/nr_open") >= 1024);
  IS(number("/proc/sys/fs/pipe-max-size") >= 65536);
  slurp("/proc/sys/kernel/ostype");
  SAY("%s", text);
  slurp("/proc/sys/kernel/random/uuid");
  IS(strlen(text) == 37 && text[8] == '-');
  slurp("/proc/sys/kernel/random/boot_id");
  char id[64];
  strcpy(id, text);
  slurp("/proc/sys/kernel/random/boot_id");
  IS(strlen(id) == 37 && !strcmp(id, text));
  slurp("/sys/devices/system/cpu/online");
  IS(text[0] == '0');
  slurp("/sys/devices/system/cpu/possible");
  IS(text[0] == '0');
  RET(access("/sys/devices/system/cpu/cpu0", F_OK));
  const char* const mounts[] = {" /proc proc ", NULL};
  has("/proc/mounts", mounts);
  struct stat st;
  RET(stat("/proc", &st));
  RET(stat("/sys", &st));
  RET(stat("/dev", &st));
  RET(stat("/dev/pts", &st) < 0 || S_ISDIR(st.st_mode));
  RET(stat("/dev/shm", &st));
  RET(lstat("/dev/fd", &st));
  IS(S_ISLNK(st.st_mode));
  RET(open("/dev/tty", O_RDWR) < 0);
  return done();
}

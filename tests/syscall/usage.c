// SPDX-License-Identifier: Apache-2.0
// getrusage(2), sysinfo(2), uname(2), getcpu(2), sched_*(2): sane values.
#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "check.h"

int main(void) {
  struct rusage u;
  RET(getrusage(RUSAGE_SELF, &u));
  IS(u.ru_maxrss > 0 && u.ru_utime.tv_usec < 1000000);
  RET(getrusage(RUSAGE_CHILDREN, &u));
  RET(getrusage(RUSAGE_THREAD, &u));
  RET(getrusage(99, &u));
  RET(syscall(SYS_getrusage, RUSAGE_SELF, NULL));
  struct sysinfo s;
  RET(sysinfo(&s));
  IS(s.mem_unit > 0 && s.totalram > 0 && s.freeram <= s.totalram && s.procs >= 1 && s.uptime >= 0);
  RET(syscall(SYS_sysinfo, NULL));
  struct utsname n;
  RET(uname(&n));
  int major = 0, minor = 0;
  SAY("%s %s %d", n.sysname, n.machine, sscanf(n.release, "%d.%d", &major, &minor));
  IS(major >= 4 && n.nodename[0] && n.version[0]);
  char host[65];
  RET(gethostname(host, sizeof host));
  IS(!strcmp(host, n.nodename));
  unsigned cpu = 99, node = 99;
  RET(syscall(SYS_getcpu, &cpu, &node, NULL));
  IS(cpu < 1024 && node < 64);
  cpu_set_t set;
  CPU_ZERO(&set);
  RET(sched_getaffinity(0, sizeof set, &set));
  IS(CPU_COUNT(&set) >= 1 && CPU_ISSET((unsigned)sched_getcpu(), &set));
  IS(sysconf(_SC_NPROCESSORS_ONLN) >= 1 && sysconf(_SC_NPROCESSORS_CONF) >= sysconf(_SC_NPROCESSORS_ONLN));
  RET(sched_setaffinity(0, sizeof set, &set));
  CPU_ZERO(&set);
  RET(sched_setaffinity(0, sizeof set, &set));
  RET(sched_getaffinity(999999, sizeof set, &set));
  RET(syscall(SYS_sched_getaffinity, 0, 1, &set));
  RET(sched_yield());
  RET(sched_getscheduler(0));
  struct sched_param param;
  RET(sched_getparam(0, &param));
  RET(param.sched_priority);
  RET(sched_get_priority_max(SCHED_FIFO));
  RET(sched_get_priority_min(SCHED_RR));
  RET(sched_get_priority_max(SCHED_OTHER));
  RET(sched_get_priority_max(99));
  RET(getpriority(PRIO_PROCESS, 0));
  RET(setpriority(PRIO_PROCESS, 0, 5));
  RET(getpriority(PRIO_PROCESS, 0));
  IS(sysconf(_SC_PAGESIZE) == 4096 && sysconf(_SC_CLK_TCK) == 100 && sysconf(_SC_PHYS_PAGES) > 0);
  RET(getpagesize());
  // The time of a thread that never leaves its processor is seen as well.
  unsigned long ticks = 0;
  for (double end = seconds_now() + 60; ticks < 3 && seconds_now() < end;) {
    char line[1024] = "";
    int fd = open("/proc/self/stat", O_RDONLY);
    read(fd, line, sizeof line - 1);
    close(fd);
    unsigned long user = 0, system = 0;
    sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    ticks = user + system;
  }
  IS(ticks >= 3);
  return done();
}

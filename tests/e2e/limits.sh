#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `uni pack --limit`: what a program may have, told to it by the errors that Linux gives.
. "$(dirname "$0")/../lib.sh"
cat > most.c << 'C'
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static void* sleeps(void* p) {
  pause();
  return p;
}
static int fails(const char* what, int had, int error) {
  printf("%s: %d, then %s\n", what, had, strerrorname_np(error));
  fflush(stdout);
  return 0;
}
int main(void) {
  int n = 0;
  errno = 0;
  while (n < 2000 && open("/dev/null", O_RDONLY) >= 0) n++;
  fails("files", n + 3, errno);
  n = 0, errno = 0;
  while (n < 300 && mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) n++;
  fails(n >= 25 && n <= 32 ? "memory: between 25 and 32 MiB" : "memory: wrong", 0, errno);
  static pid_t pids[1000];
  n = 0, errno = 0;
  while (n < 1000 && (pids[n] = fork()) > 0) n++;
  if (pids[n] == 0) return sleeps(0) != 0;
  fails("processes", n + 1, errno);
  for (int i = 0; i < n; ++i) kill(pids[i], SIGKILL);
  while (wait(0) > 0) {
  }
  // The limit is of what is alive.
  pid_t again = fork();
  if (again == 0) return 0;
  printf("another: %s\n", again > 0 && waitpid(again, 0, 0) == again ? "yes" : "no");
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16384);
  pthread_t thread;
  int error = 0;
  n = 0;
  while (n < 1000 && (error = pthread_create(&thread, &small, sleeps, 0)) == 0) n++;
  fails("threads", n + 1, error);
  return 0;
}
C
cc -D_GNU_SOURCE -O1 -static -pthread -o most most.c
pack most.img ./most --processes fork --limit processes=12 --limit threads=20 --limit files=30 --limit memory=32M
has "the manifest" "$(cat most.yaml)" "limits: {files: 30, memory: 33554432, processes: 12, threads: 20}"
same "what it may have" "$("$UNI" run most.img)" "files: 30, then EMFILE
memory: between 25 and 32 MiB: 0, then ENOMEM
processes: 12, then EAGAIN
another: yes
threads: 20, then EAGAIN"
# The manifest says it again.
pack again.img most.yaml
cmp most.img again.img || fail "the manifest gives another image"
# Half of a processor: a program that computes for two seconds of the clock gets about one, with one thread or two.
cat > busy.c << 'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static double at(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static void* busy(void* end) {
  while (at(CLOCK_MONOTONIC) < *(double*)end) {
  }
  return end;
}
int main(void) {
  double end = at(CLOCK_MONOTONIC) + 2, used = at(CLOCK_PROCESS_CPUTIME_ID);
  pthread_t other;
  pthread_create(&other, 0, busy, &end);
  busy(&end);
  pthread_join(other, 0);
  used = at(CLOCK_PROCESS_CPUTIME_ID) - used;
  char line[100];
  FILE* f = fopen("/sys/fs/cgroup/cpu.max", "r");
  printf("%s", fgets(line, sizeof line, f));
  if (used >= 0.7 && used <= 1.2)
    puts("about one second");
  else
    printf("%.2f s\n", used);
  long periods = 0;
  f = fopen("/sys/fs/cgroup/cpu.stat", "r");
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "nr_throttled %ld", &periods) == 1) puts(periods >= 10 ? "throttled" : "not throttled");
  return 0;
}
C
cc -O1 -static -pthread -o busy busy.c
pack busy.img ./busy --limit cpu=0.5
has "the manifest" "$(cat busy.yaml)" "limits: {cpu: 500}"
for cpus in 1 2; do
  same "half a processor with -c $cpus" "$("$UNI" run -c $cpus busy.img)" "50000 100000
about one second
throttled"
done
same "too little" "$(status_of "$UNI" pack ./busy --limit cpu=0.001)" 2
has "the message" "$(cat err)" "cpu=0.001"
same "no number" "$(status_of "$UNI" pack ./busy --limit cpu=half)" 2
same "no such limit" "$(status_of "$UNI" pack ./most --limit colours=3)" 2
has "the message" "$(cat err)" "colours=3"
same "no number" "$(status_of "$UNI" pack ./most --limit files=0)" 2
same "too much" "$(status_of "$UNI" pack ./most --limit memory=99999999999G)" 2
[ ! -e most.img.tmp ] || fail "something is left behind"

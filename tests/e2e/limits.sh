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
same "no such limit" "$(status_of "$UNI" pack ./most --limit colours=3)" 2
has "the message" "$(cat err)" "colours=3"
same "no number" "$(status_of "$UNI" pack ./most --limit files=0)" 2
same "too much" "$(status_of "$UNI" pack ./most --limit memory=99999999999G)" 2
[ ! -e most.img.tmp ] || fail "something is left behind"

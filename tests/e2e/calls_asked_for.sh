#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What glibc's helpers call only for what the program asked for is found in a program that asks, and in no other.
. "$(dirname "$0")/../lib.sh"

# calls_of NAME: those of a program made of the C text on stdin, a line each.
calls_of() {
  cc -x c -O1 -o "$1" - -pthread
  "$UNI" inspect --json "./$1" > "$1.json" 2> "$1.err" || fail "uni inspect $1: $(cat "$1.err")"
  python3 -c 'import json, sys; print("\n".join(c["name"] for c in json.load(open(sys.argv[1]))["syscalls"]))' "$1.json" > "$1.calls"
}

# finds NAME CALL..., finds_no NAME CALL...
finds() {
  for call in "${@:2}"; do grep -qx "$call" "$1.calls" || fail "$1 makes $call, which was not found"; done
}
finds_no() {
  for call in "${@:2}"; do ! grep -qx "$call" "$1.calls" || fail "$1 was found to make $call, which it never asks for"; done
}

ceiling=(sched_get_priority_max sched_get_priority_min sched_getparam sched_getscheduler sched_setscheduler)
calls_of plain_mutex << 'C'
#include <pthread.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
int main(void) { return pthread_mutex_lock(&m) + pthread_mutex_unlock(&m); }
C
finds plain_mutex futex
finds_no plain_mutex "${ceiling[@]}"
calls_of ceiling_mutex << 'C'
#define _GNU_SOURCE
#include <pthread.h>
int main(void) {
  pthread_mutex_t m;
  pthread_mutexattr_t a;
  pthread_mutexattr_init(&a);
  pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_PROTECT);
  pthread_mutex_init(&m, &a);
  return pthread_mutex_lock(&m) + pthread_mutex_unlock(&m);
}
C
finds ceiling_mutex "${ceiling[@]}"
finds_no ceiling_mutex setsid setpgid

cat > spawn.c << 'C'
#define _GNU_SOURCE
#include <spawn.h>
#include <stddef.h>
int main(void) {
  char* const arguments[] = {"true", NULL};
  posix_spawnattr_t a;
  posix_spawn_file_actions_t f;
  pid_t pid;
  posix_spawnattr_init(&a);
  posix_spawn_file_actions_init(&f);
#ifdef ASKS
  posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_addchdir_np(&f, "/");
#endif
  return posix_spawn(&pid, "/bin/true", &f, &a, arguments, NULL);
}
C
asked=(setsid setpgid getpgid sched_setparam sched_setscheduler chdir setresuid setresgid)
calls_of plain_spawn < spawn.c
finds plain_spawn execve
finds_no plain_spawn "${asked[@]}" fchdir
{ echo '#define ASKS'; cat spawn.c; } | calls_of asking_spawn
finds asking_spawn "${asked[@]}"
finds_no asking_spawn fchdir

calls_of walks << 'C'
#define _GNU_SOURCE
#include <ftw.h>
static int each(const char* p, const struct stat* s, int k, struct FTW* f) { return !p || !s || k < 0 || !f; }
int main(void) { return nftw("/proc/self/fdinfo", each, 4, FTW_CHDIR); }
C
finds walks chdir fchdir getdents64

cat > thread.c << 'C'
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
static void* body(void* argument) { return argument; }
int main(void) {
  pthread_t t;
  pthread_attr_t a;
  pthread_attr_init(&a);
#ifdef ASKS
  cpu_set_t all;
  CPU_ZERO(&all);
  CPU_SET(0, &all);
  pthread_attr_setaffinity_np(&a, sizeof all, &all);
  pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
#endif
  return pthread_create(&t, &a, body, 0) + pthread_join(t, 0);
}
C
asked=(sched_setaffinity sched_setscheduler sched_getscheduler sched_getparam)
calls_of plain_thread < thread.c
finds plain_thread clone3 clone set_robust_list rseq
finds_no plain_thread "${asked[@]}"
{ echo '#define ASKS'; cat thread.c; } | calls_of asking_thread
finds asking_thread "${asked[@]}"

// SPDX-License-Identifier: Apache-2.0
// Benchmarks of processes, one line each as in micro.c: "name ns_per_op ops". Static, so that it finds itself again on
// exec: gcc -O2 -static processes.c. With the argument "exit" it only ends.
#define _GNU_SOURCE
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;
static char* self;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}
static void say(const char* name, double since, long ops) {
  printf("%-22s %12.1f %ld\n", name, (now() - since) / ops, ops);
  fflush(stdout);
}
static void fail(const char* what) {
  perror(what);
  exit(1);
}
static void reap(pid_t pid) {
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) fail("child");
}

static void forks(const char* name, long n) {
  double t = now();
  for (long i = 0; i < n; i++) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    reap(pid);
  }
  say(name, t, n);
}

// The same from a process with 256 MiB of written memory, which the parent writes to a little meanwhile.
static void fork_large(void) {
  size_t size = 256 << 20;
  char* p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) fail("mmap");
  for (size_t i = 0; i < size; i += 4096)
    p[i] = 1;
  long n = 20;
  double t = now();
  for (long i = 0; i < n; i++) {
    pid_t pid = fork();
    if (pid == 0) _exit(p[size / 2] != 1);
    for (size_t j = 0; j < size / 4; j += 1 << 20)
      p[j]++;
    reap(pid);
  }
  say("fork_wait_256m", t, n);
  munmap(p, size);
}

static void fork_exec(void) {
  long n = 200;
  double t = now();
  for (long i = 0; i < n; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      execl(self, self, "exit", (char*)0);
      _exit(1);
    }
    reap(pid);
  }
  say("fork_exec_wait", t, n);
}

static void spawn(void) {
  long n = 200;
  char* arguments[] = {self, "exit", 0};
  double t = now();
  for (long i = 0; i < n; i++) {
    pid_t pid;
    if (posix_spawn(&pid, self, 0, 0, arguments, environ)) fail("posix_spawn");
    reap(pid);
  }
  say("spawn_wait", t, n);
}

// A byte there and back between two processes.
static void round_trips(const char* name, int there[2], int back[2]) {
  long n = 5000;
  char c = 'x';
  pid_t pid = fork();
  if (pid == 0) {
    for (long i = 0; i < n; i++)
      if (read(there[0], &c, 1) != 1 || write(back[1], &c, 1) != 1) _exit(1);
    _exit(0);
  }
  double t = now();
  for (long i = 0; i < n; i++)
    if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1) fail(name);
  say(name, t, n);
  reap(pid);
}
static void pipes(void) {
  int there[2], back[2];
  if (pipe(there) || pipe(back)) fail("pipe");
  round_trips("pipe_processes", there, back);
}
static void sockets(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) fail("socketpair");
  int there[2] = {pair[1], pair[0]}, back[2] = {pair[0], pair[1]};
  round_trips("socket_processes", there, back);
}

// A token round a ring of processes: per hop, a switch of address spaces.
static void ring(void) {
  enum { kMembers = 8 };
  long rounds = 500;
  int pipes[kMembers][2];
  pid_t pids[kMembers];
  for (int i = 0; i < kMembers; i++)
    if (pipe(pipes[i])) fail("pipe");
  for (int i = 1; i < kMembers; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      char c;
      for (long r = 0; r < rounds; r++)
        if (read(pipes[i - 1][0], &c, 1) != 1 || write(pipes[i][1], &c, 1) != 1) _exit(1);
      _exit(0);
    }
  }
  char c = 'x';
  double t = now();
  for (long r = 0; r < rounds; r++)
    if (write(pipes[0][1], &c, 1) != 1 || read(pipes[kMembers - 1][0], &c, 1) != 1) fail("ring");
  say("ring_of_8_hop", t, rounds * kMembers);
  for (int i = 1; i < kMembers; i++)
    reap(pids[i]);
}

// Groups of senders and receivers, each sender to each receiver of its group, as hackbench does.
static void messages(void) {
  enum { kGroups = 2, kMembers = 10, kMessages = 50, kSize = 100 };
  pid_t pids[kGroups * kMembers * 2];
  int count = 0, go[2];
  if (pipe(go)) fail("pipe");
  for (int g = 0; g < kGroups; g++) {
    int inlets[kMembers];
    for (int r = 0; r < kMembers; r++) {
      int pair[2];
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) fail("socketpair");
      inlets[r] = pair[1];
      pids[count] = fork();
      if (pids[count++] == 0) {
        char text[kSize];
        for (long left = kMembers * kMessages * kSize; left > 0;) {
          ssize_t got = read(pair[0], text, sizeof text);
          if (got <= 0) _exit(1);
          left -= got;
        }
        _exit(0);
      }
      close(pair[0]);
    }
    for (int s = 0; s < kMembers; s++) {
      pids[count] = fork();
      if (pids[count++] == 0) {
        char text[kSize] = {0};
        if (read(go[0], text, 1) != 1) _exit(1);
        for (int m = 0; m < kMessages; m++)
          for (int r = 0; r < kMembers; r++)
            if (write(inlets[r], text, kSize) != kSize) _exit(1);
        _exit(0);
      }
    }
    for (int r = 0; r < kMembers; r++)
      close(inlets[r]);
  }
  char all[kGroups * kMembers] = {0};
  double t = now();
  if (write(go[1], all, sizeof all) != sizeof all) fail("write");
  for (int i = 0; i < count; i++)
    reap(pids[i]);
  say("message", t, (long)kGroups * kMembers * kMembers * kMessages);
}

static void yields(void) {
  long n = 10000;
  pid_t pid = fork();
  if (pid == 0) {
    for (long i = 0; i < n; i++)
      sched_yield();
    _exit(0);
  }
  double t = now();
  for (long i = 0; i < n; i++)
    sched_yield();
  reap(pid);
  say("yield_processes", t, 2 * n);
}

int main(int argc, char** argv) {
  if (argc > 1 && !strcmp(argv[1], "exit")) return 0;
  self = argv[0];
  forks("fork_wait", 500);
  fork_large();
  fork_exec();
  spawn();
  pipes();
  sockets();
  ring();
  yields();
  messages();
  return 0;
}

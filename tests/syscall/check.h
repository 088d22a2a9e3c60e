// SPDX-License-Identifier: Apache-2.0
// What every program here prints with. Each runs on Linux and in the guest and must print the same on both, so nothing
// printed may hold an address, a process number, a time or a random number.
//
//   RET(expression)     "expression = VALUE", or "expression = -1 ENAME" where it is negative
//   OK(expression)      the same with the value hidden: "expression = ok"
//   IS(condition)       "condition: yes", or "NO" and the program's status becomes 1
//   SAY(format, ...)    a line
//
// The expression's own text is printed, so write each line as the reader should see it.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int check_failures;
static char check_directory[64];

static inline const char* error_name(int number) {
  const char* name = strerrorname_np(number);
  return name ? name : "E?";
}

static inline long check_return(const char* text, long value, int hide) {
  int number = errno;
  if (value == -1)
    printf("%s = -1 %s\n", text, error_name(number));
  else if (hide)
    printf("%s = ok\n", text);
  else
    printf("%s = %ld\n", text, value);
  fflush(stdout);
  errno = number;
  return value;
}

static inline int check_is(const char* text, int value) {
  printf("%s: %s\n", text, value ? "yes" : "NO");
  fflush(stdout);
  if (!value) check_failures++;
  return value;
}

#define RET(expression) (errno = 0, check_return(#expression, (long)(expression), 0))
#define OK(expression) (errno = 0, check_return(#expression, (long)(expression), 1))
#define IS(condition) check_is(#condition, !!(condition))
#define SAY(...) (printf(__VA_ARGS__), putchar('\n'), fflush(stdout))

// Changes into a fresh directory. Its name is not printed: it differs.
static inline void scratch(void) {
  const char* base = getenv("TMPDIR");
  snprintf(check_directory, sizeof check_directory, "%s/uni.XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
  umask(022);
  if (!mkdtemp(check_directory) || chdir(check_directory)) {
    printf("no scratch directory: %s\n", error_name(errno));
    exit(1);
  }
}

// A file in the current directory that holds `text`.
static inline void put(const char* name, const char* text) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
    printf("cannot write %s: %s\n", name, error_name(errno));
    exit(1);
  }
  close(fd);
}

// Prints a file's content.
static inline void show(const char* name) {
  char text[4096];
  int fd = open(name, O_RDONLY);
  long got = fd < 0 ? -1 : read(fd, text, sizeof text);
  if (got < 0)
    printf("%s: %s\n", name, error_name(errno));
  else
    printf("%s holds %ld: %.*s\n", name, got, (int)got, text);
  if (fd >= 0) close(fd);
}

static inline double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void pause_ms(long ms) {
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&time, &time) && errno == EINTR) {
  }
}

static inline pthread_t start(void* (*function)(void*), void* argument) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, function, argument);
  if (error) {
    printf("pthread_create: %s\n", error_name(error));
    exit(1);
  }
  return thread;
}

static inline void join(pthread_t thread) {
  pthread_join(thread, NULL);
}

// The end of main.
static inline int done(void) {
  SAY("done");
  return check_failures != 0;
}

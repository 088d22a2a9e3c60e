// SPDX-License-Identifier: Apache-2.0
// run: processes=fork
// /proc/self/fdinfo of what has more to tell than a position: eventfd, timerfd, signalfd, epoll, inotify, pidfd
// (proc(5)).
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "check.h"

// Prints the lines that begin with `word`; numbers that differ from machine to machine are not shown.
static void lines_of(int fd, const char* word) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE* file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    unsigned wd, mask, ignored;
    unsigned long inode, device;
    if (strncmp(line, word, strlen(word)) != 0) continue;
    if (sscanf(line, "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:%x", &wd, &inode, &device, &mask, &ignored) ==
        5)
      SAY("inotify %x %x %x %d", wd, mask, ignored, inode != 0);
    else
      printf("%s", line);
  }
  if (file != NULL) fclose(file);
}

static void numbers_of(int fd, const char* format, long* number) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE* file = fopen(path, "r");
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, format, number) == 1) break;
  fclose(file);
}

static void timers(void) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, 0), other = timerfd_create(CLOCK_BOOTTIME, 0);
  lines_of(timer, "clockid");
  lines_of(other, "clockid");
  lines_of(timer, "ticks");
  lines_of(timer, "settime flags");
  lines_of(timer, "it_value");
  lines_of(timer, "it_interval");
  struct itimerspec when = {{2, 500000007}, {1000000, 0}};
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &(struct itimerspec){{0, 0}, {0, 1}}, NULL);
  lines_of(timer, "settime flags");
  pause_ms(20);
  lines_of(timer, "ticks");
  lines_of(timer, "it_value");
  timerfd_settime(timer, 0, &when, NULL);
  lines_of(timer, "settime flags");
  lines_of(timer, "ticks");
  long left = 0;
  numbers_of(timer, "it_value: (%ld, %*d)", &left);
  IS(left == 999999);
  lines_of(timer, "it_interval");
}

static void signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMAX);
  int fd = signalfd(-1, &set, 0);
  lines_of(fd, "sigmask");
  sigdelset(&set, SIGUSR1);
  signalfd(fd, &set, 0);
  lines_of(fd, "sigmask");
}

// The watched file's place differs from machine to machine.
static void watched_lines(int epoll) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
  FILE* file = fopen(path, "r");
  while (fgets(line, sizeof line, file) != NULL) {
    char* place = strstr(line, " pos:");
    long position = -1;
    unsigned long inode = 0, device = 0;
    if (strncmp(line, "tfd:", 4) != 0 || place == NULL) continue;
    SAY("%d values", sscanf(place, " pos:%ld ino:%lx sdev:%lx", &position, &inode, &device));
    *place = 0;
    SAY("%s %ld %d", line, position, inode != 0);
  }
  fclose(file);
}

static void watched(void) {
  const int epoll = epoll_create1(0), pipes[2] = {eventfd(0, 0), eventfd(0, 0)};
  dup2(pipes[0], 50);
  dup2(pipes[1], 60);
  watched_lines(epoll);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abc};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 50, &event);
  watched_lines(epoll);
  event.events = EPOLLOUT | EPOLLET | EPOLLONESHOT | EPOLLRDHUP;
  epoll_ctl(epoll, EPOLL_CTL_MOD, 50, &event);
  watched_lines(epoll);
  epoll_ctl(epoll, EPOLL_CTL_DEL, 50, &event);
  event.data.fd = 60;
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  epoll_ctl(epoll, EPOLL_CTL_ADD, 60, &event);
  watched_lines(epoll);
}

int main(void) {
  const int counter = eventfd(0x1234, 0), semaphore = eventfd(0, EFD_SEMAPHORE);
  lines_of(counter, "eventfd-count");
  lines_of(counter, "eventfd-semaphore");
  lines_of(semaphore, "eventfd-count");
  lines_of(semaphore, "eventfd-semaphore");

  timers();
  signals();
  watched();

  const int notify = inotify_init1(0);
  inotify_add_watch(notify, "/", IN_MODIFY | IN_ONESHOT);
  const int second = inotify_add_watch(notify, "/tmp", IN_CREATE | IN_EXCL_UNLINK);
  lines_of(notify, "inotify wd:1 ");
  lines_of(notify, "inotify wd:2 ");
  inotify_rm_watch(notify, second);
  lines_of(notify, "inotify wd:2 ");

  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  char path[64], line[256];
  long shown = 0;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  FILE* file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "Pid: %ld", &shown) == 1) break;
  if (file != NULL) fclose(file);
  IS(shown == child);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  lines_of(pidfd, "Pid:");
  return 0;
}

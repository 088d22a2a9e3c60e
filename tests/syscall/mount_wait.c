// SPDX-License-Identifier: Apache-2.0
// Waiting for a change of the mounts: poll(2), select(2) and epoll(7) on /proc/self/mounts and mountinfo
// (proc_pid_mounts(5)).
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include "mounts.h"

static void* mount_later(void* argument) {
  pause_ms(100);
  mount("later", argument, "tmpfs", 0, NULL);
  return NULL;
}

static int ready(int fd, int wait) {
  struct pollfd p = {.fd = fd, .events = POLLPRI};
  int got = poll(&p, 1, wait);
  return got <= 0 ? got : p.revents;
}

static int waited(int epoll, int wait) {
  struct epoll_event event;
  int got = epoll_wait(epoll, &event, 1, wait);
  return got <= 0 ? got : (int)event.events;
}

int main(void) {
  own_tree();
  int mounts = open("/proc/self/mounts", O_RDONLY), info = open("/proc/self/mountinfo", O_RDONLY);
  RET(ready(mounts, 0));
  RET(mount("one", "a", "tmpfs", 0, NULL));
  RET(ready(mounts, 1000));
  RET(ready(mounts, 0));
  RET(ready(info, 0));
  RET(ready(info, 0));
  RET(mount(NULL, "a", NULL, MS_SHARED, NULL));
  RET(umount("a"));
  RET(ready(info, 0));
  struct pollfd p = {.fd = info, .events = POLLIN | POLLOUT};
  RET(poll(&p, 1, 0));
  SAY("%x", p.revents);
  fd_set set;
  struct timeval none = {0, 0};
  FD_ZERO(&set);
  FD_SET(mounts, &set);
  RET(select(mounts + 1, NULL, NULL, &set, &none));
  FD_SET(mounts, &set);
  RET(select(mounts + 1, NULL, NULL, &set, &none));

  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLPRI};
  RET(epoll_ctl(epoll, EPOLL_CTL_ADD, info, &event));
  RET(waited(epoll, 0));
  pthread_t thread = start(mount_later, "a");
  RET(waited(epoll, 5000));
  RET(waited(epoll, 0));
  join(thread);
  thread = start(mount_later, "b");
  RET(ready(mounts, 5000));
  RET(ready(mounts, 5000));
  join(thread);
  RET(umount("a"));
  RET(umount("b"));
  leave_tree();
  return done();
}

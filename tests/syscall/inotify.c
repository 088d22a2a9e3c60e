// SPDX-License-Identifier: Apache-2.0
// inotify(7): the events of one directory, in order.
#include <sys/inotify.h>

#include "check.h"

static void events(int fd) {
  char b[4096] __attribute__((aligned(8)));
  long got = read(fd, b, sizeof b);
  if (got < 0) SAY("read: %s", error_name(errno));
  for (long at = 0; at < got;) {
    struct inotify_event* e = (void*)(b + at);
    SAY("watch %d mask %x name %s cookie %s", e->wd, e->mask, e->len ? e->name : "-", e->cookie ? "set" : "0");
    at += (long)(sizeof *e + e->len);
  }
}

int main(void) {
  scratch();
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  IS(fd >= 0);
  RET(inotify_add_watch(fd, ".", IN_ALL_EVENTS));
  events(fd);
  put("f", "text");
  events(fd);
  RET(rename("f", "g"));
  events(fd);
  RET(unlink("g"));
  events(fd);
  RET(mkdir("d", 0755));
  events(fd);
  RET(inotify_add_watch(fd, ".", IN_CREATE));
  RET(inotify_add_watch(fd, "none", IN_CREATE));
  RET(inotify_add_watch(fd, ".", 0));
  RET(inotify_rm_watch(fd, 1));
  events(fd);
  RET(inotify_rm_watch(fd, 1));
  RET(inotify_init1(0x1));
  return done();
}

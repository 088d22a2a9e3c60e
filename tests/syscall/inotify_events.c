// SPDX-License-Identifier: Apache-2.0
// inotify(7): what each change tells a watch of the directory and one of the file, coalescing, one-shot watches, the
// flags of inotify_add_watch, FIONREAD and poll.
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "check.h"

static int notify;

static const char* names_of(uint32_t mask) {
  static const char* const names[] = {"ACCESS",     "MODIFY",   "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
                                      "MOVED_FROM", "MOVED_TO", "CREATE", "DELETE",      "DELETE_SELF",   "MOVE_SELF"};
  static char text[200];
  text[0] = 0;
  for (int i = 0; i < 12; i++)
    if (mask >> i & 1) strcat(strcat(text, " "), names[i]);
  if (mask & IN_UNMOUNT) strcat(text, " UNMOUNT");
  if (mask & IN_Q_OVERFLOW) strcat(text, " Q_OVERFLOW");
  if (mask & IN_IGNORED) strcat(text, " IGNORED");
  if (mask & IN_ISDIR) strcat(text, " ISDIR");
  return text;
}

static void events(const char* what) {
  char b[8192] __attribute__((aligned(8)));
  uint32_t cookie = 0;
  long got = read(notify, b, sizeof b);
  SAY("%s:%s", what, got < 0 ? error_name(errno) : "");
  for (long at = 0; at < got;) {
    struct inotify_event* e = (void*)(b + at);
    const char* tie = !e->cookie ? "" : e->cookie == cookie ? " same cookie" : " cookie";
    SAY("  %d%s %s%s", e->wd, names_of(e->mask), e->len ? e->name : "-", tie);
    if (e->cookie) cookie = e->cookie;
    at += (long)(sizeof *e + e->len);
  }
}

static void one_file(void) {
  struct timespec both[2] = {{1, 0}, {2, 0}}, access[2] = {{1, 0}, {0, UTIME_OMIT}},
                  modify[2] = {{0, UTIME_OMIT}, {3, 0}};
  char byte;
  put("f", "text");
  RET(inotify_add_watch(notify, ".", IN_ALL_EVENTS));
  RET(inotify_add_watch(notify, "f", IN_ALL_EVENTS));
  int fd = open("f", O_RDWR);
  events("open");
  RET(read(fd, &byte, 1));
  events("read");
  RET(pread(fd, &byte, 1, 100));
  events("read nothing");
  RET(pwrite(fd, "x", 1, 0));
  RET(pwrite(fd, "y", 1, 0));
  events("write");
  RET(ftruncate(fd, 2));
  events("ftruncate");
  RET(truncate("f", 3));
  events("truncate");
  RET(fchmod(fd, 0600));
  events("fchmod");
  RET(futimens(fd, both));
  events("both times");
  RET(futimens(fd, access));
  events("access time");
  RET(futimens(fd, modify));
  events("modification time");
  RET(close(fd));
  events("close");
  RET(close(open("f", O_RDONLY)));
  events("read only");
  RET(close(open("f", O_PATH)));
  events("O_PATH");
  RET(link("f", "g"));
  events("link");
  RET(rename("f", "h"));
  events("rename");
  RET(close(open("h", O_RDONLY)));
  events("after the rename");
}

static void directories(void) {
  RET(mkdir("d", 0755));
  events("mkdir");
  RET(symlink("nowhere", "s"));
  events("symlink");
  RET(mkfifo("p", 0644));
  events("mkfifo");
  RET(inotify_add_watch(notify, "d", IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF));
  RET(rename("s", "d/s"));
  events("move into");
  RET(rename("d", "e"));
  events("move a directory");
  RET(unlink("e/s"));
  RET(unlink("p"));
  events("unlink");
}

static void last_name(void) {
  RET(inotify_rm_watch(notify, 1));
  RET(inotify_rm_watch(notify, 1));
  events("rm_watch");
  int fd = open("h", O_RDONLY);
  RET(unlink("g"));
  RET(unlink("h"));
  events("the last name goes");
  close(fd);
  events("the last descriptor goes");
  RET(rmdir("e"));
  events("rmdir");
  RET(inotify_rm_watch(notify, 2));
}

static void flags(void) {
  int left = -1;
  put("f", "text");
  symlink("f", "l");
  RET(inotify_add_watch(notify, "f", IN_OPEN | IN_ONESHOT));
  RET(inotify_add_watch(notify, "f", IN_OPEN | IN_MASK_CREATE));
  RET(inotify_add_watch(notify, "f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD));
  close(open("f", O_RDONLY));
  close(open("f", O_RDONLY));
  events("one shot");
  RET(inotify_add_watch(notify, "f", IN_OPEN));
  RET(inotify_add_watch(notify, "f", IN_ACCESS | IN_MASK_ADD));
  RET(inotify_add_watch(notify, "l", IN_CLOSE | IN_DONT_FOLLOW));
  close(open("l", O_RDONLY));
  RET(ioctl(notify, FIONREAD, &left));
  RET(left);
  struct pollfd p = {.fd = notify, .events = POLLIN | POLLOUT};
  RET(poll(&p, 1, 0));
  RET(p.revents == POLLIN);
  char small[8];
  RET(read(notify, small, sizeof small));
  events("mask add");
  RET(poll(&p, 1, 0));
  RET(inotify_add_watch(notify, "f", IN_OPEN | IN_ONLYDIR));
  RET(inotify_add_watch(notify, "none", IN_OPEN));
  RET(inotify_add_watch(notify, (char*)8, IN_OPEN));
  RET(inotify_add_watch(notify, "f", 0));
  RET(inotify_add_watch(0x3fffffff, "f", IN_OPEN));
  int other = open("f", O_RDONLY);
  RET(inotify_add_watch(other, "f", IN_OPEN));
  RET(inotify_rm_watch(0x3fffffff, 1));
  RET(inotify_rm_watch(other, 1));
  RET(inotify_rm_watch(notify, 1000));
  RET(write(notify, "x", 1));
  RET(lseek(notify, 5, SEEK_SET));
}

static void excluded(void) {
  char byte;
  RET(mkdir("x", 0755) | chdir("x"));
  put("f", "text");
  int wd = inotify_add_watch(notify, ".", IN_ACCESS | IN_EXCL_UNLINK);
  int fd = open("f", O_RDONLY);
  unlink("f");
  RET(read(fd, &byte, 1));
  events("IN_EXCL_UNLINK");
  inotify_rm_watch(notify, wd);
  close(fd);
  RET(chdir(".."));
}

int main(void) {
  scratch();
  notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  RET(fcntl(notify, F_GETFD));
  RET((fcntl(notify, F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == O_NONBLOCK);
  one_file();
  directories();
  last_name();
  flags();
  excluded();
  close(notify);
  return done();
}

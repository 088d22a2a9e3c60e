// SPDX-License-Identifier: Apache-2.0
// run: processes=fork
// /proc/self/fdinfo of what has more to tell than a position: eventfd, inotify, pidfd (proc(5)).
#include <sys/eventfd.h>
#include <sys/inotify.h>
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

int main(void) {
  const int counter = eventfd(0x1234, 0), semaphore = eventfd(0, EFD_SEMAPHORE);
  lines_of(counter, "eventfd-count");
  lines_of(counter, "eventfd-semaphore");
  lines_of(semaphore, "eventfd-count");
  lines_of(semaphore, "eventfd-semaphore");

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

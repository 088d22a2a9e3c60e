// SPDX-License-Identifier: Apache-2.0
// Access times as a mount's flags say: relatime, strictatime, noatime, nodiratime (mount(2)).
#include <dirent.h>
#include "mounts.h"

// Does reading move the access time on? Twice: relatime sees to the first read after a change only.
static void tell(const char* title, const char* name) {
  struct stat before, after;
  char text[8];
  printf("%s:", title);
  for (int i = 0; i < 2; i++) {
    stat(name, &before);
    pause_ms(20);
    if (S_ISDIR(before.st_mode)) {
      DIR* directory = opendir(name);
      while (directory && readdir(directory)) {
      }
      if (directory) closedir(directory);
    } else {
      int fd = open(name, O_RDONLY);
      read(fd, text, sizeof text);
      close(fd);
    }
    stat(name, &after);
    int moved = memcmp(&before.st_atim, &after.st_atim, sizeof before.st_atim) != 0;
    printf(" %s", moved ? "moved" : "kept");
    pause_ms(20);
  }
  putchar('\n');
  fflush(stdout);
}

static void with(unsigned long flags, const char* title) {
  SAY("-- %s", title);
  RET(mount("t", "a", "tmpfs", flags, NULL));
  mkdir("a/in", 0755);
  put("a/file", "text");
  pause_ms(20);
  tell("file", "a/file");
  tell("directory", "a/in");
  RET(umount("a"));
}

int main(void) {
  own_tree();
  with(0, "default");
  with(MS_RELATIME, "relatime");
  with(MS_STRICTATIME, "strictatime");
  with(MS_STRICTATIME | MS_NODIRATIME, "strictatime, nodiratime");
  with(MS_NOATIME, "noatime");
  RET(mount("t", "a", "tmpfs", 0, NULL));
  put("a/file", "text");
  pause_ms(20);
  tell("before", "a/file");
  RET(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL));
  tell("strict now", "a/file");
  int fd = open("a/file", O_RDONLY | O_NOATIME);
  struct stat before, after;
  char text[8];
  fstat(fd, &before);
  pause_ms(20);
  RET(read(fd, text, sizeof text));
  fstat(fd, &after);
  IS(memcmp(&before.st_atim, &after.st_atim, sizeof before.st_atim) == 0);
  close(fd);
  RET(umount("a"));
  leave_tree();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// Mounts that double by being bound onto themselves end at fs.mount-max, at once and with nothing made; all the rest is
// as before once they are unmounted.
// run: guest memory=128M
#include "mounts.h"

static long count_mounts(void) {
  FILE* file = fopen("/proc/self/mountinfo", "r");
  long lines = 0;
  for (int c; (c = fgetc(file)) != EOF;)
    lines += c == '\n';
  fclose(file);
  return lines;
}

// Gives the round in which there was no room for more.
static int explode(void) {
  int full = 0;
  IS(0 == mount("m", "c", "tmpfs", 0, NULL));
  IS(0 == mount(NULL, "c", NULL, MS_SHARED, NULL));
  for (int i = 1; i <= 25; i++) {
    if (mount("c", "c", NULL, MS_BIND | MS_REC, NULL) == 0) continue;
    if (errno != ENOSPC) check_is(error_name(errno), 0);
    if (full == 0) full = i;
  }
  return full;
}

static void set_limit(const char* text) {
  int fd = open("/proc/sys/fs/mount-max", O_WRONLY);
  IS(write(fd, text, strlen(text)) == (long)strlen(text));
  close(fd);
}

int main(void) {
  own_tree();
  char old[32] = "";
  int fd = open("/proc/sys/fs/mount-max", O_RDONLY);
  IS(read(fd, old, sizeof old - 1) > 0);
  close(fd);
  long before = count_mounts();
  double started = seconds_now();
  set_limit("1000");
  IS(explode() == 10);
  IS(count_mounts() == before + 512);
  IS(0 == umount2("c", MNT_DETACH));
  IS(0 == umount2("c", MNT_DETACH));
  IS(count_mounts() == before);
  set_limit(old);
  int full = explode();
  IS(full > 10 && full < 20);
  IS(0 == mount("n", "d", "tmpfs", 0, NULL));
  IS(0 == umount("d"));
  IS(0 == umount2("c", MNT_DETACH));
  IS(0 == umount2("c", MNT_DETACH));
  IS(count_mounts() == before);
  SAY("%.1f s", seconds_now() - started);
  IS(seconds_now() - started < 30);
  leave_tree();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// cachestat(2): which pages of a file are in memory.
// run: guest
#include "check.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

enum { kPage = 4096 };

struct range {
  uint64_t offset, length;
};
struct numbers {
  uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static struct numbers last;

static long stat_cache(int fd, uint64_t offset, uint64_t length) {
  struct range range = {offset, length};
  memset(&last, 0xff, sizeof last);
  return syscall(SYS_cachestat, fd, &range, &last, 0);
}

static void tell(const char* what) {
  SAY("%s: %ld cached, %ld dirty", what, (long)last.cached, (long)last.dirty);
}

static void memory_file(void) {
  int fd = memfd_create("m", 0);
  char page[kPage] = {1};
  ftruncate(fd, 10 * kPage);
  RET(stat_cache(fd, 0, 0));
  tell("a hole");
  pwrite(fd, page, kPage, 2 * kPage);
  pwrite(fd, page, kPage, 3 * kPage);
  pwrite(fd, page, 1, 7 * kPage);
  RET(stat_cache(fd, 0, 0));
  SAY("%ld cached, %ld in writeback", (long)last.cached, (long)last.writeback);
  RET(stat_cache(fd, 0, 3 * kPage));
  SAY("%ld", (long)last.cached);
  RET(stat_cache(fd, 3 * kPage - 1, 2));
  SAY("%ld", (long)last.cached);
  RET(stat_cache(fd, 3 * kPage, 1));
  SAY("%ld", (long)last.cached);
  RET(stat_cache(fd, 4 * kPage, 0));
  SAY("%ld", (long)last.cached);
  RET(stat_cache(fd, 100 * kPage, 5));
  SAY("%ld", (long)last.cached);
  RET(stat_cache(fd, ~0ull, ~0ull));
  SAY("%ld", (long)last.cached);
  close(fd);
}

static void refusals(void) {
  struct range range = {0, 0};
  struct numbers out;
  int fd = memfd_create("m", 0), pipes[2];
  RET(syscall(SYS_cachestat, -1, &range, &out, 0));
  RET(syscall(SYS_cachestat, fd, &range, &out, 1));
  RET(syscall(SYS_cachestat, fd, NULL, &out, 0));
  RET(syscall(SYS_cachestat, fd, &range, NULL, 0));
  RET(syscall(SYS_cachestat, -1, NULL, &out, 1));
  pipe(pipes);
  RET(stat_cache(pipes[0], 0, 0));
  SAY("%ld", (long)last.cached);
  int socket = (int)syscall(SYS_eventfd2, 0, 0);
  RET(stat_cache(socket, 0, 0));
  int path = open("/proc/self/exe", O_PATH);
  RET(stat_cache(path, 0, 0));
  int directory = open("/proc", O_RDONLY);
  RET(stat_cache(directory, 0, 0));
}

// A file on a disk is dirty until it is written back.
static void disk_file(void) {
  char page[kPage] = {1};
  int fd = open("file", O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 5; ++i)
    pwrite(fd, page, kPage, i * kPage);
  RET(stat_cache(fd, 0, 0));
  SAY("%ld cached", (long)last.cached);
  RET(fsync(fd));
  RET(stat_cache(fd, 0, 0));
  tell("after fsync");
  char* m = mmap(NULL, kPage, PROT_READ, MAP_SHARED, fd, 0);
  IS(m[0] == 1);
  RET(ftruncate(fd, 2 * kPage));
  RET(stat_cache(fd, 0, 0));
  SAY("%ld cached", (long)last.cached);
  int reader = open("file", O_RDONLY);
  RET(stat_cache(reader, 0, 0));
  SAY("%ld cached", (long)last.cached);
  int writer = open("file", O_WRONLY);
  RET(stat_cache(writer, kPage, kPage));
  SAY("%ld cached", (long)last.cached);
  unlink("file");
}

int main(void) {
  scratch();
  memory_file();
  refusals();
  disk_file();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// fallocate(2): taking ranges out of a file and making room for them on ext4, which /tmp is expected to be, and what
// tmpfs refuses.
#include "check.h"

#define BLOCK 4096

// A letter for each block: that of all its bytes, '.' for zeros, '?' for a mixture.
static void blocks(int fd) {
  static char block[BLOCK];
  struct stat s;
  fstat(fd, &s);
  printf("%ld ", (long)s.st_size);
  lseek(fd, 0, SEEK_SET);
  for (long got; (got = read(fd, block, BLOCK)) > 0;) {
    int same = 1;
    for (long i = 1; i < got; i++)
      same = same && block[i] == block[0];
    putchar(!same ? '?' : block[0] ? block[0] : '.');
  }
  putchar('\n');
  fflush(stdout);
}

static void fill(int fd, int count) {
  static char block[BLOCK];
  for (int i = 0; i < count; i++) {
    memset(block, 'A' + i % 26, BLOCK);
    pwrite(fd, block, BLOCK, (off_t)i * BLOCK);
  }
}

int main(void) {
  scratch();
  int fd = open("file", O_RDWR | O_CREAT, 0644);
  fill(fd, 10);
  pwrite(fd, "end", 3, 10 * BLOCK);
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 2 * BLOCK, 3 * BLOCK));
  blocks(fd);
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, BLOCK, 2 * BLOCK));
  blocks(fd);
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK));
  blocks(fd);
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, BLOCK));
  blocks(fd);
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 1, BLOCK));
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, BLOCK, 100));
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 8 * BLOCK, 2 * BLOCK));
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 20 * BLOCK, BLOCK));
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, 100, BLOCK));
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, BLOCK, 100));
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, 20 * BLOCK, BLOCK));
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE | FALLOC_FL_KEEP_SIZE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, BLOCK, BLOCK));
  RET(fallocate(fd, 0x1000, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 0));
  blocks(fd);

  // More than is moved at once, with a hole, and a mapping that sees it.
  ftruncate(fd, 0);
  fill(fd, 60);
  RET(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 20 * BLOCK, 20 * BLOCK));
  char* seen = mmap(NULL, 64 * BLOCK, PROT_READ, MAP_SHARED, fd, 0);
  SAY("%c%c", seen[0], seen[45 * BLOCK]);
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, 3 * BLOCK, 4 * BLOCK));
  blocks(fd);
  SAY("%c%c%d", seen[2 * BLOCK], seen[49 * BLOCK], seen[3 * BLOCK]);
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 7 * BLOCK));
  blocks(fd);
  SAY("%c%c", seen[0], seen[50 * BLOCK]);
  fsync(fd);
  close(fd);
  fd = open("file", O_RDWR);
  blocks(fd);
  RET(lseek(fd, 0, SEEK_HOLE) <= 32 * BLOCK);
  close(fd);
  unlink("file");

  fd = memfd_create("memory", 0);
  fill(fd, 4);
  RET(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, BLOCK));
  RET(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, BLOCK, BLOCK));
  RET(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8 * BLOCK));
  blocks(fd);
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// /dev/shm and POSIX shared memory and semaphores over it.
#include <semaphore.h>
#include <sys/vfs.h>

#include "check.h"

int main(void) {
  struct statfs s;
  RET(statfs("/dev/shm", &s));
  SAY("%lx", (long)s.f_type);
  shm_unlink("/uni-test");
  int fd = shm_open("/uni-test", O_RDWR | O_CREAT | O_EXCL, 0600);
  IS(fd >= 0);
  RET(ftruncate(fd, 100000));
  char* a = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char* b = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  a[99999] = 'q';
  SAY("%c", b[99999]);
  RET(shm_open("/uni-test", O_RDWR | O_CREAT | O_EXCL, 0600));
  RET(shm_unlink("/uni-test"));
  RET(shm_unlink("/uni-test"));
  SAY("%c", b[99999]);
  sem_unlink("/uni-sem");
  sem_t* sem = sem_open("/uni-sem", O_CREAT | O_EXCL, 0600, 1);
  IS(sem != SEM_FAILED);
  RET(sem_wait(sem));
  RET(sem_trywait(sem));
  RET(sem_post(sem));
  RET(sem_unlink("/uni-sem"));
  RET(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
  struct stat st;
  RET(fstat(fd, &st));
  SAY("%ld", (long)st.st_size);
  return done();
}

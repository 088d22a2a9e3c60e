// SPDX-License-Identifier: Apache-2.0
// /proc/PID/mem and process_vm_readv(2) on another process: read, written, also where that one may not, and who may.
// run: processes=fork
#include "check.h"

#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

static volatile int value = 1;
static char* closed;
static const volatile char text[] = "constant";

static long at(int fd, const void* address, void* to, size_t size) {
  return pread(fd, to, size, (off_t)(uintptr_t)address);
}

int main(void) {
  closed = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(closed, "behind");
  mprotect(closed, 4096, PROT_NONE);
  munmap(closed + 4096, 4096);
  int go[2];
  pipe(go);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    value = 2;
    read(go[0], &byte, 1);
    _exit(value == 77 && text[0] == 'C' ? 3 : 4);
  }
  pause_ms(100);
  char path[64], buffer[64] = "";
  snprintf(path, sizeof path, "/proc/%d/mem", child);
  int fd = open(path, O_RDWR);
  IS(fd >= 0);
  int got = 0;
  RET(at(fd, (const void*)&value, &got, sizeof got));
  SAY("value %d, ours %d", got, value);
  RET(at(fd, closed, buffer, 7));
  SAY("%s", buffer);
  RET(at(fd, closed + 4090, buffer, 12));
  RET(at(fd, (void*)8, buffer, 8));
  RET(lseek(fd, 0, SEEK_END));
  int wanted = 77;
  RET(pwrite(fd, &wanted, sizeof wanted, (off_t)(uintptr_t)&value));
  RET(pwrite(fd, "C", 1, (off_t)(uintptr_t)text));
  SAY("ours: %s", (const char*)text);

  struct iovec mine[2] = {{buffer, 3}, {buffer + 10, 5}}, theirs[2] = {{(void*)text, 4}, {(void*)(text + 4), 4}};
  memset(buffer, '.', sizeof buffer);
  RET(process_vm_readv(child, mine, 2, theirs, 2, 0));
  SAY("%.16s", buffer);
  theirs[0].iov_base = (void*)8;
  RET(process_vm_readv(child, mine, 1, theirs, 1, 0));
  theirs[0].iov_base = (void*)text;
  RET(process_vm_writev(child, mine, 1, theirs, 1, 0));
  RET(process_vm_readv(child, mine, 1, theirs, 1, 1));
  theirs[0].iov_len = (size_t)-1;
  RET(process_vm_readv(child, mine, 1, theirs, 1, 0));
  theirs[0].iov_len = 4;
  RET(process_vm_readv(0x7ffffff, mine, 1, theirs, 1, 0));
  if (getuid() == 0) {
    pid_t stranger = fork();
    if (stranger == 0) {
      setresgid(12345, 12345, 12345);
      setresuid(12345, 12345, 12345);
      IS(prctl(PR_GET_DUMPABLE) == 0);
      IS(open(path, O_RDONLY) == -1 && errno == EACCES);
      IS(process_vm_readv(child, mine, 1, theirs, 1, 0) == -1 && errno == EPERM);
      _exit(0);
    }
    waitpid(stranger, NULL, 0);
  }
  write(go[1], "x", 1);
  int status;
  waitpid(child, &status, 0);
  SAY("exited %d", WEXITSTATUS(status));
  IS(open(path, O_RDONLY) == -1);
  RET(at(fd, (const void*)&value, &got, sizeof got));
  return done();
}

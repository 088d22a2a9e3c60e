// SPDX-License-Identifier: Apache-2.0
// memfd_secret(2): memory that only the programs which map it can read.
// run: guest processes=fork
#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "check.h"

enum { kPage = 4096 };

static int secret(unsigned flags) {
  return (int)syscall(SYS_memfd_secret, flags);
}

static void descriptor(void) {
  RET(secret(1));
  RET(secret(O_NONBLOCK));
  RET(secret(O_CLOEXEC | 2));
  int closing = secret(O_CLOEXEC);
  RET(fcntl(closing, F_GETFD));
  close(closing);
  int fd = secret(0);
  RET(fcntl(fd, F_GETFD));
  SAY("%x", fcntl(fd, F_GETFL));
  char path[64], name[64] = "", byte = 'x';
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  RET(readlink(path, name, sizeof name - 1));
  SAY("%s", name);
  RET(open(path, O_RDWR));
  struct stat st;
  RET(fstat(fd, &st));
  SAY("%o %d %ld %ld", st.st_mode, (int)st.st_nlink, (long)st.st_size, (long)st.st_blksize);
  RET(read(fd, &byte, 1));
  RET(write(fd, &byte, 1));
  RET(pread(fd, &byte, 1, 0));
  RET(lseek(fd, 0, SEEK_SET));
  RET(fallocate(fd, 0, 0, kPage));
  RET(fsync(fd));
  RET(fcntl(fd, F_GET_SEALS));
  RET(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  RET(fchmod(fd, 0640));
  fstat(fd, &st);
  SAY("%o", st.st_mode);
  RET(ftruncate(fd, 0));
  RET(ftruncate(fd, 3 * kPage));
  RET(ftruncate(fd, 3 * kPage));
  RET(ftruncate(fd, 0));
  fstat(fd, &st);
  SAY("%ld", (long)st.st_size);
  int other = open("/dev/null", O_WRONLY);
  RET(sendfile(other, fd, NULL, 10));
  int pipes[2];
  RET(pipe(pipes));
  RET(splice(fd, NULL, pipes[1], NULL, 10, 0));
  RET(copy_file_range(fd, NULL, fd, NULL, 10, 0));
  RET(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
  close(fd);
}

static void mappings(void) {
  int fd = secret(0);
  RET(ftruncate(fd, 2 * kPage));
  RET((long)mmap(NULL, kPage, PROT_READ, MAP_PRIVATE, fd, 0));
  RET((long)mmap(NULL, kPage, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
  char* m = mmap(NULL, 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  IS(m != MAP_FAILED);
  IS(m[0] == 0 && m[2 * kPage - 1] == 0);
  strcpy(m, "secret");
  RET(mprotect(m, kPage, PROT_READ | PROT_EXEC));
  RET(mprotect(m, kPage, PROT_READ));
  RET(mprotect(m, kPage, PROT_READ | PROT_WRITE));
  char* again = mmap(NULL, kPage, PROT_READ, MAP_SHARED, fd, 0);
  SAY("%s", again);
  RET(munlock(m, kPage));
  RET(madvise(m, kPage, MADV_DONTNEED));
  RET(madvise(m, kPage, MADV_REMOVE));
  RET(madvise(m, kPage, MADV_DODUMP));
  RET(madvise(m, kPage, MADV_DONTDUMP));
  RET(mlock(m, kPage));
  m[kPage] = 1;
  char* moved = mremap(again, kPage, 2 * kPage, MREMAP_MAYMOVE);
  IS(moved != MAP_FAILED && moved[kPage] == 1);
  close(fd);
  SAY("%s", m);
  pid_t child = fork();
  if (child == 0) {
    strcpy(m, "from the child");
    m[2 * kPage] = 1;  // beyond the end
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  SAY("signal %d, %s", WTERMSIG(status), m);
  munmap(m, 3 * kPage);
  SAY("%s", moved);
}

// What copies to and from a buffer works; who asks for the page itself does not get it.
static void buffers(void) {
  int fd = secret(0), pipes[2];
  ftruncate(fd, kPage);
  char* m = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char text[16] = "", byte;
  strcpy(m, "secret");
  pipe(pipes);
  RET(write(pipes[1], m, 7));
  RET(read(pipes[0], text, 7));
  SAY("%s", text);
  RET(write(pipes[1], "public", 7));
  RET(read(pipes[0], m, 7));
  SAY("%s", m);
  struct iovec part = {m, 7}, mine = {text, 7};
  RET(vmsplice(pipes[1], &part, 1, 0));
  RET(process_vm_readv(getpid(), &mine, 1, &part, 1, 0));
  RET(process_vm_writev(getpid(), &mine, 1, &part, 1, 0));
  RET(process_vm_readv(getpid(), &part, 1, &mine, 1, 0));
  int memory = open("/proc/self/mem", O_RDWR);
  RET(pread(memory, &byte, 1, (long)m));
  RET(pwrite(memory, &byte, 1, (long)m));
  RET(pread(memory, text, 4, (long)text));
  RET(syscall(SYS_futex, m, FUTEX_WAKE, 1, NULL, NULL, 0));
  RET(syscall(SYS_futex, m, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  RET(ptrace(PTRACE_PEEKDATA, child, m, 0));
  RET(ptrace(PTRACE_POKEDATA, child, m, 0));
  part.iov_base = m;
  RET(process_vm_readv(child, &mine, 1, &part, 1, 0));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

// The VmFlags of the mapping at an address.
static void flags_of(void* address, char* out, size_t size) {
  FILE* maps = fopen("/proc/self/smaps", "r");
  char line[512];
  int here = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) here = from <= (unsigned long)address && (unsigned long)address < to;
    if (here && !strncmp(line, "VmFlags:", 8)) snprintf(out, size, "%.200s", line);
  }
  fclose(maps);
}

static void shown(void) {
  int fd = secret(0);
  ftruncate(fd, kPage);
  char* m = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char flags[256] = "";
  flags_of(m, flags, sizeof flags);
  IS(strstr(flags, " lo ") != NULL);
  IS(strstr(flags, " dd ") != NULL);
  IS(strstr(flags, " sh ") != NULL);
  char line[512];
  FILE* maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps))
    if (strstr(line, "secretmem")) SAY("%.4s %.20s", strchr(line, ' ') + 1, strchr(line, '/'));
  fclose(maps);
}

// RLIMIT_MEMLOCK counts what is mapped.
static void limits(void) {
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {2 * kPage, 2 * kPage};
    RET(setrlimit(RLIMIT_MEMLOCK, &limit));
    RET(setresuid(1000, 1000, 1000));
    int fd = secret(0);
    RET(ftruncate(fd, 4 * kPage));
    RET((long)mmap(NULL, 3 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    char* m = mmap(NULL, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    IS(m != MAP_FAILED);
    RET((long)mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * kPage));
    RET(munmap(m, kPage));
    OK((long)mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * kPage));
    _exit(check_failures != 0);
  }
  int status;
  waitpid(child, &status, 0);
  RET(status);
}

int main(void) {
  descriptor();
  mappings();
  buffers();
  shown();
  limits();
  return done();
}

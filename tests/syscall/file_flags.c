// SPDX-License-Identifier: Apache-2.0
// FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (ioctl_iflags(2)): files that nobody may change, or only append to; and
// PR_SET_SECUREBITS, RLIMIT_CPU of a child, SIGPIPE's siginfo.
// run: processes=fork
#include <linux/fs.h>
#include <linux/securebits.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "check.h"

static int set(const char* path, int flags) {
  int fd = open(path, O_RDONLY), was = 0;
  if (fd < 0) return -1;
  int result = ioctl(fd, FS_IOC_GETFLAGS, &was);
  flags |= was & ~(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL);
  if (result == 0) result = ioctl(fd, FS_IOC_SETFLAGS, &flags);
  int why = errno;
  close(fd);
  errno = why;
  return result;
}

static int get(const char* path) {
  int fd = open(path, O_RDONLY), flags = 0;
  int result = ioctl(fd, FS_IOC_GETFLAGS, &flags);
  close(fd);
  return result ? -1 : flags & (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL);
}

static void immutable(void) {
  put("file", "text");
  mkdir("directory", 0755);
  put("directory/inside", "text");
  RET(get("file"));
  RET(set("file", FS_IMMUTABLE_FL));
  RET(get("file") == FS_IMMUTABLE_FL);
  RET(open("file", O_WRONLY));
  RET(open("file", O_RDWR | O_TRUNC));
  OK(open("file", O_RDONLY));
  RET(access("file", W_OK));
  RET(truncate("file", 1));
  RET(unlink("file"));
  RET(rename("file", "other"));
  RET(link("file", "other"));
  RET(chmod("file", 0600));
  RET(chown("file", 1, 1));
  RET(utimensat(AT_FDCWD, "file", NULL, 0));
  RET(setxattr("file", "user.a", "b", 1, 0));
  RET(set("directory", FS_IMMUTABLE_FL));
  RET(open("directory/new", O_WRONLY | O_CREAT, 0644));
  RET(unlink("directory/inside"));
  RET(rename("directory/inside", "directory/other"));
  RET(rmdir("directory"));
  OK(open("directory/inside", O_WRONLY));
  RET(set("directory", 0));
  RET(set("file", FS_NODUMP_FL));
  RET(get("file") == FS_NODUMP_FL);
  RET(unlink("file"));
}

static void append_only(void) {
  put("file", "text");
  int fd = open("file", O_RDWR | O_APPEND);
  RET(set("file", FS_APPEND_FL));
  RET(open("file", O_WRONLY));
  RET(open("file", O_WRONLY | O_APPEND | O_TRUNC));
  RET(write(fd, "more", 4));
  RET(fcntl(fd, F_SETFL, 0));
  RET(ftruncate(fd, 0));
  RET(truncate("file", 0));
  RET(unlink("file"));
  RET(chmod("file", 0600));
  RET(utimensat(AT_FDCWD, "file", NULL, 0));
  struct timespec times[2] = {{1, 0}, {1, 0}};
  RET(utimensat(AT_FDCWD, "file", times, 0));
  RET(setxattr("file", "user.a", "b", 1, 0));
  RET(set("directory", FS_APPEND_FL));
  OK(open("directory/new", O_WRONLY | O_CREAT, 0644));
  RET(unlink("directory/inside"));
  RET(set("directory", 0));
  RET(set("file", 0));
  RET(ioctl(fd, FS_IOC_SETFLAGS, NULL));
  RET(ioctl(fd, FS_IOC_GETFLAGS, NULL));
  close(fd);
  int pipes[2], flags = 0;
  RET(pipe(pipes));
  RET(ioctl(pipes[0], FS_IOC_GETFLAGS, &flags));
  close(pipes[0]);
  close(pipes[1]);
}

static void not_root(void) {
  chmod(".", 0755);
  chmod("file", 0666);
  fflush(stdout);
  if (fork() == 0) {
    RET(setresuid(12345, 12345, 12345));
    RET(set("file", FS_APPEND_FL));
    RET(set("file", FS_NODUMP_FL));
    exit(0);
  }
  wait(NULL);
}

static void secure_bits(void) {
  RET(prctl(PR_SET_SECUREBITS, 1 << 20, 0, 0, 0));
  RET(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  RET(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
  RET(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT, 0, 0, 0));
  RET(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
  RET(setresuid(-1, 1000, -1));
  RET(setresuid(-1, 0, -1));
  RET(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0));
  RET(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  RET(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
  RET(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED | SECBIT_KEEP_CAPS, 0, 0, 0));
  fflush(stdout);
  if (fork() == 0) {
    RET(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    RET(setresuid(1000, 1000, 1000));
    RET(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0));
    exit(0);
  }
  wait(NULL);
}

static void limited_child(void) {
  pid_t pid = fork();
  if (pid == 0) {
    setrlimit(RLIMIT_CPU, &(struct rlimit){1, 1});
    if (fork() == 0)
      for (;;) {
      }
    int status = 0;
    wait(&status);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 99);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  SAY("the grandchild ends by %s",
      WEXITSTATUS(status) == SIGKILL || WEXITSTATUS(status) == SIGXCPU ? "the limit" : "something else");
}

static siginfo_t seen;
static void note(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  seen = *info;
}

static void broken_pipe(void) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
  sigaction(SIGPIPE, &action, NULL);
  int pipes[2];
  RET(pipe(pipes));
  close(pipes[0]);
  RET(write(pipes[1], "x", 1));
  SAY("code %d", seen.si_code);
  IS(seen.si_pid == getpid() && seen.si_uid == getuid());
  close(pipes[1]);
}

int main(void) {
  scratch();
  immutable();
  append_only();
  not_root();
  broken_pipe();
  limited_child();
  secure_bits();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// run: processes=exec
// landlock(7): what each right of the file system allows, layers, inheritance, and moves between directories.
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "landlock.h"

static int open_close(const char* path, int flags) {
  const int fd = open(path, flags, 0644);
  if (fd >= 0) close(fd);
  return fd >= 0 ? 0 : -1;
}

static void opening(void) {
  enter(kReadFile | kWriteFile | kReadDir | kTruncate,
        (const struct given[]){{"in", kReadFile | kReadDir}, {"in/deep/writable", kWriteFile}, {NULL, 0}});
  RET(open_close("in/file", O_RDONLY));
  RET(open_close("in/file", O_WRONLY));
  RET(open_close("in/file", O_RDWR));
  RET(open_close("in/deep/file", O_RDONLY));
  RET(open_close("in/deep/writable", O_RDWR));
  RET(open_close("in/deep/writable", O_RDWR | O_TRUNC));
  RET(open_close("in", O_RDONLY | O_DIRECTORY));
  RET(open_close("out", O_RDONLY | O_DIRECTORY));
  RET(open_close("out/file", O_RDONLY));
  RET(open_close("out/file", O_PATH));
  RET(open_close("out", O_PATH));
  RET(open_close("in/link", O_RDONLY));  // leads out
  RET(open_close("in/absent", O_RDONLY));
  RET(open_close("out/absent", O_RDONLY));
  RET(open_close("out/new", O_WRONLY | O_CREAT));  // made, but not opened
  RET(access("out/new", F_OK));
  struct stat status;
  RET(stat("out/file", &status));
  RET(chmod("out/file", 0600));
  RET(chdir("out"));
  RET(open_close("../in/file", O_RDONLY));
  RET(open_close(".", O_RDONLY));
}

static void truncating(void) {
  const int before = open("in/file", O_RDWR);
  enter(kTruncate | kWriteFile, (const struct given[]){{"in", kWriteFile}, {"out", kWriteFile | kTruncate}, {NULL, 0}});
  const int within = open("in/file", O_WRONLY), outside = open("out/file", O_WRONLY);
  RET(truncate("in/file", 3));
  RET(ftruncate(within, 3));
  RET(ftruncate(before, 4));  // opened before: not bound
  RET(truncate("out/file", 3));
  RET(ftruncate(outside, 3));
  RET(open_close("in/file", O_WRONLY | O_TRUNC));
  RET(open_close("in/new", O_WRONLY | O_TRUNC | O_CREAT));
  RET(open_close("out/file", O_WRONLY | O_TRUNC));
  RET(creat("in/file", 0644) < 0 ? -1 : 0);
  const int memory = memfd_create("memory", 0);
  RET(ftruncate(memory, 100));
}

static void making(void) {
  enter(kMakeReg | kMakeDir | kMakeSym | kMakeFifo | kMakeSock | kMakeChar | kRemoveFile | kRemoveDir,
        (const struct given[]){
            {"in", kMakeReg | kMakeSym | kRemoveDir}, {"out", kMakeDir | kMakeFifo | kRemoveFile}, {NULL, 0}});
  for (int i = 0; i < 2; ++i) {
    RET(chdir(i == 0 ? "in" : "../out"));
    RET(open_close("regular", O_WRONLY | O_CREAT));
    RET(open_close("file", O_WRONLY | O_CREAT));
    RET(mknod("node", S_IFREG | 0600, 0));
    RET(mkdir("directory", 0755));
    RET(mkdir("deep", 0755));
    RET(symlink("target", "symlink"));
    RET(mkfifo("fifo", 0600));
    RET(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
    const int s = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {AF_UNIX, "socket"};
    RET(bind(s, (struct sockaddr*)&name, sizeof name));
    close(s);
    RET(unlink("file"));
    RET(unlink("absent"));
    RET(rmdir("empty"));
    RET(rmdir("deep"));
    RET(rmdir("absent"));
    RET(open_close(".", O_TMPFILE | O_RDWR));
  }
}

// Names within one directory need no more than to make and to remove.
static void renaming(void) {
  enter(kMakeReg | kRemoveFile | kMakeDir | kRemoveDir,
        (const struct given[]){{"in", kMakeReg | kRemoveFile}, {"out", kMakeReg}, {NULL, 0}});
  RET(rename("in/file", "in/renamed"));
  RET(rename("in/empty", "in/other"));
  RET(rename("out/file", "out/renamed"));
  RET(link("out/file", "out/linked"));
  RET(link("in/renamed", "in/linked"));
  // Other directories want LANDLOCK_ACCESS_FS_REFER, which nobody named.
  RET(rename("in/renamed", "in/deep/renamed"));
  RET(link("in/renamed", "out/linked2"));
  RET(rename("in/renamed", "out/renamed"));
  RET(rename("out/file", "in/from-out"));
  RET(rename("in/absent", "out/absent"));
  RET(renameat2(AT_FDCWD, "in/renamed", AT_FDCWD, "out/file", 2));
  RET(renameat2(AT_FDCWD, "in/renamed", AT_FDCWD, "in/linked", 2));
}

static void referring(void) {
  enter(kMakeReg | kRemoveFile | kRefer | kReadFile | kMakeDir,
        (const struct given[]){{"in", kMakeReg | kRemoveFile | kRefer | kReadFile},
                               {"in/deep", kMakeDir},
                               {"out", kMakeReg | kRemoveFile | kRefer},
                               {NULL, 0}});
  // Within `in` the rights stay; to `out` one is lost, from `out` one would be gained.
  RET(rename("in/file", "in/deep/moved"));
  RET(rename("in/deep/moved", "in/file"));
  RET(rename("in/file", "out/from-in"));
  RET(rename("out/from-in", "in/back"));
  RET(link("out/file", "in/linked"));
  RET(link("in/deep/file", "out/linked"));
  RET(rename("in/empty", "in/deep/empty"));
  RET(renameat2(AT_FDCWD, "in/deep/file", AT_FDCWD, "out/file", 2));
  RET(renameat2(AT_FDCWD, "in/deep/file", AT_FDCWD, "in/deep/writable", 2));
}

// A file whose own rule gives it what the new place lacks may move there.
static void referring_with_own_rule(void) {
  enter(kRefer | kReadFile | kMakeReg | kRemoveFile,
        (const struct given[]){
            {".", kRefer | kMakeReg | kRemoveFile}, {"in", kReadFile}, {"out/file", kReadFile}, {NULL, 0}});
  RET(rename("out/file", "in/gained"));
  RET(rename("in/gained", "out/file"));
  RET(rename("out/other", "in/other"));
}

static void layers(void) {
  enter(kReadFile, (const struct given[]){{"in", kReadFile}, {NULL, 0}});
  enter(kReadFile | kWriteFile,
        (const struct given[]){{"in/deep", kReadFile | kWriteFile}, {"out", kReadFile}, {NULL, 0}});
  RET(open_close("in/file", O_RDONLY));
  RET(open_close("in/deep/file", O_RDONLY));
  RET(open_close("in/deep/file", O_RDWR));
  RET(open_close("out/file", O_RDONLY));
  // What is added to a ruleset later, and a rule on what was bound already, change nothing.
  const int ruleset = make_ruleset(kReadFile, 0, 0);
  RET(restrict_self(ruleset, 0));
  RET(allow(ruleset, "/", kReadFile));
  RET(open_close("in/deep/file", O_RDONLY));
}

static void running(void) {
  enter(kExecute | kReadFile, (const struct given[]){{"/", kReadFile}, {"/proc", kExecute}, {NULL, 0}});
  char* const arguments[] = {"again", NULL};
  RET(execv("in/program", arguments));
}

static void running_allowed(void) {
  enter(kExecute | kReadFile, (const struct given[]){{"/", kReadFile | kExecute}, {NULL, 0}});
  enter(kReadFile, (const struct given[]){{"/", kReadFile}, {NULL, 0}});
  enter(kMakeDir, (const struct given[]){{"/", kMakeDir}, {NULL, 0}});
  enter(kReadDir, (const struct given[]){{"in", kReadDir}, {NULL, 0}});
  char* const arguments[] = {"again", "inherited", NULL};
  RET(execv("in/program", arguments));
}

// The trees of mounts, and files without one.
static void elsewhere(void) {
  int ends[2];
  pipe(ends);
  enter(kReadFile | kWriteFile | kIoctlDev,
        (const struct given[]){{"/proc", kReadFile | kWriteFile},
                               {"/dev/zero", kReadFile | kWriteFile},
                               {"/dev/null", kAll & (kReadFile | kWriteFile | kIoctlDev)},
                               {NULL, 0}});
  RET(mount("none", "in", "tmpfs", 0, NULL));
  RET(umount("/proc"));
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
  RET(open_close(path, O_WRONLY));
  RET(open_close("/proc/self/status", O_RDONLY));
  RET(open_close("/proc/self/cwd/in/file", O_RDONLY));
  const int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
  int number = 0;
  RET(ioctl(zero, FIONREAD, &number));
  RET(ioctl(zero, FIONBIO, &number));
  RET(ioctl(zero, TCGETS, path));
  RET(ioctl(null, TCGETS, path));
  RET(ioctl(zero, FIOCLEX));
}

static void* restrict_thread(void* unused) {
  enter(kReadFile, (const struct given[]){{NULL, 0}});
  RET(open_close("in/file", O_RDONLY));
  return unused;
}

static void threads(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, restrict_thread, NULL);
  pthread_join(thread, NULL);
  RET(open_close("in/file", O_RDONLY));  // this one is free
}

// Each part gets the same files anew.
static void prepare(void) {
  static int number;
  char part[16];
  snprintf(part, sizeof part, "%d", ++number);
  (void)!chdir(check_directory);
  (void)!mkdir(part, 0755);
  (void)!chdir(part);
  mkdir("in", 0755);
  mkdir("in/deep", 0755);
  mkdir("in/empty", 0755);
  mkdir("out", 0755);
  mkdir("out/deep", 0755);
  mkdir("out/empty", 0755);
  put("in/file", "inside");
  put("in/deep/file", "deep inside");
  put("in/deep/writable", "writable");
  put("out/file", "outside");
  put("out/other", "other");
  (void)!symlink("../out/file", "in/link");
}

static void copy_self(void) {
  const int from = open("/proc/self/exe", O_RDONLY), to = open("in/program", O_WRONLY | O_CREAT, 0755);
  struct stat status;
  fstat(from, &status);
  while (sendfile(to, from, NULL, (size_t)status.st_size) > 0)
    ;
  close(from);
  close(to);
}

int main(int count, char** arguments) {
  if (count > 1 && strcmp(arguments[1], "inherited") == 0) {
    SAY("run again");
    RET(open_close("in", O_RDONLY | O_DIRECTORY));
    RET(open_close("out", O_RDONLY | O_DIRECTORY));
    return 0;
  }
  scratch();
  static const struct {
    const char* title;
    void (*body)(void);
  } kParts[] = {
      {"opening", opening},     {"truncating", truncating}, {"making", making},
      {"renaming", renaming},   {"referring", referring},   {"a file with its own rule", referring_with_own_rule},
      {"layers", layers},       {"running", running},       {"running, allowed", running_allowed},
      {"elsewhere", elsewhere}, {"threads", threads}};
  for (size_t i = 0; i < sizeof kParts / sizeof kParts[0]; ++i) {
    prepare();
    copy_self();
    apart(kParts[i].title, kParts[i].body);
  }
  return check_failures;
}

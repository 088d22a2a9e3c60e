// SPDX-License-Identifier: Apache-2.0
// mount(2) and umount2(2): binding with and without what is below, moving, flags of one mount, detaching, expiry, and
// the order of the errors.
#include <sys/statvfs.h>
#include "mounts.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

static void binding(void) {
  mkdir("a/in", 0755);
  RET(mount("one", "a/in", "tmpfs", 0, "size=64k,mode=700"));
  put("a/in/file", "text");
  put("a/below", "under");
  RET(mount("a", "b", NULL, MS_BIND, NULL));
  RET(access("b/in/file", F_OK));
  show("b/below");
  RET(mount("a", "c", NULL, MS_BIND | MS_REC, NULL));
  show("c/in/file");
  RET(mount("a/in/file", "d", NULL, MS_BIND, NULL));
  RET(mount("d", "a/below", NULL, MS_BIND, NULL));
  put("target", "covered");
  RET(mount("a/in/file", "target", NULL, MS_BIND, NULL));
  show("target");
  show_tree("bound");
  put("c/in/more", "new");
  show("a/in/more");
  RET(rename("a/below", "b/elsewhere"));
  RET(link("a/below", "c/link"));
  RET(link("c/below", "c/link"));
  RET(rmdir("a/in"));
  RET(unlink("target"));
  RET(umount("b/in"));
  RET(umount("c"));
  RET(umount2("c", MNT_DETACH));
  RET(access("c/in", F_OK));
  RET(umount("target"));
  show("target");
  RET(umount("b"));
  RET(umount("a/in"));
  RET(access("a/in/file", F_OK));
  show_tree("unbound");
}

static void mounting_deep_in_a_bound_tree(void) {
  mkdir("a/x", 0755);
  mkdir("a/x/y", 0755);
  mkdir("a/x/y/z", 0755);
  RET(mount("a", "b", NULL, MS_BIND, NULL));
  RET(mount("deep", "b/x/y/z", "tmpfs", 0, NULL));
  put("b/x/y/z/here", "1");
  RET(access("b/x/y/z/here", F_OK));
  RET(access("a/x/y/z/here", F_OK));
  RET(rename("b/x", "b/w"));
  RET(access("b/w/y/z/here", F_OK));
  RET(mkdir("b/w/new", 0755));
  RET(access("a/w/new", F_OK));
  show_tree("renamed");
  RET(umount("b/w/y/z"));
  RET(umount("b"));
}

static void moving(void) {
  mkdir("a/p", 0755);
  mkdir("a/q", 0755);
  RET(mount("m", "a/p", "tmpfs", 0, NULL));
  mkdir("a/p/sub", 0755);
  RET(mount("s", "a/p/sub", "tmpfs", 0, NULL));
  RET(mount("a/p", "a/q", NULL, MS_MOVE, NULL));
  show_tree("moved");
  RET(mount("a/q", "a/q/sub", NULL, MS_MOVE, NULL));
  RET(mount("a/q", "a/q", NULL, MS_MOVE, NULL));
  RET(mount("a", "b", NULL, MS_MOVE, NULL));
  RET(mount("a/q", "nowhere", NULL, MS_MOVE, NULL));
  RET(mount("nowhere", "b", NULL, MS_MOVE, NULL));
  RET(mount("", "b", NULL, MS_MOVE, NULL));
  RET(mount(NULL, "b", NULL, MS_MOVE, NULL));
  put("plain", "");
  RET(mount("a/q", "plain", NULL, MS_MOVE, NULL));
  int fd = open("a/q/sub", O_RDONLY);
  RET(mount("a/q", "b", NULL, MS_MOVE, NULL));
  RET(mkdirat(fd, "through", 0755));
  RET(access("b/sub/through", F_OK));
  close(fd);
  RET(umount2("b", MNT_DETACH));
  show_tree("detached");
}

static unsigned long flags_of(const char* path) {
  struct statvfs s;
  return statvfs(path, &s) ? 0 : s.f_flag & 0x2fff;
}

static void flags(void) {
  RET(mount("f", "a", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
  put("a/file", "x");
  symlink("file", "a/link");
  RET(mount("a", "b", NULL, MS_BIND | MS_RDONLY | MS_NOEXEC, NULL));
  show_tree("a bind mount takes the flags of what it is bound from");
  RET(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC, NULL));
  show_tree("remounted");
  RET(open("b/file", O_WRONLY));
  RET(open("b/none", O_WRONLY | O_CREAT, 0644));
  RET(unlink("b/file"));
  RET(access("b/file", W_OK));
  RET(utimensat(AT_FDCWD, "b/file", NULL, 0));
  RET(chmod("a/file", 0755));
  RET(access("b/file", X_OK));
  RET(execl("b/file", "file", NULL));
  int fd = open("b/file", O_RDONLY);
  IS(mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EPERM);
  void* page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
  RET(mprotect(page, 1, PROT_READ | PROT_EXEC));
  munmap(page, 1);
  close(fd);
  SAY("%lx %lx", flags_of("a"), flags_of("b"));
  const unsigned long each[] = {
      MS_NOATIME, MS_NODIRATIME, MS_STRICTATIME, MS_RELATIME, MS_NOATIME | MS_STRICTATIME, MS_NOSYMFOLLOW, 0};
  for (unsigned i = 0; i < sizeof each / sizeof *each; i++) {
    RET(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | each[i], NULL));
    SAY("%lx", flags_of("b"));
  }
  RET(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NODIRATIME | MS_NOSYMFOLLOW, NULL));
  RET(open("b/link", O_RDONLY));
  RET(close(open("b/link", O_PATH | O_NOFOLLOW)));
  RET(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
  show_tree("access times stay");
  fd = open("a/file", O_WRONLY);
  RET(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
  RET(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL));
  close(fd);
  RET(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL));
  RET(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND, NULL));
  show_tree("the file system is read-only");
  RET(open("b/file", O_WRONLY));
  RET(mount(NULL, "a", NULL, MS_REMOUNT | MS_SYNCHRONOUS | MS_DIRSYNC, "size=1m"));
  show_tree("written again");
  RET(mount(NULL, "a", NULL, MS_REMOUNT, "nonsense"));
  RET(mount(NULL, "a/file", NULL, MS_REMOUNT | MS_BIND, NULL));
  RET(mount(NULL, "c", NULL, MS_REMOUNT, NULL));
  RET(umount("b"));
  RET(umount("a"));
}

static void access_times(void) {
  struct stat before, after;
  char byte;
  RET(mount("t", "a", "tmpfs", MS_NOATIME, NULL));
  put("a/file", "x");
  RET(mount("a", "b", NULL, MS_BIND, NULL));
  RET(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RELATIME, NULL));
  stat("a/file", &before);
  pause_ms(20);
  int fd = open("a/file", O_RDONLY);
  read(fd, &byte, 1);
  close(fd);
  stat("a/file", &after);
  IS(before.st_atim.tv_sec == after.st_atim.tv_sec && before.st_atim.tv_nsec == after.st_atim.tv_nsec);
  fd = open("b/file", O_RDONLY);
  read(fd, &byte, 1);
  close(fd);
  stat("a/file", &after);
  IS(before.st_atim.tv_nsec != after.st_atim.tv_nsec);
  umount("b");
  umount("a");
}

static void unmounting(void) {
  RET(mount("u", "a", "tmpfs", 0, NULL));
  mkdir("a/sub", 0755);
  int fd = open("a/sub", O_RDONLY | O_DIRECTORY);
  RET(umount("a"));
  RET(umount2("a", MNT_FORCE));
  RET(umount2("a", MNT_EXPIRE));
  close(fd);
  RET(umount2("a", MNT_EXPIRE | MNT_FORCE));
  RET(umount2("a", MNT_EXPIRE | MNT_DETACH));
  RET(umount2("a", 0x100));
  RET(umount2("a", MNT_EXPIRE));
  RET(access("a", F_OK));
  RET(umount2("a", MNT_EXPIRE));
  RET(umount2("a", MNT_EXPIRE));
  RET(umount2("a", MNT_EXPIRE));
  RET(mount("u", "a", "tmpfs", 0, NULL));
  RET(mount("v", "a", "tmpfs", 0, NULL));
  symlink("a", "s");
  RET(umount2("s", UMOUNT_NOFOLLOW));
  RET(umount2("s", 0));
  show_tree("one of two is left");
  mkdir("a/sub", 0755);
  RET(mount("w", "a/sub", "tmpfs", 0, NULL));
  put("a/sub/file", "kept");
  RET(umount("a"));
  fd = open("a/sub", O_RDONLY | O_DIRECTORY);
  RET(umount2("a", MNT_DETACH));
  show_tree("all gone");
  RET(faccessat(fd, "file", F_OK, 0));
  RET(faccessat(fd, "../sub", F_OK, 0));
  close(fd);
  RET(umount("nowhere"));
  RET(umount(""));
  RET(umount("b"));
  RET(umount((char*)8));
}

static void errors(void) {
  put("file", "");
  RET(mount("x", "b", "nosuch", 0, NULL));
  RET(mount("x", "b", NULL, 0, NULL));
  RET(mount("x", "file", "tmpfs", 0, NULL));
  RET(mount("x", "nowhere", "tmpfs", 0, NULL));
  RET(mount("x", "b", "tmpfs", 0, "nosuch=1"));
  RET(mount("x", "b", "tmpfs", 0, "size=x"));
  RET(mount("x", "b", "tmpfs", 0, "mode=9"));
  RET(mount(NULL, "b", NULL, MS_BIND, NULL));
  RET(mount("", "b", NULL, MS_BIND, NULL));
  RET(mount("nowhere", "b", NULL, MS_BIND, NULL));
  RET(mount("a", "file", NULL, MS_BIND, NULL));
  RET(mount((char*)8, "b", "tmpfs", 0, NULL));
  RET(mount("x", (char*)8, "tmpfs", 0, NULL));
  RET(mount("x", "b", (char*)8, 0, NULL));
  RET(mount(NULL, "b", NULL, MS_PRIVATE, NULL));
  RET(mount(NULL, ".", NULL, MS_PRIVATE | MS_SLAVE, NULL));
  RET(mount(NULL, ".", NULL, MS_PRIVATE | MS_NOSUID, NULL));
  RET(mount(NULL, ".", NULL, MS_UNBINDABLE, NULL));
  RET(mount("a", "b", NULL, MS_BIND, NULL));
  RET(mount(NULL, ".", NULL, MS_PRIVATE, NULL));
  RET(mount("x", "b", "tmpfs", 0, "size=1m,mode=750,uid=7,gid=9"));
  struct stat s;
  stat("b", &s);
  SAY("%o %d %d", s.st_mode, s.st_uid, s.st_gid);
  show_tree("options");
  umount("b");
  seteuid(1000);
  RET(mount("x", "b", "tmpfs", 0, NULL));
  RET(mount("x", "nowhere", "tmpfs", 0, NULL));
  RET(umount("b"));
  RET(umount("nowhere"));
  seteuid(0);
}

int main(void) {
  own_tree();
  binding();
  mounting_deep_in_a_bound_tree();
  moving();
  flags();
  access_times();
  unmounting();
  errors();
  leave_tree();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// The mount calls on descriptors: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2) and
// mount_setattr(2), and what a context's descriptor says of an error.
#include "mounts.h"

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200
#endif
#define RECURSIVE 0x8000

static void messages(int fd) {
  char text[512];
  for (;;) {
    errno = 0;
    long got = read(fd, text, sizeof text - 1);
    if (got < 0) {
      SAY("log: %s", error_name(errno));
      return;
    }
    text[got] = 0;
    printf("log %ld: %s%s", got, text, got && text[got - 1] == '\n' ? "" : "|\n");
  }
}

static void contexts(void) {
  RET(fsopen("nosuch", 0));
  RET(fsopen("tmpfs", 2));
  RET(fsopen((char*)8, 0));
  int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), plain = open(".", O_RDONLY);
  char link[64] = "", path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fs);
  readlink(path, link, sizeof link - 1);
  SAY("%s %x %x", link, fcntl(fs, F_GETFD), fcntl(fs, F_GETFL) & O_ACCMODE);
  messages(fs);
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, NULL, NULL, 0));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", "x", 0));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 1));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "size", NULL, 0));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "size", "1m", 1));
  RET(fsconfig(fs, FSCONFIG_SET_FD, "source", NULL, -1));
  RET(fsconfig(fs, FSCONFIG_SET_FD, "source", NULL, 999));
  RET(fsconfig(fs, FSCONFIG_CMD_CREATE, "x", NULL, 0));
  RET(fsconfig(fs, 99, NULL, NULL, 0));
  RET(fsconfig(plain, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  RET(fsconfig(-1, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  RET(fsconfig(999, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, (char*)8, NULL, 0));
  messages(fs);
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "nosuch", NULL, 0));
  messages(fs);
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "nosuch", "x", 0));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "size", "x", 0));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "mode", "9", 0));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "size", NULL, 0));
  char small[4];
  RET(read(fs, small, sizeof small));
  messages(fs);
  RET(write(fs, "x", 1));
  RET(fsmount(fs, 0, 0));
  RET(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "source", "one", 0));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "source", "two", 0));
  messages(fs);
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "size", "2m", 0));
  RET(fsconfig(fs, FSCONFIG_SET_STRING, "mode", "700", 0));
  RET(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  RET(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  RET(fsmount(fs, 2, 0));
  RET(fsmount(fs, 0, 0x1000));
  RET(fsmount(fs, 0, MOUNT_ATTR__ATIME));
  RET(fsmount(plain, 0, 0));
  RET(fsmount(999, 0, 0));
  int mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
  IS(mount >= 0);
  SAY("%x %x", fcntl(mount, F_GETFD), fcntl(mount, F_GETFL) & O_PATH);
  RET(fsmount(fs, 0, 0));
  RET(close(openat(mount, "file", O_CREAT | O_WRONLY, 0644)));
  snprintf(path, sizeof path, "/proc/self/fd/%d", mount);
  memset(link, 0, sizeof link);
  readlink(path, link, sizeof link - 1);
  SAY("%s", link);
  show_tree("nowhere yet");
  RET(move_mount(mount, "", AT_FDCWD, "a", 0));
  RET(move_mount(mount, "", AT_FDCWD, "a", 0x1000));
  RET(move_mount(mount, "", AT_FDCWD, "nowhere", MOVE_MOUNT_F_EMPTY_PATH));
  RET(move_mount(plain, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH));
  RET(move_mount(fs, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH));
  RET(move_mount(mount, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH));
  show_tree("moved into the tree");
  RET(access("a/file", F_OK));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  RET(fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
  show_tree("reconfigured");
  RET(fspick(AT_FDCWD, "a/file", 0));
  RET(fspick(AT_FDCWD, "nowhere", 0));
  RET(fspick(AT_FDCWD, "a", 0x100));
  int pick = fspick(AT_FDCWD, "a", FSPICK_CLOEXEC);
  IS(pick >= 0);
  RET(fsconfig(pick, FSCONFIG_SET_FLAG, "rw", NULL, 0));
  RET(fsconfig(pick, FSCONFIG_SET_STRING, "size", "1m", 0));
  RET(fsconfig(pick, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  RET(fsconfig(pick, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
  show_tree("picked");
  close(pick);
  close(fs);
  close(mount);
  close(plain);
  RET(umount2("a", MNT_DETACH));
  fs = fsopen("ext4", 0);
  RET(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0);
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  close(fs);
}

static void trees(void) {
  mkdir("a/in", 0755);
  RET(mount("one", "a/in", "tmpfs", 0, NULL));
  put("a/in/file", "text");
  RET(open_tree(AT_FDCWD, "a", 0x10));
  RET(open_tree(AT_FDCWD, "a", RECURSIVE));
  RET(open_tree(AT_FDCWD, "nowhere", 0));
  RET(open_tree(AT_FDCWD, "", 0));
  int fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLOEXEC);
  SAY("%x %x", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & O_PATH);
  RET(faccessat(fd, "in/file", F_OK, 0));
  RET(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
  close(fd);
  fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE);
  RET(faccessat(fd, "in", F_OK, 0));
  RET(faccessat(fd, "in/file", F_OK, 0));
  close(fd);
  fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | RECURSIVE);
  RET(faccessat(fd, "in/file", F_OK, 0));
  RET(faccessat(fd, "../in/file", F_OK, 0));
  show_tree("a clone is not seen");
  int second = openat(fd, "in", O_PATH);
  RET(move_mount(second, "", AT_FDCWD, "c", MOVE_MOUNT_F_EMPTY_PATH));
  RET(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
  RET(move_mount(second, "", AT_FDCWD, "c", MOVE_MOUNT_F_EMPTY_PATH));
  show_tree("attached, and a part moved on");
  RET(move_mount(AT_FDCWD, "c", fd, "in", 0));
  show_tree("moved back");
  close(second);
  RET(umount("b/in"));
  close(fd);
  RET(umount("b"));
  fd = open_tree(AT_FDCWD, "a/in/file", OPEN_TREE_CLONE);
  RET(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
  close(open("target", O_CREAT | O_WRONLY, 0644));
  RET(move_mount(fd, "", AT_FDCWD, "target", MOVE_MOUNT_F_EMPTY_PATH));
  show("target");
  close(fd);
  RET(umount("target"));
  symlink("a/in", "link");
  fd = open_tree(AT_FDCWD, "link", OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
  struct stat s;
  IS(!fstat(fd, &s) && S_ISLNK(s.st_mode));
  close(fd);
  fd = open_tree(AT_FDCWD, "link", OPEN_TREE_CLONE);
  int again = open_tree(fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  close(fd);
  RET(faccessat(again, "file", F_OK, 0));
  RET(move_mount(again, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
  RET(move_mount(AT_FDCWD, "b", AT_FDCWD, "a/in", MOVE_MOUNT_BENEATH));
  show_tree("beneath");
  RET(umount("a/in"));
  close(again);
  RET(umount("a/in"));
  RET(mount("one", "a/in", "tmpfs", 0, NULL));
  RET(mount(NULL, "a/in", NULL, MS_SHARED, NULL));
  mkdir("a/in/sub", 0755);
  RET(mount("a/in", "b", NULL, MS_BIND, NULL));
  RET(mount(NULL, "b", NULL, MS_PRIVATE, NULL));
  RET(move_mount(AT_FDCWD, "a/in", AT_FDCWD, "b", 0x100));
  RET(move_mount(AT_FDCWD, "a/in", AT_FDCWD, "b", 0x100));
  RET(move_mount(AT_FDCWD, "a/in", AT_FDCWD, "c", 0x100));
  show_tree("the same group");
  RET(umount("b"));
  RET(umount("a/in"));
}

static int setattr(const char* path, unsigned flags, unsigned long set, unsigned long clear,
                   unsigned long propagation) {
  struct mount_attr attr = {set, clear, propagation, 0};
  return mount_setattr(AT_FDCWD, path, flags, &attr, sizeof attr);
}

static void attributes(void) {
  mkdir("a/in", 0755);
  RET(mount("out", "a", "tmpfs", 0, NULL));
  mkdir("a/in", 0755);
  RET(mount("in", "a/in", "tmpfs", 0, NULL));
  struct mount_attr attr = {0};
  RET(mount_setattr(AT_FDCWD, "a", 0, &attr, 16));
  RET(mount_setattr(AT_FDCWD, "a", 0, &attr, 5000));
  RET(mount_setattr(AT_FDCWD, "a", 0, NULL, sizeof attr));
  RET(mount_setattr(AT_FDCWD, "a", 1, &attr, sizeof attr));
  struct {
    struct mount_attr attr;
    long more;
  } large = {.more = 1};
  RET(mount_setattr(AT_FDCWD, "a", 0, &large.attr, sizeof large));
  RET(setattr("nowhere", 0, 0, 0, 0));
  RET(setattr("nowhere", 0, MOUNT_ATTR_RDONLY, 0, 0));
  RET(setattr("c", 0, MOUNT_ATTR_RDONLY, 0, 0));
  RET(setattr("a", 0, 0x800, 0, 0));
  RET(setattr("a", 0, MOUNT_ATTR_NOATIME, 0, 0));
  RET(setattr("a", 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NOATIME, 0));
  RET(setattr("a", 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0));
  RET(setattr("a", 0, 0, 0, MS_PRIVATE | MS_SHARED));
  RET(setattr("a", 0, 0, 0, MS_NOSUID));
  RET(setattr("a", 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0));
  show_tree("noatime");
  RET(setattr("a", RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODIRATIME, MOUNT_ATTR__ATIME, 0));
  show_tree("all read-only");
  RET(open("a/in/file", O_CREAT | O_WRONLY, 0644));
  RET(setattr("a/in", 0, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MS_SHARED));
  int fd = open("a/in/file", O_CREAT | O_WRONLY, 0644);
  IS(fd >= 0);
  RET(setattr("a", RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0, 0));
  show_tree("nothing has changed where one was busy");
  close(fd);
  RET(setattr("a", RECURSIVE, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, MS_SHARED));
  show_tree("all shared");
  RET(setattr("a", RECURSIVE, 0, 0, MS_UNBINDABLE));
  fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE);
  RET(fd);
  RET(setattr("a", 0, 0, 0, MS_PRIVATE));
  fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | RECURSIVE);
  attr.attr_set = MOUNT_ATTR_RDONLY;
  RET(mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr));
  RET(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
  show_tree("changed before it was attached");
  close(fd);
  umount("b");
  umount2("a", MNT_DETACH);
}

static void without_rights(void) {
  int fs = fsopen("tmpfs", 0);
  seteuid(1000);
  RET(fsopen("nosuch", 0));
  RET(fspick(AT_FDCWD, "nowhere", 0));
  RET(fsmount(fs, 0, 0));
  RET(open_tree(AT_FDCWD, "nowhere", OPEN_TREE_CLONE));
  RET(close(open_tree(AT_FDCWD, "a", 0)));
  RET(move_mount(AT_FDCWD, "nowhere", AT_FDCWD, "nowhere", 0x1000));
  RET(setattr("nowhere", 0, 1, 0, 0));
  RET(fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
  RET(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  seteuid(0);
  close(fs);
}

int main(void) {
  own_tree();
  contexts();
  trees();
  attributes();
  without_rights();
  leave_tree();
  return done();
}

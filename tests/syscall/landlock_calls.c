// SPDX-License-Identifier: Apache-2.0
// run: processes=fork
// landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2): versions, sizes, errors and their order.
#include <sys/socket.h>

#include "landlock.h"

static void sizes(void) {
  struct {
    struct ruleset known;
    uint64_t more[2];
  } a = {{kReadFile, 0, 0}, {0, 0}};
  for (size_t size = 0; size <= sizeof a; size += 4) {
    const long fd = syscall(444, &a, size, 0);
    SAY("%zu bytes: %s", size, fd >= 0 ? "ok" : error_name(errno));
    if (fd >= 0) close((int)fd);
  }
  a.more[1] = 1;
  RET(syscall(444, &a, 24 + 8, 0) > 0);
  RET(syscall(444, &a, sizeof a, 0));
  RET(syscall(444, &a, 4097, 0));
  RET(syscall(444, NULL, 24, 0));
  RET(syscall(444, NULL, 0, 0));
  RET(syscall(444, (void*)8, 24, 0));
}

static void rules(void) {
  const int fs = make_ruleset(kReadFile | kReadDir, 0, 0), net = make_ruleset(0, kBindTcp, 0);
  struct beneath b = {kReadFile, open("/", O_PATH)};
  RET(add_rule(fs, 1, &b, 0));
  RET(add_rule(fs, 1, &b, 1));
  RET(add_rule(fs, 3, &b, 0));
  RET(add_rule(fs, 0, &b, 0));
  RET(add_rule(-1, 1, &b, 0));
  RET(add_rule(-1, 9, &b, 0));
  RET(add_rule(b.parent, 1, &b, 0));
  RET(add_rule(0, 1, &b, 0));
  RET(add_rule(fs, 1, NULL, 0));
  b.access = 0;
  RET(add_rule(fs, 1, &b, 0));
  b.access = kWriteFile;
  RET(add_rule(fs, 1, &b, 0));
  RET(add_rule(net, 1, &b, 0));
  b.access = kReadFile;
  b.parent = -1;
  RET(add_rule(fs, 1, &b, 0));
  b.parent = fs;
  RET(add_rule(fs, 1, &b, 0));
  int ends[2];
  pipe(ends);
  b.parent = ends[0];
  RET(add_rule(fs, 1, &b, 0));
  b.parent = socket(AF_UNIX, SOCK_STREAM, 0);
  RET(add_rule(fs, 1, &b, 0));
  b.parent = open("file", O_PATH);
  RET(add_rule(fs, 1, &b, 0));
  b.access = kReadDir;
  RET(add_rule(fs, 1, &b, 0));
  struct port p = {kBindTcp, 80};
  RET(add_rule(net, 2, &p, 0));
  RET(add_rule(fs, 2, &p, 0));
  p.port = 65535;
  RET(add_rule(net, 2, &p, 0));
  p.port = 65536;
  RET(add_rule(net, 2, &p, 0));
  p.port = 1ull << 40;
  RET(add_rule(net, 2, &p, 0));
  p.port = 80;
  p.access = 0;
  RET(add_rule(net, 2, &p, 0));
  p.access = kConnectTcp;
  RET(add_rule(net, 2, &p, 0));
  RET(add_rule(net, 2, (void*)8, 0));
}

static void restricting(void) {
  const int ruleset = make_ruleset(kMakeBlock, 0, 0);
  RET(restrict_self(ruleset, 8));
  RET(restrict_self(ruleset, 1u << 31));
  RET(restrict_self(-1, 0));
  RET(restrict_self(-1, 4));
  RET(restrict_self(-1, 5));
  RET(restrict_self(1, 0));
  // 16 layers, one after the other.
  int done = 0;
  while (done < 20 && restrict_self(ruleset, 0) == 0)
    ++done;
  SAY("%d layers, then %s", done, error_name(errno));
  RET(setresuid(1000, 1000, 1000));
  RET(restrict_self(ruleset, 8));
  RET(restrict_self(-1, 0));
  RET(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  RET(restrict_self(ruleset, 8));
  RET(restrict_self(ruleset, 0));
}

int main(void) {
  scratch();
  put("file", "text");
  IS(syscall(444, NULL, 0, 1) >= 6);
  IS((syscall(444, NULL, 0, 2) & 3) == 3);
  RET(syscall(444, NULL, 0, 3));
  RET(syscall(444, NULL, 0, 4));
  RET(syscall(444, NULL, 8, 1));
  RET(syscall(444, "", 0, 1));
  RET(make_ruleset(0, 0, 0));
  RET(make_ruleset(1ull << 40, 0, 0));
  RET(make_ruleset(kReadFile, 1ull << 40, 0));
  RET(make_ruleset(0, 0, 1ull << 40));
  const int fd = make_ruleset(kAll, 0, 0);
  char byte = 0, link[64], name[64] = "";
  RET(fcntl(fd, F_GETFD));
  RET(fcntl(fd, F_GETFL) & O_ACCMODE);
  RET(read(fd, &byte, 1));
  RET(write(fd, &byte, 1));
  RET(lseek(fd, 0, SEEK_CUR));
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  readlink(link, name, sizeof name - 1);
  SAY("%s", name);
  sizes();
  rules();
  apart("restricting", restricting);
  return check_failures;
}

// SPDX-License-Identifier: Apache-2.0
// landlock(7) for the programs that try it: constants, and rulesets in a line.
#pragma once
#include <sys/prctl.h>
#include <sys/wait.h>

#include "check.h"

enum {
  kExecute = 1,
  kWriteFile = 2,
  kReadFile = 4,
  kReadDir = 8,
  kRemoveDir = 16,
  kRemoveFile = 32,
  kMakeChar = 64,
  kMakeDir = 128,
  kMakeReg = 256,
  kMakeSock = 512,
  kMakeFifo = 1024,
  kMakeBlock = 2048,
  kMakeSym = 4096,
  kRefer = 8192,
  kTruncate = 16384,
  kIoctlDev = 32768,
  kAll = 65535
};
enum { kBindTcp = 1, kConnectTcp = 2 };
enum { kAbstractUnix = 1, kSignals = 2 };

struct ruleset {
  uint64_t fs, net, scoped;
};
struct __attribute__((packed)) beneath {
  uint64_t access;
  int32_t parent;
};
struct port {
  uint64_t access, port;
};

static inline int make_ruleset(uint64_t fs, uint64_t net, uint64_t scoped) {
  const struct ruleset attributes = {fs, net, scoped};
  return (int)syscall(444, &attributes, sizeof attributes, 0);
}

static inline long add_rule(int ruleset, int type, const void* rule, unsigned flags) {
  return syscall(445, ruleset, type, rule, flags);
}

static inline long allow(int ruleset, const char* path, uint64_t access) {
  const struct beneath rule = {access, open(path, O_PATH | O_CLOEXEC)};
  const long result = add_rule(ruleset, 1, &rule, 0);
  const int number = errno;
  close(rule.parent);
  errno = number;
  return result;
}

static inline long restrict_self(int ruleset, unsigned flags) {
  return syscall(446, ruleset, flags);
}

// Runs `body` in a process of its own, which may restrict itself.
static inline void apart(const char* title, void (*body)(void)) {
  SAY("--- %s", title);
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(check_failures);
  }
  int status = -1;
  waitpid(child, &status, 0);
  if (status != 0) SAY("ended with %x", status);
}

// Restricts the process to `fs` everywhere but for what `rules` (path, access, ..., NULL) gives.
struct given {
  const char* path;
  uint64_t access;
};
static inline void enter(uint64_t fs, const struct given* rules) {
  const int ruleset = make_ruleset(fs, 0, 0);
  for (; rules->path != NULL; ++rules)
    if (allow(ruleset, rules->path, rules->access) != 0) SAY("no rule for %s: %s", rules->path, error_name(errno));
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (restrict_self(ruleset, 0) != 0) SAY("not restricted: %s", error_name(errno));
  close(ruleset);
}

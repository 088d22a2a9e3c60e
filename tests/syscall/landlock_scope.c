// SPDX-License-Identifier: Apache-2.0
// run: processes=fork
// landlock(7): TCP's ports, and who may reach whom by abstract names, signals and ptrace(2).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "landlock.h"

enum { kAllowed = 24101, kRefused = 24102 };

static int tcp(void) {
  return socket(AF_INET, SOCK_STREAM, 0);
}

static int at_port(int fd, int (*call)(int, const struct sockaddr*, socklen_t), int family, int port) {
  if (family == AF_INET6) {
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback};
    return call(fd, (struct sockaddr*)&six, sizeof six);
  }
  struct sockaddr_in four = {.sin_family = (sa_family_t)family, .sin_port = htons((uint16_t)port)};
  four.sin_addr.s_addr = family == AF_UNSPEC ? INADDR_ANY : htonl(INADDR_LOOPBACK);
  return call(fd, (struct sockaddr*)&four, sizeof four);
}

static void ports(void) {
  const int listener = tcp(), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  at_port(listener, bind, AF_INET, kAllowed);
  listen(listener, 5);
  const int ruleset = make_ruleset(0, kBindTcp | kConnectTcp, 0);
  struct port connects = {kConnectTcp, kAllowed}, binds = {kBindTcp, kAllowed + 10};
  add_rule(ruleset, 2, &connects, 0);
  add_rule(ruleset, 2, &binds, 0);
  RET(restrict_self(ruleset, 0));
  int client = tcp();
  RET(at_port(client, connect, AF_INET, kRefused));
  RET(at_port(client, connect, AF_INET, kAllowed));
  RET(at_port(client, connect, AF_UNSPEC, 0));
  RET(at_port(tcp(), bind, AF_INET, kAllowed + 10));
  RET(at_port(tcp(), bind, AF_INET, kRefused));
  RET(at_port(tcp(), bind, AF_INET, 0));
  RET(at_port(socket(AF_INET6, SOCK_STREAM, 0), bind, AF_INET6, kRefused));
  RET(at_port(socket(AF_INET, SOCK_DGRAM, 0), bind, AF_INET, kRefused));  // UDP is free
  RET(at_port(socket(AF_INET, SOCK_DGRAM, 0), connect, AF_INET, kRefused));
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(kRefused)};
  RET(bind(tcp(), (struct sockaddr*)&four, 4));  // too short
  const int file = open("/proc/self/status", O_RDONLY);
  IS(file >= 0);  // files are free
}

static struct sockaddr_un abstract(const char* name, socklen_t* size) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)snprintf(a.sun_path + 1, 60, "%s", name));
  return a;
}

static int named(int type, const char* name, int (*call)(int, const struct sockaddr*, socklen_t)) {
  socklen_t size = 0;
  const struct sockaddr_un a = abstract(name, &size);
  const int fd = socket(AF_UNIX, type, 0);
  if (call(fd, (const struct sockaddr*)&a, size) != 0) return -1;
  if (call == bind && type != SOCK_DGRAM) listen(fd, 5);
  return 0;
}

static void restrict_scope(uint64_t scoped) {
  const int ruleset = make_ruleset(0, 0, scoped);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  RET(restrict_self(ruleset, 0));
  close(ruleset);
}

static void abstract_names(void) {
  char stream[32], datagram[32], inner[32];
  snprintf(stream, sizeof stream, "uni-stream-%d", getpid());
  snprintf(datagram, sizeof datagram, "uni-datagram-%d", getpid());
  snprintf(inner, sizeof inner, "uni-inner-%d", getpid());
  named(SOCK_STREAM, stream, bind);
  named(SOCK_DGRAM, datagram, bind);
  socklen_t size = 0;
  const struct sockaddr_un to = abstract(datagram, &size);
  const int connected = socket(AF_UNIX, SOCK_DGRAM, 0), free_one = socket(AF_UNIX, SOCK_DGRAM, 0);
  connect(connected, (const struct sockaddr*)&to, size);
  restrict_scope(kAbstractUnix);
  RET(named(SOCK_STREAM, stream, connect));
  RET(named(SOCK_DGRAM, datagram, connect));
  RET(sendto(free_one, "x", 1, 0, (const struct sockaddr*)&to, size));
  RET(send(connected, "x", 1, 0));
  RET(sendto(connected, "x", 1, 0, (const struct sockaddr*)&to, size));
  RET(named(SOCK_STREAM, inner, bind));
  RET(named(SOCK_STREAM, inner, connect));
  const pid_t child = fork();
  if (child == 0) {
    restrict_scope(kSignals);
    RET(named(SOCK_STREAM, inner, connect));  // made by the layer below, whose scope this is
    restrict_scope(kAbstractUnix);
    RET(named(SOCK_STREAM, inner, connect));
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static void signals(void) {
  int alive[2];
  (void)!pipe(alive);
  const pid_t outside = getppid(), before = fork();
  if (before == 0) {
    // No signal of its parent reaches it, not even at the parent's end.
    char byte;
    close(alive[1]);
    (void)!read(alive[0], &byte, 1);
    _exit(0);
  }
  RET(kill(outside, 0));
  restrict_scope(kSignals);
  int ready[2];
  (void)!pipe(ready);
  const pid_t within = fork();
  if (within == 0) {
    close(alive[1]);
    RET(kill(getppid(), 0));
    restrict_scope(kSignals);
    RET(kill(getppid(), 0));
    (void)!write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  RET(kill(outside, 0));
  RET(kill(before, 0));
  RET(kill(before, SIGKILL));
  RET(kill(before, SIGCONT));
  RET(kill(getpid(), 0));
  RET(raise(0));
  RET(syscall(SYS_tgkill, getpid(), gettid(), 0));
  RET(kill(within, SIGKILL));
  waitpid(within, NULL, 0);
  const int pidfd = (int)syscall(SYS_pidfd_open, before, 0);
  RET(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
}

static void tracing(void) {
  const pid_t before = fork();
  if (before == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    pause();
    _exit(0);
  }
  const int ruleset = make_ruleset(kReadFile, 0, 0);
  allow(ruleset, "/proc", kReadFile);
  int ready[2];
  (void)!pipe(ready);
  const pid_t held = fork();
  if (held == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    restrict_self(ruleset, 0);
    (void)!write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  RET(ptrace(PTRACE_ATTACH, held, 0, 0));  // from outside: allowed
  waitpid(held, NULL, 0);
  RET(ptrace(PTRACE_DETACH, held, 0, 0));
  restrict_self(ruleset, 0);
  RET(ptrace(PTRACE_ATTACH, held, 0, 0));  // another domain
  RET(ptrace(PTRACE_ATTACH, before, 0, 0));
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", before);
  IS(open(path, O_RDONLY) >= 0);
  const pid_t within = fork();
  if (within == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    pause();
    _exit(0);
  }
  RET(ptrace(PTRACE_ATTACH, within, 0, 0));
  waitpid(within, NULL, 0);
  RET(ptrace(PTRACE_DETACH, within, 0, 0));
  kill(before, SIGKILL);
  kill(held, SIGKILL);
  kill(within, SIGKILL);
  while (wait(NULL) > 0)
    ;
}

int main(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  apart("ports", ports);
  apart("abstract names", abstract_names);
  apart("signals", signals);
  apart("tracing", tracing);
  return check_failures;
}

// SPDX-License-Identifier: Apache-2.0
// Micro-benchmarks of a Linux ABI, one line each: "name ns_per_op ops".
// Static: gcc -O2 -static -pthread micro.c -o micro. A test that the system refuses prints "name skip errno".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}
static void say(const char* n, double t0, long ops) {
  printf("%-22s %12.1f %ld\n", n, (now() - t0) / ops, ops);
  fflush(stdout);
}
static void skip(const char* n) {
  printf("%-22s skip %d\n", n, errno);
  fflush(stdout);
}

static void t_gettid(void) {
  long n = 200000;
  double t = now();
  for (long i = 0; i < n; i++)
    if (syscall(SYS_gettid) <= 0) return skip("syscall_gettid");
  say("syscall_gettid", t, n);
}
static void t_clock(void) {
  long n = 200000;
  struct timespec ts;
  double t = now();
  for (long i = 0; i < n; i++)
    clock_gettime(CLOCK_MONOTONIC, &ts);
  say("clock_gettime", t, n);
}
static void t_zero(void) {
  int f = open("/dev/zero", O_RDONLY);
  char b[4096];
  if (f < 0) return skip("read_dev_zero_4k");
  long n = 50000;
  double t = now();
  for (long i = 0; i < n; i++)
    if (read(f, b, sizeof b) != sizeof b) return skip("read_dev_zero_4k");
  say("read_dev_zero_4k", t, n);
  close(f);
}
static void t_fault(void) {
  long pages = 16384;
  double t = now();
  char* p = mmap(0, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return skip("page_touch_anon");
  for (long i = 0; i < pages; i++)
    p[i * 4096] = 1;
  munmap(p, pages * 4096);
  say("page_touch_anon", t, pages);
}
static void t_mmap(void) {
  long n = 20000;
  double t = now();
  for (long i = 0; i < n; i++) {
    char* p = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return skip("mmap_munmap");
    *p = 1;
    munmap(p, 65536);
  }
  say("mmap_munmap", t, n);
}
static void* nop(void* a) {
  return a;
}
static void t_thread(void) {
  long n = 2000;
  double t = now();
  for (long i = 0; i < n; i++) {
    pthread_t th;
    if (pthread_create(&th, 0, nop, 0)) return skip("thread_create_join");
    pthread_join(th, 0);
  }
  say("thread_create_join", t, n);
}
static int pa[2], pb[2];
static void* echo_pipe(void* a) {
  (void)a;
  char c;
  while (read(pa[0], &c, 1) == 1)
    if (write(pb[1], &c, 1) != 1) break;
  return 0;
}
static void t_pipe(void) {
  if (pipe(pa) || pipe(pb)) return skip("pipe_roundtrip");
  pthread_t th;
  pthread_create(&th, 0, echo_pipe, 0);
  long n = 10000;
  char c = 'x';
  double t = now();
  for (long i = 0; i < n; i++) {
    if (write(pa[1], &c, 1) != 1 || read(pb[0], &c, 1) != 1) return skip("pipe_roundtrip");
  }
  say("pipe_roundtrip", t, n);
  close(pa[1]);
  pthread_join(th, 0);
  close(pa[0]);
  close(pb[0]);
  close(pb[1]);
}
static int fx;
static void* fut(void* a) {
  long n = (long)a;
  for (long i = 0; i < n; i++) {
    while (__atomic_load_n(&fx, __ATOMIC_ACQUIRE) != 1)
      syscall(SYS_futex, &fx, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
    __atomic_store_n(&fx, 0, __ATOMIC_RELEASE);
    syscall(SYS_futex, &fx, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
  }
  return 0;
}
static void t_futex(void) {
  long n = 10000;
  pthread_t th;
  fx = 0;
  pthread_create(&th, 0, fut, (void*)n);
  double t = now();
  for (long i = 0; i < n; i++) {
    __atomic_store_n(&fx, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &fx, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    while (__atomic_load_n(&fx, __ATOMIC_ACQUIRE) != 0)
      syscall(SYS_futex, &fx, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0);
  }
  say("futex_pingpong", t, n);
  pthread_join(th, 0);
}
static void t_epoll(void) {
  int e = epoll_create1(0), v = eventfd(0, EFD_NONBLOCK);
  if (e < 0 || v < 0) return skip("epoll_eventfd");
  struct epoll_event ev = {.events = EPOLLIN};
  epoll_ctl(e, EPOLL_CTL_ADD, v, &ev);
  long n = 30000;
  double t = now();
  for (long i = 0; i < n; i++) {
    unsigned long x = 1;
    if (write(v, &x, 8) != 8) return skip("epoll_eventfd");
    if (epoll_wait(e, &ev, 1, -1) != 1) return skip("epoll_eventfd");
    if (read(v, &x, 8) != 8) return skip("epoll_eventfd");
  }
  say("epoll_eventfd", t, n);
  close(e);
  close(v);
}
static int ls;
static void* srv(void* a) {
  (void)a;
  int c = accept(ls, 0, 0);
  int on = 1;
  setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  static char b[65536];
  long r;
  char h;
  if (recv(c, &h, 1, MSG_PEEK) != 1) return 0;
  while ((r = read(c, b, sizeof b)) > 0)
    if (h == 'r' && write(c, b, r) != r) break;
  if (h == 'b') {
    shutdown(c, SHUT_WR);
  }
  close(c);
  return 0;
}
static int dial(void) {
  ls = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t l = sizeof a;
  if (ls < 0 || bind(ls, (void*)&a, l) || listen(ls, 8) || getsockname(ls, (void*)&a, &l)) return -1;
  pthread_t th;
  pthread_create(&th, 0, srv, 0);
  pthread_detach(th);
  int c = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(c, (void*)&a, l)) return -1;
  int on = 1;
  setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return c;
}
static void t_tcp(void) {
  int c = dial();
  if (c < 0) return skip("tcp_loop_rtt");
  long n = 5000;
  char x = 'r';
  double t = now();
  for (long i = 0; i < n; i++)
    if (write(c, &x, 1) != 1 || read(c, &x, 1) != 1) return skip("tcp_loop_rtt");
  say("tcp_loop_rtt", t, n);
  close(c);
  close(ls);
}
static void t_bulk(void) {
  int c = dial();
  if (c < 0) return skip("tcp_loop_64k");
  static char b[65536];
  memset(b, 'b', sizeof b);
  long n = 2000;
  double t = now();
  for (long i = 0; i < n; i++)
    for (long o = 0; o < (long)sizeof b;) {
      long r = write(c, b + o, sizeof b - o);
      if (r <= 0) return skip("tcp_loop_64k");
      o += r;
    }
  shutdown(c, SHUT_WR);
  char z;
  while (read(c, &z, 1) > 0)
    ;
  say("tcp_loop_64k", t, n);
  close(c);
  close(ls);
}
static void t_file(void) {
  char p[] = "/tmp/bench.XXXXXX", b[4096] = {1};
  int f = mkstemp(p);
  if (f < 0) return skip("file_write_4k");
  long n = 4096;
  double t = now();
  for (long i = 0; i < n; i++)
    if (write(f, b, sizeof b) != sizeof b) return skip("file_write_4k");
  say("file_write_4k", t, n);
  t = now();
  for (long i = 0; i < n; i++)
    if (pread(f, b, sizeof b, i * 4096) != sizeof b) return skip("file_pread_4k");
  say("file_pread_4k", t, n);
  close(f);
  unlink(p);
}
static void t_meta(void) {
  long n = 2000;
  char p[64];
  double t = now();
  for (long i = 0; i < n; i++) {
    snprintf(p, sizeof p, "/tmp/m%ld", i);
    int f = open(p, O_CREAT | O_RDWR, 0600);
    if (f < 0) return skip("create_unlink");
    close(f);
  }
  for (long i = 0; i < n; i++) {
    snprintf(p, sizeof p, "/tmp/m%ld", i);
    unlink(p);
  }
  say("create_unlink", t, n);
  struct stat st;
  n = 30000;
  t = now();
  for (long i = 0; i < n; i++)
    if (stat("/tmp", &st)) return skip("stat");
  say("stat", t, n);
}
static volatile int hits;
static void on(int s) {
  (void)s;
  hits++;
}
static void t_signal(void) {
  struct sigaction sa = {.sa_handler = on};
  sigaction(SIGUSR1, &sa, 0);
  long n = 20000;
  double t = now();
  for (long i = 0; i < n; i++)
    raise(SIGUSR1);
  if (hits != n) return skip("signal_raise");
  say("signal_raise", t, n);
}
static void t_fork(void) {
  long n = 200;
  double t = now();
  for (long i = 0; i < n; i++) {
    pid_t p = fork();
    if (p < 0) return skip("fork_wait");
    if (!p) _exit(7);
    int s;
    if (waitpid(p, &s, 0) != p || WEXITSTATUS(s) != 7) return skip("fork_wait");
  }
  say("fork_wait", t, n);
}

int main(int argc, char** argv) {
  struct {
    const char* n;
    void (*f)(void);
  } all[] = {{"gettid", t_gettid}, {"clock", t_clock}, {"zero", t_zero},   {"fault", t_fault},   {"mmap", t_mmap},
             {"thread", t_thread}, {"pipe", t_pipe},   {"futex", t_futex}, {"epoll", t_epoll},   {"tcp", t_tcp},
             {"bulk", t_bulk},     {"file", t_file},   {"meta", t_meta},   {"signal", t_signal}, {"fork", t_fork}};
  printf("micro: start\n");
  fflush(stdout);
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    if (argc < 2 || strstr(argv[1], all[i].n)) all[i].f();
  printf("micro: end\n");
  fflush(stdout);
  return 0;
}

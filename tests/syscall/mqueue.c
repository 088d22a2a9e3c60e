// SPDX-License-Identifier: Apache-2.0
// mq_open(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2), mq_unlink(2).
#include <mqueue.h>
#include <poll.h>

#include "check.h"

static char name[32];
static char text[8192];

static void receive(mqd_t q) {
  unsigned priority = 0;
  memset(text, 0, sizeof text);
  long got = mq_receive(q, text, sizeof text, &priority);
  if (got < 0)
    SAY("%s", error_name(errno));
  else
    SAY("%ld bytes, priority %u: %s", got, priority, text);
}

static void show_attributes(mqd_t q) {
  struct mq_attr a;
  RET(mq_getattr(q, &a));
  SAY("flags %lo maxmsg %ld msgsize %ld curmsgs %ld", a.mq_flags, a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs);
}

static int readiness(mqd_t q) {
  struct pollfd p = {q, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  return p.revents;
}

static void names(void) {
  struct mq_attr a = {.mq_maxmsg = 0, .mq_msgsize = 16};
  RET(mq_open(name, O_RDWR));
  RET(mq_unlink(name));
  RET(syscall(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL));
  RET(syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, NULL));
  RET(syscall(SYS_mq_open, "..", O_RDWR | O_CREAT, 0600, NULL));
  RET(syscall(SYS_mq_open, (void*)8, O_RDWR | O_CREAT, 0600, NULL));
  RET(syscall(SYS_mq_open, name + 1, O_RDWR | O_CREAT, 0600, (void*)8));
  memset(text, 'n', 256);
  text[256] = 0;
  RET(syscall(SYS_mq_open, text, O_RDWR | O_CREAT, 0600, NULL));
  RET(syscall(SYS_mq_unlink, text));
  RET(mq_open(name, O_RDWR | O_CREAT, 0600, &a));
  a.mq_maxmsg = 4;
  a.mq_msgsize = -1;
  RET(mq_open(name, O_RDWR | O_CREAT, 0600, &a));
}

static void order(mqd_t q) {
  RET(readiness(q));
  RET(mq_send(q, "low", 3, 1));
  RET(mq_send(q, "high", 4, 9));
  RET(mq_send(q, "low too", 7, 1));
  RET(mq_send(q, "", 0, 5));
  RET(readiness(q));
  show_attributes(q);
  RET(mq_send(q, "full", 4, 0));
  struct timespec past = {1, 0}, bad = {1, 1000000000};
  struct mq_attr blocking = {0}, nonblocking = {.mq_flags = O_NONBLOCK};
  RET(mq_setattr(q, &blocking, NULL));
  RET(mq_timedsend(q, "full", 4, 0, &past));
  RET(mq_timedsend(q, "full", 4, 0, &bad));
  receive(q);
  receive(q);
  receive(q);
  receive(q);
  RET(mq_timedreceive(q, text, sizeof text, NULL, &past));
  RET(mq_timedreceive(q, text, sizeof text, NULL, &bad));
  struct mq_attr wrong = {.mq_flags = 7};
  RET(mq_setattr(q, &wrong, NULL));
  RET(mq_setattr(q, &nonblocking, NULL));
  receive(q);
}

static void errors(mqd_t q) {
  mqd_t reader = mq_open(name, O_RDONLY), writer = mq_open(name, O_WRONLY);
  RET(mq_send(reader, "x", 1, 0));
  RET(mq_receive(writer, text, sizeof text, NULL));
  RET(mq_send(q, text, 17, 0));
  RET(mq_send(q, "x", 1, 32768));
  RET(mq_receive(q, text, 15, NULL));
  RET(mq_send(-1, "x", 1, 0));
  RET(mq_send(1, "x", 1, 0));
  RET(mq_receive(1, text, sizeof text, NULL));
  RET(syscall(SYS_mq_timedsend, q, (void*)8, 4, 0, NULL));
  RET(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
  IS(fcntl(q, F_GETFD) == FD_CLOEXEC);
  RET(write(q, "x", 1));
  mq_close(reader);
  mq_close(writer);
}

static volatile sig_atomic_t told, value, code;

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number;
  (void)context;
  value = info->si_value.sival_int;
  code = info->si_code;
  told++;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int called;

static void on_thread(union sigval v) {
  pthread_mutex_lock(&lock);
  called = v.sival_int;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

static void notification(mqd_t q) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
  RET(mq_notify(q, &event));
  RET(mq_notify(q, &event));
  RET(mq_send(q, "first", 5, 0));
  SAY("told %d value %d code %d", (int)told, (int)value, (int)code);
  // Once only, and only of a message in an empty queue.
  RET(mq_notify(q, &event));
  RET(mq_send(q, "second", 6, 0));
  SAY("told %d", (int)told);
  receive(q);
  receive(q);
  RET(mq_notify(q, NULL));
  RET(mq_send(q, "third", 5, 0));
  SAY("told %d", (int)told);
  receive(q);
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  RET(mq_notify(q, &none));
  RET(mq_notify(q, &event));
  RET(mq_notify(q, NULL));
  event.sigev_signo = 65;
  RET(mq_notify(q, &event));
  event.sigev_notify = 99;
  RET(mq_notify(q, &event));
  RET(mq_notify(-1, NULL));
  RET(mq_notify(1, NULL));
  // The C library's thread is told through a netlink socket.
  struct sigevent thread = {
      .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread, .sigev_value.sival_int = 7};
  RET(mq_notify(q, &thread));
  RET(mq_send(q, "x", 1, 0));
  pthread_mutex_lock(&lock);
  while (called == 0)
    pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
  SAY("called with %d", called);
  receive(q);
}

static void* late_sender(void* argument) {
  mqd_t q = *(mqd_t*)argument;
  pause_ms(5);
  mq_send(q, "late", 4, 3);
  return NULL;
}

int main(void) {
  snprintf(name, sizeof name, "/uni.%d", (int)getpid());
  umask(022);
  names();
  struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16};
  mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0666, &a);
  IS(q >= 0);
  struct stat st;
  RET(fstat(q, &st));
  SAY("%o %ld", st.st_mode, (long)st.st_size);
  show_attributes(q);
  order(q);
  errors(q);
  notification(q);
  struct mq_attr blocking = {0};
  mq_setattr(q, &blocking, NULL);
  pthread_t t = start(late_sender, &q);
  receive(q);
  join(t);
  RET(mq_unlink(name));
  RET(mq_open(name, O_RDWR));
  RET(mq_send(q, "nameless", 8, 0));
  receive(q);
  RET(mq_close(q));
  RET(mq_close(q));
  return done();
}

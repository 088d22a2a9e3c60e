// SPDX-License-Identifier: Apache-2.0
// msgget(2), msgsnd(2), msgrcv(2), msgctl(2): System V message queues.
#include <sys/ipc.h>
#include <sys/msg.h>

#include "check.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static int queue;
static struct msqid_ds data;
static struct {
  long type;
  char text[9000];
} buffer;

static int put_message(long type, const char* text, int flags) {
  buffer.type = type;
  strcpy(buffer.text, text);
  return msgsnd(queue, &buffer, strlen(text), flags);
}

static void take(long type, size_t size, int flags) {
  memset(&buffer, 0, sizeof buffer);
  long got = msgrcv(queue, &buffer, size, type, flags);
  if (got < 0)
    SAY("type %ld: %s", type, error_name(errno));
  else
    SAY("type %ld: %ld bytes of type %ld: %s", type, got, buffer.type, buffer.text);
}

static long count(void) {
  return msgctl(queue, IPC_STAT, &data) ? -1 : (long)data.msg_qnum;
}

static void order(void) {
  RET(put_message(3, "three", 0));
  RET(put_message(1, "one", 0));
  RET(put_message(2, "two", 0));
  RET(put_message(3, "again", 0));
  RET(count());
  SAY("%ld bytes", (long)data.__msg_cbytes);
  IS(data.msg_lspid == getpid() && data.msg_stime > 0 && data.msg_lrpid == 0 && data.msg_rtime == 0);
  take(2, 2, 0);
  take(2, 2, MSG_NOERROR);
  take(-2, 100, 0);
  take(3, 100, MSG_EXCEPT | IPC_NOWAIT);
  take(5, 100, IPC_NOWAIT);
  take(0, 100, 0);
  take(0, 100, 0);
  take(0, 100, IPC_NOWAIT);
  RET(count());
  IS(data.msg_lrpid == getpid() && data.msg_rtime > 0);
  RET(put_message(1, "", 0));
  take(0, 0, 0);
  RET(msgrcv(queue, &buffer, 10, 0, MSG_COPY));
  RET(msgrcv(queue, &buffer, 10, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT));
}

static void errors(void) {
  RET(put_message(0, "x", 0));
  RET(put_message(-1, "x", 0));
  buffer.type = 1;
  RET(msgsnd(queue, &buffer, 8193, 0));
  RET(msgsnd(queue, &buffer, (size_t)-1, 0));
  RET(msgsnd(queue, (void*)8, 1, 0));
  RET(msgsnd(queue ^ (1 << 20), &buffer, 1, 0));
  RET(msgsnd(-1, &buffer, 1, 0));
  RET(msgrcv(queue, &buffer, (size_t)-1, 0, IPC_NOWAIT));
  RET(msgrcv(-1, &buffer, 1, 0, 0));
  RET(msgctl(queue, 99, &data));
  RET(msgctl(-1, IPC_STAT, &data));
  RET(msgctl(queue, IPC_STAT, (void*)8));
  RET(put_message(1, "lost", 0));
  RET(msgrcv(queue, (void*)8, 4, 0, 0));
  RET(count());
}

static long received_size, received_type;
static int receive_error, send_result;

static void* receiver(void* argument) {
  static struct {
    long type;
    char text[16];
  } got;
  received_size = msgrcv(queue, &got, sizeof got.text, (long)argument, 0);
  receive_error = errno;
  received_type = got.type;
  return NULL;
}

static void* sender(void* argument) {
  (void)argument;
  struct {
    long type;
    char text[8];
  } m = {7, "sender"};
  send_result = msgsnd(queue, &m, 6, 0);
  return NULL;
}

static void full(void) {
  RET(msgctl(queue, IPC_STAT, &data));
  data.msg_qbytes = 10;
  RET(msgctl(queue, IPC_SET, &data));
  RET(put_message(1, "12345678", 0));
  RET(put_message(1, "123", IPC_NOWAIT));
  RET(put_message(1, "12", IPC_NOWAIT));
  pthread_t t = start(sender, NULL);
  pause_ms(10);
  take(0, 100, 0);
  join(t);
  RET(send_result);
  take(0, 100, 0);
  take(7, 100, 0);
  data.msg_qbytes = 16384;
  RET(msgctl(queue, IPC_SET, &data));
}

static void waiting(void) {
  // Whether the receiver is there first or not, it gets the same.
  pthread_t t = start(receiver, (void*)2L);
  pause_ms(10);
  RET(put_message(1, "not for it", 0));
  RET(put_message(2, "for it", 0));
  join(t);
  SAY("%ld bytes of type %ld", received_size, received_type);
  RET(count());
  t = start(receiver, (void*)4L);
  pause_ms(10);
  RET(msgctl(queue, IPC_RMID, NULL));
  join(t);
  RET(received_size);
  IS(receive_error == EIDRM || receive_error == EINVAL);
  RET(count());
}

static void information(void) {
  struct msginfo limits;
  IS(msgctl(0, IPC_INFO, (void*)&limits) >= 0);
  SAY("%d %d", limits.msgssz, limits.msgseg);
  IS(msgctl(0, MSG_INFO, (void*)&limits) >= 0);
  IS(limits.msgpool >= 1);
  IS(msgctl(queue & 0x7fff, MSG_STAT, &data) == queue);
}

int main(void) {
  key_t key = (key_t)(0x5e000000 + getpid());
  RET(msgget(key, 0600));
  queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
  IS(queue >= 0);
  RET(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
  IS(msgget(key, 0600) == queue);
  order();
  errors();
  information();
  full();
  waiting();
  return done();
}

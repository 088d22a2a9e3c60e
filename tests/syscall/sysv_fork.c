// SPDX-License-Identifier: Apache-2.0
// System V objects between processes: attachments through fork and exit, SEM_UNDO at a process's end, messages.
// run: processes=fork
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "check.h"

static int set;

static int change(int number, int by, int flags) {
  struct sembuf one = {(unsigned short)number, (short)by, (short)flags};
  return semop(set, &one, 1);
}

static int wait_status(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

static long attachments(int id) {
  struct shmid_ds data;
  return shmctl(id, IPC_STAT, &data) ? -1 : (long)data.shm_nattch;
}

static void shared(void) {
  int id = shmget(IPC_PRIVATE, 8192, 0600);
  volatile int* at = shmat(id, NULL, 0);
  at[0] = 1;
  pid_t child = fork();
  if (child == 0) {
    long count = attachments(id);
    at[0] = (int)count + 40;
    at[1500] = 7;
    change(1, 1, 0);
    change(2, -1, 0);
    _exit(attachments(id) == 2 ? 0 : 1);
  }
  change(1, -1, 0);
  SAY("%d %d", at[0], at[1500]);
  RET(attachments(id));
  change(2, 1, 0);
  RET(wait_status(child));
  RET(attachments(id));
  struct shmid_ds data;
  shmctl(id, IPC_STAT, &data);
  IS(data.shm_lpid == child && data.shm_cpid == getpid());
  RET(shmctl(id, IPC_RMID, NULL));
  SAY("%d", at[0]);
  child = fork();
  if (child == 0) {
    at[0] = 5;
    _exit(shmdt((void*)at) ? 1 : 0);
  }
  RET(wait_status(child));
  SAY("%d", at[0]);
  RET(shmdt((void*)at));
  RET(attachments(id));
}

static void undo(void) {
  semctl(set, 0, SETVAL, 5);
  pid_t child = fork();
  if (child == 0) {
    change(0, -2, SEM_UNDO);
    change(0, -1, 0);
    change(0, 4, SEM_UNDO);
    change(0, -3, SEM_UNDO);
    _exit(semctl(set, 0, GETVAL));
  }
  SAY("child saw %d", wait_status(child) >> 8);
  RET(semctl(set, 0, GETVAL));
  IS(semctl(set, 0, GETPID) == child);
  // What the end gives back lets the parent go on; SETVAL cancels it.
  child = fork();
  if (child == 0) {
    change(0, -semctl(set, 0, GETVAL), SEM_UNDO);
    change(1, 1, 0);
    while (semctl(set, 0, GETNCNT) == 0)
      pause_ms(1);
    _exit(0);
  }
  change(1, -1, 0);
  RET(change(0, -1, 0));
  RET(wait_status(child));
  RET(semctl(set, 0, GETVAL));
  child = fork();
  if (child == 0) {
    change(0, 3, SEM_UNDO);
    semctl(set, 0, SETVAL, 9);
    _exit(0);
  }
  RET(wait_status(child));
  RET(semctl(set, 0, GETVAL));
}

static void messages(void) {
  struct {
    long type;
    char text[32];
  } m = {0, ""};
  int queue = msgget(IPC_PRIVATE, 0600);
  pid_t child = fork();
  if (child == 0) {
    long got = msgrcv(queue, &m, sizeof m.text, 3, 0);
    m.type = 4;
    _exit(got == 5 && msgsnd(queue, &m, 5, 0) == 0 ? 0 : 1);
  }
  m.type = 3;
  strcpy(m.text, "hello");
  RET(msgsnd(queue, &m, 5, 0));
  memset(&m, 0, sizeof m);
  RET(msgrcv(queue, &m, sizeof m.text, 4, 0));
  SAY("%s", m.text);
  RET(wait_status(child));
  struct msqid_ds data;
  msgctl(queue, IPC_STAT, &data);
  IS(data.msg_lspid == child && data.msg_lrpid == getpid());
  // A removal ends another process's wait.
  child = fork();
  if (child == 0) {
    long got = msgrcv(queue, &m, sizeof m.text, 9, 0);
    _exit(got == -1 && (errno == EIDRM || errno == EINVAL) ? 0 : 1);
  }
  pause_ms(5);
  RET(msgctl(queue, IPC_RMID, NULL));
  RET(wait_status(child));
}

int main(void) {
  set = semget(IPC_PRIVATE, 3, 0600);
  shared();
  undo();
  messages();
  RET(semctl(set, 0, IPC_RMID));
  return done();
}

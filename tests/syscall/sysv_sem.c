// SPDX-License-Identifier: Apache-2.0
// semget(2), semop(2), semtimedop(2), semctl(2): System V semaphores.
#include <sys/ipc.h>
#include <sys/sem.h>

#include "check.h"

union argument {
  int value;
  struct semid_ds* data;
  unsigned short* array;
  struct seminfo* information;
};

static int set;

static int change(int number, int by, int flags) {
  struct sembuf one = {(unsigned short)number, (short)by, (short)flags};
  return semop(set, &one, 1);
}

static int value(int number) {
  return semctl(set, number, GETVAL);
}

static int set_value(int number, int to) {
  return semctl(set, number, SETVAL, (union argument){.value = to});
}

static void show_all(void) {
  unsigned short all[3];
  if (semctl(set, 0, GETALL, (union argument){.array = all})) return;
  SAY("%d %d %d", all[0], all[1], all[2]);
}

static void until(int number, int command, int count) {
  while (semctl(set, number, command) < count)
    pause_ms(1);
}

struct waiter {
  int number, by, result, error;
};

static void* wait_for(void* argument) {
  struct waiter* w = argument;
  w->result = change(w->number, w->by, 0);
  w->error = errno;
  return NULL;
}

static void handler(int number) {
  (void)number;
}

static void errors(void) {
  struct sembuf many[3] = {{0, 1, 0}, {1, -1, IPC_NOWAIT}, {2, 1, 0}};
  RET(semget(IPC_PRIVATE, 0, 0600));
  RET(semget(IPC_PRIVATE, -1, 0600));
  RET(semget(IPC_PRIVATE, 32001, 0600));
  RET(semop(set, many, 0));
  RET(semop(set, many, 501));
  RET(semop(-1, many, 1));
  RET(semop(set ^ (1 << 20), many, 1));
  RET(semop(set, (void*)8, 1));
  RET(change(3, 1, 0));
  RET(change(-1, 1, 0));
  RET(change(0, -1, IPC_NOWAIT));
  RET(set_value(0, 32767));
  RET(change(0, 1, 0));
  RET(set_value(0, 32768));
  RET(set_value(0, -1));
  RET(set_value(3, 1));
  RET(set_value(0, 0));
  RET(semctl(set, 3, GETVAL));
  RET(semctl(set, 0, 99));
  RET(semctl(-1, 0, GETVAL));
  RET(semctl(set, 0, IPC_STAT, (union argument){.data = (void*)8}));
  RET(semctl(set, 0, GETALL, (union argument){.array = (void*)8}));
  // All or nothing.
  RET(semop(set, many, 3));
  show_all();
}

static void operations(void) {
  struct sembuf many[3] = {{0, 2, 0}, {0, -1, 0}, {1, 0, 0}};
  unsigned short all[3] = {1, 0, 7};
  RET(semctl(set, 0, SETALL, (union argument){.array = all}));
  RET(semop(set, many, 3));
  show_all();
  IS(semctl(set, 1, GETPID) == getpid());
  IS(semctl(set, 0, GETPID) == getpid());
  RET(change(0, 0, IPC_NOWAIT));
  RET(change(0, -2, 0));
  RET(change(0, 0, 0));
  struct timespec time = {0, 20000000}, bad = {0, -1};
  struct sembuf one = {0, -1, 0};
  RET(semtimedop(set, &one, 1, &time));
  RET(semtimedop(set, &one, 1, &bad));
  RET(semtimedop(set, &one, 1, (void*)8));
  all[1] = 40000;
  RET(semctl(set, 0, SETALL, (union argument){.array = all}));
}

static void waiting(void) {
  struct waiter w[3] = {{0, -1, 9, 0}, {0, -3, 9, 0}, {2, 0, 9, 0}};
  set_value(0, 0);
  set_value(2, 1);
  pthread_t t[3];
  t[0] = start(wait_for, &w[0]);
  until(0, GETNCNT, 1);
  t[1] = start(wait_for, &w[1]);
  until(0, GETNCNT, 2);
  t[2] = start(wait_for, &w[2]);
  until(2, GETZCNT, 1);
  RET(semctl(set, 0, GETZCNT));
  RET(semctl(set, 2, GETNCNT));
  RET(change(0, 4, 0));
  join(t[0]);
  join(t[1]);
  SAY("%d %d %d", w[0].result, w[1].result, value(0));
  RET(change(2, -1, 0));
  join(t[2]);
  SAY("%d", w[2].result);
  // A signal always interrupts; removal ends every wait.
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  w[0].result = 9;
  t[0] = start(wait_for, &w[0]);
  until(0, GETNCNT, 1);
  pthread_kill(t[0], SIGUSR1);
  join(t[0]);
  SAY("%d %s", w[0].result, error_name(w[0].error));
  RET(semctl(set, 0, GETNCNT));
  t[0] = start(wait_for, &w[0]);
  until(0, GETNCNT, 1);
  RET(semctl(set, 0, IPC_RMID));
  join(t[0]);
  SAY("%d %s", w[0].result, error_name(w[0].error));
  RET(semctl(set, 0, GETVAL));
}

static void status(void) {
  struct semid_ds data;
  struct seminfo information;
  union argument a = {.data = &data};
  RET(semctl(set, 0, IPC_STAT, a));
  SAY("%ld semaphores, mode %o", (long)data.sem_nsems, data.sem_perm.mode);
  IS(data.sem_ctime > 0);
  data.sem_perm.mode = 0660;
  RET(semctl(set, 0, IPC_SET, a));
  IS(semctl(set & 0x7fff, 0, SEM_STAT, a) == set);
  SAY("mode %o", data.sem_perm.mode);
  a.information = &information;
  IS(semctl(0, 0, IPC_INFO, a) >= 0);
  SAY("%d %d %d", information.semvmx, information.semaem, information.semusz);
  IS(semctl(0, 0, SEM_INFO, a) >= 0);
  IS(information.semusz >= 1 && information.semaem >= 3);
}

int main(void) {
  key_t key = (key_t)(0x5e000000 + getpid());
  RET(semget(key, 3, 0600));
  set = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
  IS(set >= 0);
  RET(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600));
  IS(semget(key, 0, 0) == set);
  RET(semget(key, 4, 0));
  show_all();
  errors();
  operations();
  status();
  waiting();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// shmget(2), shmat(2), shmdt(2), shmctl(2): System V shared memory.
#include <sys/ipc.h>
#include <sys/shm.h>

#include "check.h"

static struct shmid_ds data;

static long attachments(int id) {
  return shmctl(id, IPC_STAT, &data) ? -1 : (long)data.shm_nattch;
}

static void errors(int id) {
  void* none = (void*)-1;
  IS(shmat(id ^ (1 << 20), NULL, 0) == none);
  RET(errno == EINVAL);
  IS(shmat(-1, NULL, 0) == none);
  IS(shmat(id, (void*)0x10001, 0) == none);
  RET(errno == EINVAL);
  IS(shmat(id, NULL, SHM_REMAP) == none);
  RET(errno == EINVAL);
  RET(shmdt(&data));
  RET(shmdt((void*)0x1000000));
  RET(shmctl(id, 99, &data));
  RET(shmctl(-1, IPC_STAT, &data));
  RET(shmctl(id, IPC_STAT, (void*)8));
  RET(shmctl(id, IPC_SET, (void*)8));
  RET(shmget(IPC_PRIVATE, 0, 0600));
  RET(shmget(IPC_PRIVATE, ~0ul, 0600));
}

static void keys(void) {
  key_t key = (key_t)(0x5e000000 + getpid());
  RET(shmget(key, 4096, 0600));
  int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0640);
  IS(id >= 0);
  RET(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
  IS(shmget(key, 4096, 0600) == id);
  IS(shmget(key, 0, 0) == id);
  RET(shmget(key, 9000, 0600));
  RET(shmctl(id, IPC_STAT, &data));
  SAY("size %ld mode %o attached %ld", (long)data.shm_segsz, data.shm_perm.mode, (long)data.shm_nattch);
  IS(data.shm_perm.__key == key);
  IS(data.shm_cpid == getpid() && data.shm_lpid == 0 && data.shm_atime == 0 && data.shm_ctime > 0);
  data.shm_perm.mode = 0604;
  RET(shmctl(id, IPC_SET, &data));
  RET(shmctl(id, IPC_STAT, &data));
  SAY("mode %o", data.shm_perm.mode);
  IS(shmctl(id & 0x7fff, SHM_STAT, &data) == id);
  // Removed while attached: it goes with the last attachment, and has no key any more.
  char* at = shmat(id, NULL, 0);
  strcpy(at, "kept");
  RET(shmctl(id, IPC_RMID, NULL));
  RET(shmget(key, 4096, 0600));
  RET(shmctl(id, IPC_STAT, &data));
  SAY("mode %o attached %ld key %d", data.shm_perm.mode, (long)data.shm_nattch, data.shm_perm.__key);
  SAY("%s", at);
  RET(shmdt(at));
  RET(shmctl(id, IPC_STAT, &data));
}

static void mappings(void) {
  int id = shmget(IPC_PRIVATE, 8 * 4096, 0600);
  char* first = shmat(id, NULL, 0);
  char* second = shmat(id, NULL, SHM_RDONLY);
  IS(first != second);
  strcpy(first + 4096, "shared");
  SAY("%s", second + 4096);
  RET(attachments(id));
  IS(data.shm_lpid == getpid() && data.shm_atime > 0);
  // Each piece of a mapping counts.
  RET(munmap(first + 2 * 4096, 4096));
  RET(attachments(id));
  RET(mprotect(first, 4096, PROT_READ));
  RET(attachments(id));
  RET(shmdt(first));
  RET(attachments(id));
  IS(data.shm_dtime > 0);
  RET(shmdt(first));
  RET(mprotect(second, 4096, PROT_READ | PROT_WRITE));
  // At a wished place: free, taken, taken with SHM_REMAP, rounded down.
  char* place = mmap(NULL, 16 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  IS(shmat(id, place, 0) == (void*)-1 && errno == EINVAL);
  IS(shmat(id, place, SHM_REMAP) == place);
  SAY("%s", place + 4096);
  RET(shmdt(place));
  IS(shmat(id, place + 100, SHM_RND) == place);
  RET(attachments(id));
  RET(munmap(place, 8 * 4096));
  RET(munmap(second, 8 * 4096));
  RET(attachments(id));
  RET(shmctl(id, SHM_LOCK, NULL));
  RET(shmctl(id, IPC_STAT, &data));
  SAY("mode %o", data.shm_perm.mode);
  RET(shmctl(id, SHM_UNLOCK, NULL));
  errors(id);
  RET(shmctl(id, IPC_RMID, NULL));
  RET(shmctl(id, IPC_RMID, NULL));
}

static void information(void) {
  struct shminfo limits;
  struct shm_info used;
  int id = shmget(IPC_PRIVATE, 3 * 4096 + 1, 0600);
  char* at = shmat(id, NULL, 0);
  at[0] = at[3 * 4096] = 1;
  IS(shmctl(0, IPC_INFO, (void*)&limits) >= 0);
  SAY("min %ld", (long)limits.shmmin);
  IS(shmctl(0, SHM_INFO, (void*)&used) >= 0);
  IS(used.used_ids >= 1 && used.shm_tot >= 4 && used.shm_rss >= 2 && used.shm_rss <= used.shm_tot);
  FILE* list = fopen("/proc/sysvipc/shm", "r");
  char line[256];
  int found = 0;
  while (fgets(line, sizeof line, list)) {
    int key, number, mode;
    unsigned long size;
    if (sscanf(line, "%d %d %o %lu", &key, &number, &mode, &size) != 4 || number != id) continue;
    SAY("key %d mode %o size %lu", key, mode, size);
    found++;
  }
  fclose(list);
  RET(found);
  RET(shmdt(at));
  RET(shmctl(id, IPC_RMID, NULL));
}

// remap_file_pages(2) takes the old pages away first, and a removed segment ends with its last pages.
static void shown_again(void) {
  unsigned char there[2];
  int id = shmget(IPC_PRIVATE, 2 * 4096, 0600);
  char* at = shmat(id, NULL, 0);
  char* more = shmat(id, NULL, 0);
  strcpy(at + 4096, "second");
  RET(remap_file_pages(at, 4096, 0, 1, 0));
  SAY("%s", at);
  RET(shmctl(id, IPC_RMID, NULL));
  RET(remap_file_pages(more, 2 * 4096, 0, 0, 0));
  RET(munmap(at, 2 * 4096));
  RET(remap_file_pages(more, 2 * 4096, 0, 0, 0));
  RET(mincore(more, 2 * 4096, there));
  RET(shmdt(more));
  RET(shmctl(id, IPC_STAT, &(struct shmid_ds){0}));
}

int main(void) {
  keys();
  shown_again();
  mappings();
  information();
  return done();
}

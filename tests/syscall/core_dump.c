// SPDX-License-Identifier: Apache-2.0
// Core files: when there is one, what it is called, its notes and memory, RLIMIT_CORE, MADV_DONTDUMP, the filter.
// run: guest processes=fork cpus=2 memory=128M
#include "check.h"

#include <elf.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int status;
static volatile long marked = 0x0123456789abcdef;
static long* hidden;
static long* shown;

static void* endless(void* unused) {
  for (;;)
    pause();
  return unused;
}

static void limit(rlim_t bytes) {
  struct rlimit wanted = {bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &wanted);
}

static void write_text(const char* path, const char* text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) SAY("%s: %s", path, error_name(errno));
  close(fd);
}

static void crash(void) {
  pthread_t first = start(endless, NULL), second = start(endless, NULL);
  (void)first, (void)second;
  pause_ms(50);
  abort();
}

static pid_t ended(void (*body)(void), int number, int core) {
  pid_t child = fork();
  if (child == 0) {
    body();
    _exit(1);
  }
  siginfo_t info = {0};
  waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  waitpid(child, &status, 0);
  IS(WTERMSIG(status) == number && !!WCOREDUMP(status) == core);
  IS(info.si_code == (core ? CLD_DUMPED : CLD_KILLED));
  return child;
}

static char* content;
static size_t size;

static void load(const char* name) {
  struct stat st;
  int fd = open(name, O_RDONLY);
  if (fd < 0 || fstat(fd, &st)) {
    SAY("%s: %s", name, error_name(errno));
    content = NULL;
    return;
  }
  size = (size_t)st.st_size;
  content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
}

// The word at an address of the process, or 0 where the file does not have it.
static long word_at(const void* address) {
  const Elf64_Ehdr* h = (const Elf64_Ehdr*)content;
  const Elf64_Phdr* p = (const Elf64_Phdr*)(content + h->e_phoff);
  for (int i = 0; i < h->e_phnum; i++) {
    const unsigned long at = (unsigned long)address;
    if (p[i].p_type == PT_LOAD && at >= p[i].p_vaddr && at + 8 <= p[i].p_vaddr + p[i].p_filesz &&
        p[i].p_offset + (at - p[i].p_vaddr) + 8 <= size)
      return *(const long*)(content + p[i].p_offset + (at - p[i].p_vaddr));
  }
  return 0;
}

static void notes(pid_t pid) {
  const Elf64_Ehdr* h = (const Elf64_Ehdr*)content;
  const Elf64_Phdr* p = (const Elf64_Phdr*)(content + h->e_phoff);
  IS(h->e_type == ET_CORE && h->e_machine == EM_X86_64 && p->p_type == PT_NOTE);
  static const unsigned kOrder[] = {NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE, NT_FPREGSET, NT_X86_XSTATE};
  int threads = 0, order = 0;
  for (size_t at = p->p_offset; at < p->p_offset + p->p_filesz;) {
    const Elf64_Nhdr* n = (const Elf64_Nhdr*)(content + at);
    const char* name = content + at + sizeof *n;
    const char* body = name + (n->n_namesz + 3) / 4 * 4;
    at = (size_t)(body - content) + (n->n_descsz + 3) / 4 * 4;
    if (n->n_type == NT_PRSTATUS) {
      const struct elf_prstatus* s = (const void*)body;
      if (threads++ == 0) IS(s->pr_pid == pid && s->pr_cursig == SIGABRT && n->n_descsz == sizeof *s);
    } else if (threads == 1 && order < 6) {
      IS(n->n_type == kOrder[order] && strcmp(name, n->n_type == NT_X86_XSTATE ? "LINUX" : "CORE") == 0);
      order++;
    }
    if (n->n_type == NT_PRPSINFO) {
      const struct elf_prpsinfo* s = (const void*)body;
      IS(s->pr_pid == pid && strstr(s->pr_psargs, "core_dump") != NULL);
    }
    if (n->n_type == NT_SIGINFO) IS(((const siginfo_t*)(const void*)body)->si_pid == pid);
    if (n->n_type == NT_FILE)
      IS(((const long*)(const void*)body)[0] > 0 && ((const long*)(const void*)body)[1] == 4096);
  }
  IS(threads == 3);
}

static void not_dumpable(void) {
  prctl(PR_SET_DUMPABLE, 0);
  abort();
}
static void quits(void) {
  raise(SIGQUIT);
}
static void faults(void) {
  *(volatile int*)8 = 1;
}
static void terminates(void) {
  raise(SIGTERM);
}
static void filters(void) {
  write_text("/proc/self/coredump_filter", "0x10");
  abort();
}

int main(void) {
  scratch();
  write_text("/proc/sys/kernel/core_pattern", "core");
  write_text("/proc/sys/kernel/core_uses_pid", "0");
  hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  shown = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  hidden[0] = shown[0] = 77;
  madvise(hidden, 4096, MADV_DONTDUMP);

  SAY("no limit");
  limit(0);
  ended(crash, SIGABRT, 0);
  IS(access("core", F_OK) == -1);

  limit(RLIM_INFINITY);
  pid_t pid = ended(crash, SIGABRT, 1);
  load("core");
  if (IS(content != NULL)) {
    notes(pid);
    IS(word_at((const void*)&marked) == 0x0123456789abcdef);
    IS(word_at(shown) == 77 && word_at(hidden) == 0);
  }
  struct stat st;
  IS(stat("core", &st) == 0 && (st.st_mode & 07777) == 0600);

  SAY("names");
  unlink("core");
  write_text("/proc/sys/kernel/core_pattern", "c-%s-%u-%%-%e");
  ended(quits, SIGQUIT, 1);
  char name[64], comm[32] = "";
  int fd = open("/proc/self/comm", O_RDONLY);
  comm[read(fd, comm, sizeof comm - 1) - 1] = '\0';
  close(fd);
  snprintf(name, sizeof name, "c-3-%d-%%-%s", getuid(), comm);
  IS(unlink(name) == 0);
  write_text("/proc/sys/kernel/core_pattern", "core");
  write_text("/proc/sys/kernel/core_uses_pid", "1");
  pid = ended(faults, SIGSEGV, 1);
  snprintf(name, sizeof name, "core.%d", pid);
  IS(unlink(name) == 0);
  write_text("/proc/sys/kernel/core_uses_pid", "0");

  SAY("none");
  ended(terminates, SIGTERM, 0);
  ended(not_dumpable, SIGABRT, 0);
  IS(access("core", F_OK) == -1);
  limit(100);
  ended(quits, SIGQUIT, 0);
  IS(access("core", F_OK) == -1);

  SAY("cut");
  limit(8192);
  ended(crash, SIGABRT, 1);
  IS(stat("core", &st) == 0 && st.st_size <= 8192 && st.st_size > 0);
  unlink("core");
  limit(RLIM_INFINITY);

  SAY("the filter");
  ended(filters, SIGABRT, 1);
  load("core");
  IS(content && word_at(shown) == 0);
  unlink("core");
  return done();
}

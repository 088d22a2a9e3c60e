// SPDX-License-Identifier: Apache-2.0
// A tracee's registers, vector state and memory: read, changed, stepped through.
// run: processes=fork
#include "check.h"

#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static pid_t child;
static int status;
static volatile int answer;

// Text that the tracer finds by its address: int3 at `trap_here`, one-byte instructions at `walk`.
extern char trap_here[], walk[], patched[];
__asm__(
    ".text\n.globl body\nbody:\n  mov %rdi, %rbx\n"
    ".globl trap_here\n  int3\ntrap_here:\n"
    "  movq %xmm3, %rax\n  mov %rax, (%rbx)\n"
    ".globl walk\nwalk:\n  nop\n  nop\n  mov $39, %eax\n  syscall\n  nop\n  int3\n"
    ".globl patched\npatched:\n  nop\n  xor %eax, %eax\n  ret\n");
long body(long* out);

static struct user_regs_struct regs;

static void resume(int request, int number) {
  ptrace(request, child, 0, number);
  waitpid(child, &status, 0);
  if (WIFSTOPPED(status)) ptrace(PTRACE_GETREGS, child, 0, &regs);
}

static const char* what(void) {
  static char text[80];
  if (WIFEXITED(status))
    snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status))
    snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
  else
    snprintf(text, sizeof text, "stopped by %d, event %d", WSTOPSIG(status), status >> 16);
  return text;
}

static int code(void) {
  siginfo_t info = {0};
  ptrace(PTRACE_GETSIGINFO, child, 0, &info);
  return info.si_code;
}

static void handler(int number) {
  (void)number;
  answer = 2;
}

int main(void) {
  child = fork();
  if (child == 0) {
    long out = 0;
    signal(SIGUSR1, handler);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    body(&out);
    _exit(out == 0x1122334455667788 ? 4 : 5);
  }
  waitpid(child, &status, 0);
  resume(PTRACE_CONT, 0);
  SAY("%s, code %#x", what(), code());
  IS(regs.rip == (unsigned long)trap_here && regs.cs == 0x33 && regs.ss == 0x2b);
  IS((long)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, regs.rip), 0) == (long)regs.rip);

  struct iovec io = {&regs, sizeof regs};
  RET(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &io));
  SAY("status set: %zu bytes", io.iov_len);
  struct user_fpregs_struct fp;
  RET(ptrace(PTRACE_GETFPREGS, child, 0, &fp));
  SAY("mxcsr %#x, control %#x", fp.mxcsr, fp.cwd);
  fp.xmm_space[12] = 0x55667788;
  fp.xmm_space[13] = 0x11223344;
  RET(ptrace(PTRACE_SETFPREGS, child, 0, &fp));
  static char extended[16384] __attribute__((aligned(64)));
  io = (struct iovec){extended, sizeof extended};
  RET(ptrace(PTRACE_GETREGSET, child, NT_X86_XSTATE, &io));
  IS(io.iov_len >= 576 && memcmp(extended + 160 + 48, &fp.xmm_space[12], 8) == 0);
  IS((*(unsigned long*)(extended + 464) & 3) == 3);
  RET(ptrace(PTRACE_SETREGSET, child, NT_X86_XSTATE, &io));
  fp.mxcsr = 0xffffffff;
  RET(ptrace(PTRACE_SETFPREGS, child, 0, &fp));
  io = (struct iovec){extended, sizeof extended};
  RET(ptrace(PTRACE_GETREGSET, child, 0x7777, &io));

  SAY("what user mode cannot have");
  RET(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.cs), 0x10));
  RET(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.fs_base), 0xffff800000000000));
  RET(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.eflags), 0xffffffffffffffff & ~0x100ul));
  ptrace(PTRACE_GETREGS, child, 0, &regs);
  SAY("flags %#lx", (long)regs.eflags & 0x3fff00 & ~0x100800);
  ptrace(PTRACE_POKEUSER, child, offsetof(struct user, regs.eflags), 0x202);

  SAY("steps");
  for (int i = 0; i < 3; i++) {
    resume(PTRACE_SINGLESTEP, 0);
    SAY("%s, code %d, at walk%+ld", what(), code(), (long)regs.rip - (long)walk);
  }
  resume(PTRACE_SINGLESTEP, 0);
  resume(PTRACE_SINGLESTEP, 0);
  SAY("before the call: walk%+ld, step flag shown %d", (long)regs.rip - (long)walk, (regs.eflags & 0x100) != 0);
  resume(PTRACE_SINGLESTEP, 0);
  SAY("behind it: walk%+ld, code %d, result right %d", (long)regs.rip - (long)walk, code(), (pid_t)regs.rax == child);
  resume(PTRACE_SINGLESTEP, 0);
  SAY("then: walk%+ld", (long)regs.rip - (long)walk);
  resume(PTRACE_SINGLESTEP, SIGUSR1);
  SAY("a handler: %s, at its start %d", what(), regs.rip == (unsigned long)handler);
  resume(PTRACE_CONT, 0);
  SAY("%s, code %#x", what(), code());

  SAY("text");
  errno = 0;
  long word = ptrace(PTRACE_PEEKTEXT, child, patched, 0);
  RET(ptrace(PTRACE_POKETEXT, child, patched, (word & ~0xffl) | 0xcc));
  IS((unsigned char)patched[0] == 0x90);
  resume(PTRACE_CONT, 0);
  SAY("%s, behind it %d", what(), regs.rip == (unsigned long)patched + 1);
  ptrace(PTRACE_POKETEXT, child, patched, word);
  RET(ptrace(PTRACE_PEEKTEXT, child, 8, 0));
  RET(ptrace(PTRACE_POKEDATA, child, 8, 0));

  sigset_t mask = {{0}};
  RET(ptrace(PTRACE_GETSIGMASK, child, 8, &mask));
  RET(ptrace(PTRACE_GETSIGMASK, child, 4, &mask));
  resume(PTRACE_CONT, 0);
  SAY("%s", what());
  return done();
}

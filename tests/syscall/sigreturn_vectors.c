// SPDX-License-Identifier: Apache-2.0
// rt_sigreturn(2) gives back every register: general, SSE, AVX, x87, the direction flag, as they were.
#include <immintrin.h>

#include "check.h"

static volatile int hits;
static void clobber(int s) {
  (void)s;
  __asm__ volatile(
      "pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; pxor %%xmm15, %%xmm15; fninit; xorl %%eax, %%eax; movl $-1, %%r11d" ::
          : "xmm0", "xmm7", "xmm15", "eax", "r11");
  if (__builtin_cpu_supports("avx")) __asm__ volatile("vzeroall" ::: "memory");
  hits++;
}

__attribute__((target("avx"))) static int avx_kept(void) {
  unsigned char in[32], out[32];
  for (int i = 0; i < 32; i++)
    in[i] = (unsigned char)(i * 7 + 1);
  __asm__ volatile(
      "vmovdqu %1, %%ymm5; vmovdqu %1, %%ymm13; movl $39, %%eax; syscall; movl %%eax, %%edi; movl $10, %%esi; movl "
      "$62, "
      "%%eax; syscall; vpxor %%xmm0, %%xmm0, %%xmm0; vmovdqu %%ymm13, %0"
      : "=m"(out)
      : "m"(in)
      : "rax", "rcx", "rdx", "rdi", "rsi", "r11", "xmm0", "xmm5", "xmm13", "memory");
  return memcmp(in, out, 32) == 0;
}

static volatile int stop;
static void* storm(void* thread) {
  while (!stop) {
    pthread_kill(*(pthread_t*)thread, SIGUSR1);
    pause_ms(1);
  }
  return NULL;
}

int main(void) {
  signal(SIGUSR1, clobber);
  unsigned char in[16], out[16];
  for (int i = 0; i < 16; i++)
    in[i] = (unsigned char)(200 - i);
  long saved[6];
  // kill(getpid(), SIGUSR1) by hand, so that nothing between sets a register.
  __asm__ volatile(
      "movdqu %1, %%xmm7; movdqu %1, %%xmm15; fld1; movl $39, %%eax; syscall; movl %%eax, %%edi; movl $10, %%esi;"
      "movq $0x1234, %%rbx; movq $0x5678, %%r12; movq $0x9abc, %%r15; movl $62, %%eax; syscall;"
      "movq %%rbx, (%2); movq %%r12, 8(%2); movq %%r15, 16(%2); movq %%rax, 24(%2); fistpq 32(%2); movdqu %%xmm15, %0"
      : "=m"(out)
      : "m"(in), "r"(saved)
      : "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "r11", "r12", "r15", "xmm7", "xmm15", "memory");
  IS(memcmp(in, out, 16) == 0);
  SAY("%lx %lx %lx %ld %ld hits %d", saved[0], saved[1], saved[2], saved[3], saved[4], hits);
  IS(!__builtin_cpu_supports("avx") || avx_kept());
  // A storm of signals at any instruction of a computation.
  pthread_t self = pthread_self(), t = start(storm, &self);
  double sum = 0;
  uint64_t hash = 1;
  for (int i = 1; i < 6000000; i++) {
    sum += 1.0 / i;
    hash = hash * 6364136223846793005u + (uint64_t)i;
  }
  while (hits < 3)
    pause_ms(1);  // on a busy machine the storm may begin late
  stop = 1;
  join(t);
  SAY("%.9f %016lx", sum, (unsigned long)hash);
  IS(hits > 2);
  return done();
}

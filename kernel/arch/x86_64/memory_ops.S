// SPDX-License-Identifier: Apache-2.0
// memcpy, memset, memmove and the copies to and from user memory. String instructions only where the processor is fast at them
// (fast_strings, set by cpu.cpp): QEMU's emulator runs `rep` one element at a time, so there unrolled moves win.

  .text
  .globl memcpy
  .type memcpy, @function
memcpy:
  mov %rdi, %rax
  cmp $64, %rdx
  jb 3f
  cmpb $0, fast_strings(%rip)
  jne 9f
1:mov (%rsi), %rcx
  mov 8(%rsi), %r8
  mov 16(%rsi), %r9
  mov 24(%rsi), %r10
  mov %rcx, (%rdi)
  mov %r8, 8(%rdi)
  mov %r9, 16(%rdi)
  mov %r10, 24(%rdi)
  mov 32(%rsi), %rcx
  mov 40(%rsi), %r8
  mov 48(%rsi), %r9
  mov 56(%rsi), %r10
  mov %rcx, 32(%rdi)
  mov %r8, 40(%rdi)
  mov %r9, 48(%rdi)
  mov %r10, 56(%rdi)
  add $64, %rsi
  add $64, %rdi
  sub $64, %rdx
  cmp $64, %rdx
  jae 1b
3:cmp $8, %rdx
  jb 5f
4:mov (%rsi), %rcx
  mov %rcx, (%rdi)
  add $8, %rsi
  add $8, %rdi
  sub $8, %rdx
  cmp $8, %rdx
  jae 4b
5:test %rdx, %rdx
  jz 7f
6:movb (%rsi), %cl
  movb %cl, (%rdi)
  inc %rsi
  inc %rdi
  dec %rdx
  jnz 6b
7:ret
9:mov %rdx, %rcx
  rep movsb
  ret

  .globl memmove
  .type memmove, @function
memmove:
  mov %rdi, %rcx
  sub %rsi, %rcx
  cmp %rdx, %rcx
  jae memcpy                           // the ranges do not overlap forwards
  mov %rdi, %rax
  cmp $8, %rdx
  jb 2f
1:mov -8(%rsi,%rdx), %rcx
  mov %rcx, -8(%rdi,%rdx)
  sub $8, %rdx
  cmp $8, %rdx
  jae 1b
2:test %rdx, %rdx
  jz 4f
3:movb -1(%rsi,%rdx), %cl
  movb %cl, -1(%rdi,%rdx)
  dec %rdx
  jnz 3b
4:ret

  .globl memset
  .type memset, @function
memset:
  mov %rdi, %r9
  movzbl %sil, %eax
  cmp $8, %rdx
  jb 4f
  mov $0x0101010101010101, %rcx
  imul %rcx, %rax
  cmp $64, %rdx
  jb 3f
  cmpb $0, fast_strings(%rip)
  jne 9f
2:mov %rax, (%rdi)
  mov %rax, 8(%rdi)
  mov %rax, 16(%rdi)
  mov %rax, 24(%rdi)
  mov %rax, 32(%rdi)
  mov %rax, 40(%rdi)
  mov %rax, 48(%rdi)
  mov %rax, 56(%rdi)
  add $64, %rdi
  sub $64, %rdx
  cmp $64, %rdx
  jae 2b
  cmp $8, %rdx
  jb 4f
3:mov %rax, (%rdi)
  add $8, %rdi
  sub $8, %rdx
  cmp $8, %rdx
  jae 3b
4:test %rdx, %rdx
  jz 6f
5:movb %al, (%rdi)
  inc %rdi
  dec %rdx
  jnz 5b
6:mov %r9, %rax
  ret
9:mov %rdx, %rcx
  rep stosb
  mov %r9, %rax
  ret

// A load or store that may fault: on a fault the trap handler goes on at `to`.
.macro fixup from, to
  .pushsection .fixups, "a"
  .long \from - .
  .long \to - .
  .popsection
.endm

// usize user_copy(void* to, const void* from, usize size): gives the bytes NOT copied. One side is the program's.
  .globl user_copy
  .type user_copy, @function
user_copy:
  cmpb $0, have_smap(%rip)
  je 1f
  stac
1:cmp $64, %rdx
  jb 30f
  cmpb $0, fast_strings(%rip)
  jne 90f
10:mov (%rsi), %rcx
11:mov 8(%rsi), %r8
12:mov 16(%rsi), %r9
13:mov 24(%rsi), %r10
14:mov %rcx, (%rdi)
15:mov %r8, 8(%rdi)
16:mov %r9, 16(%rdi)
17:mov %r10, 24(%rdi)
18:mov 32(%rsi), %rcx
19:mov 40(%rsi), %r8
20:mov 48(%rsi), %r9
21:mov 56(%rsi), %r10
22:mov %rcx, 32(%rdi)
23:mov %r8, 40(%rdi)
24:mov %r9, 48(%rdi)
25:mov %r10, 56(%rdi)
  add $64, %rsi
  add $64, %rdi
  sub $64, %rdx
  cmp $64, %rdx
  jae 10b
30:cmp $8, %rdx
  jb 33f
31:mov (%rsi), %rcx
32:mov %rcx, (%rdi)
  add $8, %rsi
  add $8, %rdi
  sub $8, %rdx
  cmp $8, %rdx
  jae 31b
33:test %rdx, %rdx
  jz 36f
34:movb (%rsi), %cl
35:movb %cl, (%rdi)
  inc %rsi
  inc %rdi
  dec %rdx
  jnz 34b
36:cmpb $0, have_smap(%rip)
  je 37f
  clac
37:mov %rdx, %rax
  ret
90:mov %rdx, %rcx
91:rep movsb
  xor %edx, %edx
  jmp 36b
92:mov %rcx, %rdx                      // a string move stopped at the bad byte: %rcx says how many are left
  jmp 36b
  fixup 10b, 33b
  fixup 11b, 33b
  fixup 12b, 33b
  fixup 13b, 33b
  fixup 14b, 33b
  fixup 15b, 33b
  fixup 16b, 33b
  fixup 17b, 33b
  fixup 18b, 33b
  fixup 19b, 33b
  fixup 20b, 33b
  fixup 21b, 33b
  fixup 22b, 33b
  fixup 23b, 33b
  fixup 24b, 33b
  fixup 25b, 33b
  fixup 31b, 33b
  fixup 32b, 33b
  fixup 34b, 36b
  fixup 35b, 36b
  fixup 91b, 92b

// usize user_clear(void* to, usize size): gives the bytes NOT cleared.
  .globl user_clear
  .type user_clear, @function
user_clear:
  xor %eax, %eax
  cmpb $0, have_smap(%rip)
  je 1f
  stac
1:cmp $64, %rsi
  jb 30f
10:mov %rax, (%rdi)
11:mov %rax, 8(%rdi)
12:mov %rax, 16(%rdi)
13:mov %rax, 24(%rdi)
14:mov %rax, 32(%rdi)
15:mov %rax, 40(%rdi)
16:mov %rax, 48(%rdi)
17:mov %rax, 56(%rdi)
  add $64, %rdi
  sub $64, %rsi
  cmp $64, %rsi
  jae 10b
30:test %rsi, %rsi
  jz 32f
31:movb %al, (%rdi)
  inc %rdi
  dec %rsi
  jnz 31b
32:cmpb $0, have_smap(%rip)
  je 33f
  clac
33:mov %rsi, %rax
  ret
  fixup 10b, 30b
  fixup 11b, 30b
  fixup 12b, 30b
  fixup 13b, 30b
  fixup 14b, 30b
  fixup 15b, 30b
  fixup 16b, 30b
  fixup 17b, 30b
  fixup 31b, 32b

// isize user_string(char* to, const char* from, usize capacity): the length without the NUL; capacity where there is none within
// it; -1 at a bad address.
  .globl user_string
  .type user_string, @function
user_string:
  cmpb $0, have_smap(%rip)
  je 1f
  stac
1:xor %eax, %eax
2:cmp %rdx, %rax
  jae 4f
3:movb (%rsi,%rax), %cl
  movb %cl, (%rdi,%rax)
  test %cl, %cl
  jz 4f
  inc %rax
  jmp 2b
4:cmpb $0, have_smap(%rip)
  je 5f
  clac
5:ret
6:mov $-1, %rax
  jmp 4b
  fixup 3b, 6b

// u64 user_load32(const u32* from): the word, or ~0 (64 bits) at a bad address.
  .globl user_load32
  .type user_load32, @function
user_load32:
  cmpb $0, have_smap(%rip)
  je 1f
  stac
1:
2:movl (%rdi), %eax
3:cmpb $0, have_smap(%rip)
  je 4f
  clac
4:ret
5:mov $-1, %rax
  jmp 3b
  fixup 2b, 5b

// u64 user_cmpxchg32(u32* at, u32 expected, u32 desired): the old word, or ~0 at a bad address.
  .globl user_cmpxchg32
  .type user_cmpxchg32, @function
user_cmpxchg32:
  cmpb $0, have_smap(%rip)
  je 1f
  stac
1:mov %esi, %eax
2:lock cmpxchgl %edx, (%rdi)
  mov %eax, %eax
3:cmpb $0, have_smap(%rip)
  je 4f
  clac
4:ret
5:mov $-1, %rax
  jmp 3b
  fixup 2b, 5b

// int msr and xrstor attempts that may fault with #GP: 0 done, -1 refused.
  .globl try_xrstor
  .type try_xrstor, @function
try_xrstor:                            // (const void* area, u64 mask)
  mov %esi, %eax
  mov %rsi, %rdx
  shr $32, %rdx
1:xrstor64 (%rdi)
  xor %eax, %eax
  ret
2:mov $-1, %eax
  ret
  fixup 1b, 2b
  .globl try_fxrstor
  .type try_fxrstor, @function
try_fxrstor:
1:fxrstor64 (%rdi)
  xor %eax, %eax
  ret
2:mov $-1, %eax
  ret
  fixup 1b, 2b

  .data
  .globl fast_strings, have_smap
fast_strings: .byte 0
have_smap: .byte 0
  .section .note.GNU-stack, "", @progbits

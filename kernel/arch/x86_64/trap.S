// SPDX-License-Identifier: Apache-2.0
// Entries from user mode and exceptions. All leave a TrapFrame (kernel/arch/trap_frame.hpp) on the thread's kernel stack.

.macro push_registers                  // below orig_rax
  push %rdi
  push %rsi
  push %rdx
  push %rcx
  push %rax
  push %r8
  push %r9
  push %r10
  push %r11
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
.endm
.macro pop_registers
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rax
  pop %rcx
  pop %rdx
  pop %rsi
  pop %rdi
.endm

  .text
// SYSCALL (SDM volume 3, 5.8.8): %rcx = return address, %r11 = flags; interrupts are off by SFMASK.
  .globl syscall_entry
syscall_entry:
  swapgs
  mov %rsp, %gs:24
  mov %gs:16, %rsp
  push $0x2b
  push %gs:24
  push %r11
  push $0x33
  push %rcx
  push %rax
  push_registers
  mov %rsp, %rdi
  xor %ebp, %ebp
  call syscall_main                    // void syscall_main(TrapFrame*)
  // SYSRET only where it gives exactly the frame: rip and flags as SYSCALL left them, an address of the lower half.
  mov 88(%rsp), %rcx
  cmp %rcx, 128(%rsp)
  jne return_to_user
  mov 48(%rsp), %r11
  cmp %r11, 144(%rsp)
  jne return_to_user
  mov %rcx, %rax
  shr $47, %rax
  jnz return_to_user
  pop_registers
  mov 32(%rsp), %rsp                   // past orig_rax, rip, cs, flags: the program's stack
  swapgs
  sysretq

  .globl return_to_user
return_to_user:
  pop_registers
  add $8, %rsp
  swapgs
  iretq

// A new thread's first step: the scheduler switched to its stack. %rbx = a kernel function to run first, or 0; %r12 = its context. A
// kernel thread's function does not return; a user thread then enters user mode with the frame that the stack holds.
  .globl thread_start
thread_start:
  call finish_switch_first
  test %rbx, %rbx
  jz 1f
  mov %r12, %rdi
  call *%rbx
1:mov %rsp, %rdi
  call user_start                      // last checks before user mode
  jmp return_to_user

// void switch_stacks(u64* save_sp, u64 new_sp)
  .globl switch_stacks
switch_stacks:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret

// void halt_until_interrupt(): called and left with interrupts off. No interrupt comes between STI and HLT (SDM volume 2,
// STI); but QEMU's emulation of SVM loses that shadow when the guest exits there, and a processor would sleep over its
// wake-up. So trap_main lets an interrupt that comes at halt_instruction return behind it.
  .globl halt_until_interrupt
halt_until_interrupt:
  sti
  .globl halt_instruction
halt_instruction:
  hlt
  .globl halt_end
halt_end:
  cli
  ret

// Exceptions and interrupts. A stub leaves the error code (or 0) in orig_rax's place and the vector in %edi.
common_trap:
  cld
  push %rsi
  push %rdx
  push %rcx
  push %rax
  push %r8
  push %r9
  push %r10
  push %r11
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  testb $3, 136(%rsp)
  jz trap_from_kernel
  swapgs
trap_from_kernel:
  mov %edi, %esi
  mov 120(%rsp), %rdx
  movq $-1, 120(%rsp)
  mov %rsp, %rdi
  xor %ebp, %ebp
  testb $3, 136(%rsp)
  jnz 3f
  mov 32(%rsp), %rbp                   // in the kernel the interrupted frame chain goes on
3:call trap_main                       // void trap_main(TrapFrame*, u32 vector, u64 error)
  testb $3, 136(%rsp)
  jnz return_to_user
  pop_registers
  add $8, %rsp
  iretq

// #DB may come right behind SYSCALL, on the program's stack and GS, where a move to SS has delayed it (SDM volume 3, 7.8.3): so it
// has a stack of its own. In the kernel it can only be a data breakpoint on what is copied for the program: passed over. From user
// mode it goes on on the thread's stack, as any other trap.
common_debug:
  cld
  testb $3, 24(%rsp)                   // %rdi, error, rip, cs, flags, rsp, ss
  jnz 1f
  xor %edi, %edi
  mov %rdi, %dr6
  pop %rdi
  add $8, %rsp
  iretq
1:swapgs
  push %rax
  mov %gs:16, %rdi
  sub $56, %rdi
  .irp at, 0, 8, 16, 24, 32, 40, 48
  mov 8 + \at(%rsp), %rax
  mov %rax, \at(%rdi)
  .endr
  pop %rax
  mov %rdi, %rsp
  swapgs
  mov $1, %edi
  jmp common_trap

// NMI, double fault, machine check: on their own stacks, at any point, even between SYSCALL and its swapgs. They only end in a
// panic or a halt, so GS is simply made the kernel's.
common_fatal:
  cld
  push %rsi
  push %rdx
  push %rcx
  push %rax
  push %r8
  push %r9
  push %r10
  push %r11
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov $0xc0000101, %ecx
  rdmsr
  test %edx, %edx
  js 1f
  swapgs
1:mov %edi, %esi
  mov 120(%rsp), %rdx
  mov %rsp, %rdi
  mov 32(%rsp), %rbp
  call fatal_trap_main
2:cli
  hlt
  jmp 2b

.macro stub vector, error
  .balign 16
  .if \error == 0
  push $0
  .endif
  push %rdi
  mov $\vector, %edi
  .if \vector == 2 || \vector == 8 || \vector == 18
  jmp common_fatal
  .elseif \vector == 1
  jmp common_debug
  .else
  jmp common_trap
  .endif
.endm

  .balign 16
  .globl trap_stubs
trap_stubs:                            // 16 bytes each, in the order of the vectors
  .set v, 0
  .rept 256
  .if v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 21 || v == 29 || v == 30
  stub v, 1
  .else
  stub v, 0
  .endif
  .set v, v + 1
  .endr
  .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: Apache-2.0
// The first instructions of another processor (SDM volume 3, 8.4): copied to a page below 1 MiB, entered in real mode at its start.
// smp.cpp fills the words at the end. The page is identity-mapped while processors start.

  .section .rodata
  .balign 16
  .globl trampoline_start, trampoline_end, trampoline_data
  .code16
trampoline_start:
  cli
  cld
  mov %cs, %ax
  mov %ax, %ds
  mov %ax, %ss
  xor %ebx, %ebx
  mov %cs, %bx
  shl $4, %ebx                         // the page's physical address
  mov $(trampoline_data - trampoline_start), %si
  movl 0(%si), %eax                    // page tables
  mov %eax, %cr3
  mov %cr4, %eax
  or $0xa0, %eax                       // PAE, PGE
  mov %eax, %cr4
  mov $0xc0000080, %ecx
  rdmsr
  or $0x901, %eax
  wrmsr
  lgdtl 32(%si)
  mov %cr0, %eax
  or $0x80010001, %eax
  and $0x9fffffff, %eax
  mov %eax, %cr0
  ljmpl *40(%si)
  .code64
1:mov $0x18, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  lea trampoline_data(%rip), %rsi
  mov 8(%rsi), %rsp
  mov 16(%rsi), %rax
  mov 24(%rsi), %rdi
  xor %ebp, %ebp
  call *%rax
  ud2
  .balign 8
trampoline_data:
  .quad 0                              // 0: CR3
  .quad 0                              // 8: stack
  .quad 0                              // 16: entry
  .quad 0                              // 24: argument
  .word 31                             // 32: GDT limit and base (smp.cpp)
  .long 0
  .word 0
  .long 1b - trampoline_start          // 40: far pointer (smp.cpp adds the page's address)
  .word 0x10
  .balign 8
trampoline_gdt:                        // 48
  .quad 0, 0
  .quad 0x00af9b000000ffff
  .quad 0x00cf93000000ffff
trampoline_end:
  .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: Apache-2.0
// The two ways in. PVH (Xen's docs/misc/pvh): 32-bit protected mode, paging off, %ebx = physical address of hvm_start_info.
// Linux 64-bit (Documentation/arch/x86/boot): long mode, identity-mapped, %rsi = boot_params. Both end in early_main(info, kind)
// in long mode at the load address; the code is position-independent throughout.

  .section .text.boot, "ax"
  .code32
  .globl pvh_entry
pvh_entry:
  cld
  mov %ebx, %edi                       // start_info: early_main's first argument
  // No stack yet: borrow one word of start_info (its magic, which nobody needs any more) to learn where we run.
  mov (%ebx), %edx
  lea 4(%ebx), %esp
  call 1f
1:pop %ebp
  mov %edx, (%ebx)
  lea (early_stack_top - 1b)(%ebp), %esp
  // Identity map of the first GiB with 2 MiB pages: early_pml4 -> early_pdpt -> early_pd.
  lea (early_pdpt - 1b + 3)(%ebp), %eax
  mov %eax, (early_pml4 - 1b)(%ebp)
  lea (early_pd - 1b + 3)(%ebp), %eax
  mov %eax, (early_pdpt - 1b)(%ebp)
  lea (early_pd - 1b)(%ebp), %ecx
  mov $0x83, %eax
2:mov %eax, (%ecx)
  movl $0, 4(%ecx)
  add $8, %ecx
  add $0x200000, %eax
  cmp $0x40000083, %eax
  jne 2b
  lea (early_pml4 - 1b)(%ebp), %eax
  mov %eax, %cr3
  mov %cr4, %eax
  or $0x20, %eax                       // PAE
  mov %eax, %cr4
  mov $0xc0000080, %ecx                // EFER: LME, NXE, SCE
  rdmsr
  or $0x901, %eax
  wrmsr
  mov %cr0, %eax
  or $0x80010001, %eax                 // PG, WP, PE
  and $0x9fffffff, %eax                // caches on
  mov %eax, %cr0
  lea (early_gdt - 1b)(%ebp), %eax
  push %eax
  pushw $31
  lgdt (%esp)
  lea (3f - 1b)(%ebp), %eax
  push $0x10
  push %eax
  lret
  .code64
3:mov %edi, %edi                       // zero-extend
  xor %esi, %esi                       // kind 0: PVH
  jmp 4f

  .globl linux64_entry
linux64_entry:
  cli
  cld
  mov %rsi, %rdi
  mov $1, %esi                         // kind 1: Linux boot_params
4:lea early_stack_top(%rip), %rsp
  lea early_gdt(%rip), %rax
  push %rax
  pushw $31
  lgdt (%rsp)
  add $10, %rsp
  mov $0x18, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  // Compiled code reads the stack-protector canary at %gs:40: point GS at zeros until the processor's own block exists.
  lea early_gs(%rip), %rax
  mov %rax, %rdx
  shr $32, %rdx
  mov $0xc0000101, %ecx
  wrmsr
  xor %ebp, %ebp
  call early_main                      // does not return: it goes on at the kernel's final address
  ud2

  .section .rodata
  .balign 16
early_gdt:
  .quad 0, 0
  .quad 0x00af9b000000ffff             // 0x10: kernel code, 64-bit
  .quad 0x00cf93000000ffff             // 0x18: kernel data

  .section .bss
  .balign 4096
early_pml4: .skip 4096
early_pdpt: .skip 4096
early_pd: .skip 4096
  .balign 16
early_gs: .skip 64
early_stack: .skip 8192
early_stack_top:

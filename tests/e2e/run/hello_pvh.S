// SPDX-License-Identifier: Apache-2.0
// The smallest PVH kernel: writes a line on COM1 and resets by a triple fault. For tests of `uni run`, and the
// yardstick of what QEMU itself needs to start.
  .section .note.Xen, "a", @note
  .align 4
  .long 4, 4, 18  // XEN_ELFNOTE_PHYS32_ENTRY (Xen public/elfnote.h)
  .asciz "Xen"
  .long start

  .text
  .code32
  .globl start
start:
  mov $text, %esi
next:
  lodsb
  test %al, %al
  jz end
  mov $0x3f8, %dx
  out %al, %dx
  jmp next
end:
  lidt none
  int3
none:
  .long 0, 0
text:
  .asciz "hello from an empty kernel\n"

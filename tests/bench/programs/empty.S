// SPDX-License-Identifier: Apache-2.0
// The least kernel that QEMU can boot by PVH: writes one line to the first serial port and stops. What it takes is QEMU's
// own share of a start. Both parts of the file lie above 1 MiB, where QEMU has memory and not its firmware.
  .section .note.pvh, "a", @note
  .long 4, 4, 18              // name size, description size, XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .long _start

  .text
  .globl _start
_start:
  movl $line, %esi
1:
  lodsb
  testb %al, %al
  jz 2f
  movw $0x3f8, %dx
  outb %al, %dx
  jmp 1b
2:
  cli
  movb $0xfe, %al             // the keyboard controller's reset line: QEMU ends with -no-reboot where there is one
  outb %al, $0x64
3:
  hlt
  jmp 3b
line:
  .asciz "hello from nothing\n"

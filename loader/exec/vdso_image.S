// SPDX-License-Identifier: Apache-2.0
// The linked vDSO as data (kernel/CMakeLists.txt builds it first).
  .section .rodata
  .balign 8
  .globl vdso_image_start, vdso_image_end
vdso_image_start:
  .incbin "vdso.so"
vdso_image_end:
  .section .note.GNU-stack, "", @progbits

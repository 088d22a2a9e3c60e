// SPDX-License-Identifier: Apache-2.0
// The preloaded library's bytes, inside the command: nothing has to be found at run time.
  .section .rodata
  .globl uni_preload_begin, uni_preload_end
uni_preload_begin:
  .incbin UNI_PRELOAD_FILE
uni_preload_end:
  .section .note.GNU-stack, "", @progbits

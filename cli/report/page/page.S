// SPDX-License-Identifier: Apache-2.0
// The page's template, inside the command: nothing has to be found at run time.
  .section .rodata
  .globl uni_page_begin, uni_page_end
uni_page_begin:
  .incbin UNI_PAGE_FILE
uni_page_end:
  .section .note.GNU-stack, "", @progbits

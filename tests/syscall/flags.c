// SPDX-License-Identifier: Apache-2.0
// The tables of flags (syscall-shim/abi/flags.def): values against Linux's headers, and what a harmless call with each
// flag answers. Rows that say Full or Partial are tried: what they answer must be what Linux answers.
#include "flags_try.h"

// As they are passed: the headers' negative numbers are of 32 bits.
#define FLAG(call, name, value, level, note)                                                     \
  _Static_assert((uint64_t)(name) == (uint64_t)(value) || (uint32_t)(name) == (uint64_t)(value), \
                 #call ": " #name " is another number in Linux's headers");
#include "syscall-shim/abi/flags.def"
#undef FLAG

int main(void) {
  prepare();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].level == Full || rows[i].level == Partial) try_row(&rows[i]);
  return done();
}

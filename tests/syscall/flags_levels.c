// SPDX-License-Identifier: Apache-2.0
// The tables of flags (syscall-shim/abi/flags.def) in the guest: a row that says Refused is an error in every harmless
// call that it is tried with, and one that says Ignored is let through.
//
// run: guest
#include "flags_try.h"

int main(void) {
  prepare();
  int wrong = 0, seen = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (rows[i].level != Refused && rows[i].level != Ignored) continue;
    try_row(&rows[i]);
    if (tried == 0) continue;
    seen++;
    if ((worked == 0) == (rows[i].level == Refused)) continue;
    SAY("  %s %s is not %s", rows[i].call, rows[i].name, rows[i].level == Refused ? "refused" : "ignored");
    wrong++;
  }
  IS(wrong == 0);
  IS(seen > 300);
  return done();
}

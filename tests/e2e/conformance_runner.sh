#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/conformance/run on programs of our own: one that agrees, one that must differ, one that Linux refuses.
# shellcheck source=../lib.sh
. "$UNI_TOP/tests/lib.sh"

mkdir bin
cat > pass.c <<'EOF'
#include <stdlib.h>
int main(void) { return getenv("WANTED") ? 0 : 1; }
EOF
cat > guest.c <<'EOF'
#include <stdio.h>
#include <sys/utsname.h>
int main(int argc, char** argv) {
  struct utsname name;
  uname(&name);
  printf("FAIL on %s\n", name.nodename);
  return argc > 1 ? argv[1][0] - '0' : name.nodename[0] == 'u' && name.nodename[1] == 'n' && name.nodename[2] == 'i' && !name.nodename[3];
}
EOF
cat > slow.c <<'EOF'
#include <unistd.h>
int main(void) { return sleep(60) != 0; }
EOF
for program in pass guest slow; do cc -O1 -o "bin/$program" "$program.c"; done
printf '# comment\npass\nguest # fails in the guest only\nabsent\n' > list

run() { "$UNI_TOP/tests/conformance/run" --uni "$UNI" "$@"; }

status=0
run --bin bin --list list --env WANTED=1 --linux linux.json --logs logs > out || status=$?
cat out
[ "$status" = 1 ] || fail "the status is $status"
grep -q '^passes on Linux 2, in the guest 1 (50.0 %), 1 do not pass' out || fail "counts"
grep -q '^guest  *pass  *status 1  *FAIL on uni$' out || fail "the table"
[ "$(tail -n 1 out)" = "1 passed, 1 failed" ] || fail "the last line"
grep -q 'FAIL on uni' logs/guest.log || fail "the log"
grep -q '"guest": "pass"' linux.json || fail "what Linux answered"

# Without the variable the program fails on Linux too; a name picks lines.
run --bin bin --list list pass > out && fail "nothing passed on Linux, but the status is 0"
printf 'slow\n' > slow.list
run --bin bin --list slow.list --limit 1 > out && fail "a program without an end passes"
grep -q '^skip  slow  timeout / -$' out || fail "the limit"
# One image for all lines.
printf '0\n' > statuses
run --bin bin/guest --list statuses --args '{name}' > out || fail "one image"
[ "$(tail -n 1 out)" = "1 passed, 0 failed" ] || fail "the last line with one image"
# What tests/known-failures says of a suite's program is no failure of the run.
cp bin/guest bin/userfaultfd01
echo userfaultfd01 > known.list
run --bin bin --list known.list --setup ltp > out || fail "a known failure fails the run"
grep -q '^KNOWN  userfaultfd01  pass / status 1$' out || fail "a known failure is not shown"
grep -q '^known failures: 1 ' out || fail "known failures are not counted"

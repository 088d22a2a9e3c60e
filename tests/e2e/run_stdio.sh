#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Standard input, output and error stay apart and binary-clean, end-of-file passes, the status is the program's.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image hostname=test

guest 'say("ready"); out(b"to out\n"); out(b"to err\n", "stderr"); exit_with(7)'
status 7 "$UNI" run test.img <&- >out 2>err
same "$(cat out)" "to out" stdout
same "$(cat err)" "to err" stderr

guest "$CAT"
head -c 20000000 /dev/urandom >data
"$UNI" run test.img <data | cat >copy
cmp data copy
# shellcheck disable=SC2002  # a pipe, not a file
cat data | "$UNI" run test.img | cat >copy
cmp data copy
"$UNI" run test.img <data >file && cmp file data
same "$(: | "$UNI" run test.img | wc -c)" 0 "nothing in"
same "$("$UNI" run test.img </dev/null | wc -c)" 0 "/dev/null in"
same "$( (printf a; sleep 0.3; printf b) | "$UNI" run test.img)" ab "input in pieces"

# Closed descriptors are no reason to fail.
guest 'out(b"x"); exit_with(3)'
status 3 "$UNI" run test.img <&- >&- 2>&-

# A signal's number becomes a shell's status.
guest 'say("killed 11")'
status 139 "$UNI" run test.img </dev/null

# Output that a full disk does not take is lost, and said to be; the program's own failure is its status.
guest $'try:\n  out(b"x" * 10000000)\nexcept OSError:\n  pass\nexit_with(0)'
status 125 "$UNI" run test.img </dev/null >/dev/full 2>err
grep -q "uni: error: standard output: the program's output cannot be written: No space left on device" err || fail "said of a full disk: $(cat err)"
guest 'out(b"x", "stderr"); exit_with(0)'
status 125 "$UNI" run test.img </dev/null 2>/dev/full
guest 'out(b"x"); exit_with(4)'
status 4 "$UNI" run test.img </dev/null >/dev/full 2>err
# A reader that went away is none.
guest $'try:\n  out(b"x" * 10000000)\nexcept OSError:\n  pass\nexit_with(0)'
"$UNI" run test.img </dev/null 2>err | head -c 1 >/dev/null
same "${PIPESTATUS[0]} $(cat err)" "0 " "a reader that went away"

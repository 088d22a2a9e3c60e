#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A slow reader stops the guest and loses nothing; a reader that goes away is told to the guest; memory stays small.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image hostname=test

# The guest ends long before its output is read.
guest 'out(b"0123456789abcdef" * 8000); say("exit 0")'
same "$("$UNI" run test.img </dev/null | (sleep 1; wc -c))" 128000 "bytes after the end"

# 64 MB through a reader that stands still at first: uni holds a piece of it, not all.
guest 'out(b"x" * 64000000); exit_with(0)'
mkfifo pipe
"$UNI" run test.img </dev/null >pipe &
uni=$!
exec 3<pipe
sleep 1
kilobytes=$(awk '/^VmRSS/ {print $2}' /proc/$uni/status)
[ "$kilobytes" -lt 40000 ] || fail "uni holds $kilobytes KiB"
same "$(wc -c <&3)" 64000000 "bytes after a pause"
exec 3<&-
wait $uni

# `head` goes away: the guest's port is closed, and it ends as it likes.
guest '
try:
    while True:
        out(b"y\n" * 1000)
except OSError:
    exit_with(41)'
set +e
"$UNI" run test.img </dev/null | head -n 1 >first
code=${PIPESTATUS[0]}
set -e
same "$(cat first)" y "first line"
same "$code" 41 "status after the reader went away"

# Input that the guest never reads does not keep it alive.
guest 'say("ready"); time.sleep(0.2); exit_with(5)'
set +e
# shellcheck disable=SC2016  # expanded by the inner shell
timeout 20 bash -c 'cat /dev/zero | "$UNI" run test.img; exit ${PIPESTATUS[1]}'
same "$?" 5 "status with unread input"

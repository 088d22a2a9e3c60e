#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Signals reach the program; three interrupts end the machine; nothing outlives `uni`, not even when it is killed.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image hostname=test

guest '
say("ready"); out(b"%d\n" % os.getpid())
for n in range(4):
    out(heard().encode() + b"\n")
exit_with(0)'
"$UNI" run test.img </dev/null >out &
uni=$!
await out
for signal in HUP USR1 WINCH TERM; do
  kill -$signal $uni
  sleep 0.1
done
wait $uni
same "$(tail -n +2 out | tr '\n' ,)" "signal 1,signal 10,signal 28,signal 15," "signals heard"

# One interrupt is the program's business, the third within two seconds is ours.
guest 'say("ready"); out(b"%d\n" % os.getpid()); time.sleep(60)'
rm out
"$UNI" run test.img </dev/null >out &
uni=$!
await out
kill -TERM $uni
sleep 0.2
kill -0 $uni || fail "one SIGTERM ended uni"
kill -TERM $uni
sleep 0.2
kill -TERM $uni
code=0
wait $uni || code=$?
same $code 143 "status after three SIGTERM"
gone "$(head -n 1 out)"

rm out
"$UNI" run test.img </dev/null >out &
uni=$!
await out
kill -KILL $uni
wait $uni 2>/dev/null || true
gone "$(head -n 1 out)"

# What was ignored at the start stays ignored (nohup).
guest 'say("ready"); out(b"up\n"); time.sleep(0.6); PORT["control"].setblocking(False)
try:
    out(PORT["control"].recv(100))
except BlockingIOError:
    out(b"nothing\n")
exit_with(0)'
rm out
(trap "" HUP; exec "$UNI" run test.img </dev/null >out) &
uni=$!
await out
kill -HUP $uni
wait $uni
same "$(tail -n 1 out)" nothing "an ignored signal"

# A stop stops the machine, too, and a continuation goes on.
guest 'say("ready"); out(b"%d\n" % os.getpid()); time.sleep(0.7); exit_with(0)'
rm out
"$UNI" run test.img </dev/null >out &
uni=$!
await out
kill -TSTP $uni
sleep 0.2
grep -q '^State:.*T' "/proc/$(head -n 1 out)/status" || fail "the machine goes on while uni is stopped"
kill -CONT $uni
wait $uni

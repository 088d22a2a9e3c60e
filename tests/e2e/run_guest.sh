#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The real kernel behind `uni run`: bytes, end-of-file, a reader that goes away, signals, status, a shared directory.
. "$UNI_TOP/tests/lib.sh"
pack cat.img /bin/cat

head -c 5000000 /dev/urandom > data
"$UNI" run cat.img < data > copy
cmp data copy || fail "the copy differs"
same "bytes of a short input" "$(echo hi | "$UNI" run cat.img | wc -c)" 3
same "bytes through a slow reader" "$("$UNI" run cat.img < data | (sleep 1; wc -c))" 5000000
same "status with a missing file" "$(status_of "$UNI" run cat.img -- /missing < /dev/null)" 1
has "standard error" "$(cat err)" "No such file"

# The program gets SIGPIPE, as it would here.
pack yes.img /usr/bin/yes
set +e
"$UNI" run yes.img < /dev/null | head -n 1000 > lines
status=${PIPESTATUS[0]}
set -e
same "status after the reader went away" "$status" 141
same "lines" "$(wc -l < lines)" 1000

mkdir shared
echo inside > shared/file
same "a shared file" "$("$UNI" run cat.img -v ./shared:/shared:ro -- /shared/file < /dev/null)" inside

for signal in TERM:143 INT:130 USR1:138; do
  mkfifo pipe
  # A script's background jobs ignore SIGINT, and uni would leave it so.
  env --default-signal=INT "$UNI" run cat.img < pipe > out &
  uni=$!
  exec 7> pipe
  echo up >&7
  until [ -s out ]; do sleep 0.05; done
  kill -"${signal%:*}" $uni
  status=0
  wait $uni || status=$?
  exec 7>&-
  same "status after SIG${signal%:*}" $status "${signal#*:}"
  rm pipe out
done

# Who puts itself in the background is told why the machine went off; not where it was the program's own failure.
pack sh.img /bin/sh --processes fork
status=0
"$UNI" run sh.img -- -c '(while :; do :; done) & exit 0' < /dev/null 2> err || status=$?
same "status of a program that leaves one behind" $status 0
has "what was left" "$(cat err)" "1 of its processes still ran (\`sh\`)"
status=0
"$UNI" run sh.img -- -c '(while :; do :; done) & exit 3' < /dev/null 2> err || status=$?
same "its own failure" "$status $(cat err)" "3 "

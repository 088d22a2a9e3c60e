# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What `uni inspect` finds against what Linux sees: a program runs natively under strace with a load; every call that
# strace sees must be found, and at most 2.5 times as many may be. Nothing is run in the guest here.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
results=$PWD/result

# trace NAME COMMAND...: runs it under strace; its calls are in trace.NAME.
trace() {
  local name=$1
  shift
  strace -f -qq -e signal=none -o "trace.$name" "$@" < /dev/null > "out.$name" 2> "err.$name"
}

# traced NAME COMMAND...: adds the calls of a further run to those of NAME.
traced() {
  local name=$1
  shift
  trace "$name.part" "$@" || true
  cat "trace.$name.part" >> "trace.$name"
}

# served NAME READY COMMAND...: starts a server under strace and waits until READY succeeds.
served() {
  served_as root "$@"
}

# served_as USER NAME READY COMMAND...
served_as() {
  local user=$1 name=$2 ready=$3 until=$((SECONDS + 60))
  shift 3
  (exec setpriv --reuid "$user" --clear-groups strace -f -qq -e signal=none -o "trace.$name" "$@" < /dev/null > "out.$name" 2> "err.$name") &
  guest_pid=$!
  until eval "$ready" > /dev/null 2>&1; do
    kill -0 "$guest_pid" 2> /dev/null || fail "$name ended early: $(tail -n 3 "err.$name")"
    [ $SECONDS -lt $until ] || fail "$name does not answer under strace: $(tail -n 3 "err.$name")"
    sleep 0.2
  done
}

# ended_server NAME SIGNAL: ends the program that runs under strace, unless it has ended itself, and waits for strace.
ended_server() {
  [ "$2" = none ] || kill "-$2" "$(head -n 1 "trace.$1" | cut -d ' ' -f 1)" 2> /dev/null || true
  wait "$guest_pid" || true
  guest_pid=
}

# compare NAME PROGRAM [PACK ARGUMENT...]: adds a line to the results. With arguments the program is packed first.
compare() {
  local name=$1 subject=$2 status=0
  if [ $# -gt 2 ]; then
    pack "$name.img" "${@:2}"
    subject=$name.yaml
  fi
  "$UNI" inspect --json "$subject" > "found.$name" 2> "inspect.$name" || status=$?
  case $status in 0 | 3) ;; *) fail "uni inspect $subject: $(cat "inspect.$name")" ;; esac
  python3 "$UNI_TOP/tests/apps/syscalls_found.py" "$name" "found.$name" "trace.$name" >> "$results" || true
}

# verdict: prints the comparisons, fails where one failed.
verdict() {
  cat "$results"
  ! grep -q FAIL "$results" || fail "$(grep FAIL "$results" | head -n 3)"
}

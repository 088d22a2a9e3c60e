# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts of tests/e2e and tests/apps share. The runner gives $UNI, $UNI_TOP, $UNI_PROGRAMS and an empty working
# directory; a script run by hand gets them here.
set -euo pipefail
UNI_TOP=${UNI_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
UNI=${UNI:-$UNI_TOP/build/release/bin/uni}
UNI_PROGRAMS=${UNI_PROGRAMS:-$UNI_TOP/build/release/tests/programs}
if [ -z "${UNI_TEST_ID:-}" ]; then
  lib_scratch=$(mktemp -d)
  cd "$lib_scratch"
fi
guest_pid=
service_pid=  # of a service that the script started on this machine: ended with it
trap lib_cleanup EXIT

lib_cleanup() {
  local status=$?
  [ -z "$guest_pid" ] || kill "$guest_pid" 2> /dev/null || true
  [ -z "$guest_pid" ] || wait "$guest_pid" 2> /dev/null || true
  [ -z "$service_pid" ] || kill "$service_pid" 2> /dev/null || true
  [ -z "${lib_scratch:-}" ] || rm -rf "$lib_scratch"
  exit $status
}

# fail REASON: the reason is the last line on stderr; the guest's own output comes before it.
fail() {
  for file in guest.out guest.err; do
    [ ! -s $file ] || { echo "--- $file"; tail -n 20 $file; } >&2
  done
  echo "$*" >&2
  exit 1
}

# same WHAT GOT WANTED
same() {
  [ "$2" = "$3" ] || fail "$1 is \`$2\`, expected \`$3\`"
}

# has WHAT TEXT PART
has() {
  case $2 in *"$3"*) ;; *) fail "$1 has no \`$3\`: $2" ;; esac
}

# status_of COMMAND...: runs it quietly with stdout in out, stderr in err, and prints its status.
status_of() {
  local status=0
  "$@" > out 2> err || status=$?
  echo $status
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# pack IMAGE ARGUMENT...: packs, or fails with what it said.
pack() {
  local image=$1
  shift
  "$UNI" pack -o "$image" "$@" > pack.out 2> pack.err || fail "\`uni pack $*\` failed with status $?: $(tail -n 3 pack.err)"
  [ -s "$image" ] || fail "\`uni pack\` made no image"
}

# guest IMAGE ARGUMENT...: starts \`uni run\` in the background: output in guest.out and guest.err, its id in $guest_pid.
guest() {
  set -m  # without job control, bash starts background commands with SIGINT ignored
  "$UNI" run "$@" < /dev/null > guest.out 2> guest.err &
  guest_pid=$!
  set +m
}

# await SECONDS COMMAND...: until the command succeeds; fails when the guest has ended before.
await() {
  local until=$((SECONDS + $1))
  shift
  until "$@" > await.out 2>&1; do
    kill -0 "$guest_pid" 2> /dev/null || fail "the guest ended while waiting for \`$*\`"
    [ $SECONDS -lt $until ] || fail "no success in time: \`$*\`: $(tail -n 2 await.out)"
    sleep 0.1
  done
}

# ended STATUS SECONDS: the guest ends by itself, in time, with this status.
ended() {
  local until=$((SECONDS + $2)) status=0
  while kill -0 "$guest_pid" 2> /dev/null; do
    [ $SECONDS -lt $until ] || fail "the guest has not ended after $2 s"
    sleep 0.05
  done
  wait "$guest_pid" || status=$?
  guest_pid=
  [ $status = "$1" ] || fail "the guest's status is $status, expected $1"
}

# signal_guest NAME: to `uni run`, which passes it on.
signal_guest() {
  kill "-$1" "$guest_pid"
}

http() {
  curl -sS --fail --max-time 20 "$@"
}

# under_load URL [CONNECTIONS]: wrk with 16 connections for two seconds, or $UNI_LOAD_SECONDS; no answer may be an error.
under_load() {
  wrk -t1 -c"${2:-16}" --timeout 20s -d"${UNI_LOAD_SECONDS:-2}s" "$1" > wrk.out || fail "wrk did not finish"
  ! grep -q 'Non-2xx\|Socket errors' wrk.out || fail "wrk saw errors: $(grep 'Non-2xx\|Socket errors' wrk.out)"
  local rate
  rate=$(sed -n 's/^Requests\/sec: *\([0-9]*\).*/\1/p' wrk.out)
  [ "${rate:-0}" -gt 0 ] || fail "wrk got no answer"
  record "$rate requests/s"
}

# repeated COMMAND...: once, or again and again for $UNI_LOAD_SECONDS; fails when the command does.
repeated() {
  local until=$((SECONDS + ${UNI_LOAD_SECONDS:-0})) times=0
  while [ $times = 0 ] || [ $SECONDS -lt $until ]; do
    "$@" || fail "\`$*\` failed the $((times + 1)). time"
    times=$((times + 1))
  done
  record "$times times \`$1\`"
}

# record TEXT: a result of the load, for tests/compatibility.
record() {
  [ -z "${UNI_RECORD:-}" ] || echo "$*" >> "$UNI_RECORD"
}

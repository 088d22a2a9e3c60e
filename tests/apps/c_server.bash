# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The C server's test, for each way of linking it.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

c_server() {
  local port
  port=$(free_port)
  pack server.img "$UNI_PROGRAMS/$1"
  guest server.img -p "$port:8080"
  await 60 http "http://127.0.0.1:$port/"
  same "the answer" "$(http "http://127.0.0.1:$port/")" "hello world"
  # Two requests over one connection, then eight connections at once.
  same "keep-alive" "$(http "http://127.0.0.1:$port/" "http://127.0.0.1:$port/" | tr '\n' ' ')" "hello world hello world "
  local jobs=()
  for i in 1 2 3 4 5 6 7 8; do
    http "http://127.0.0.1:$port/" > "answer.$i" &
    jobs+=($!)
  done
  wait "${jobs[@]}" || fail "one of eight connections at once failed"
  for i in 1 2 3 4 5 6 7 8; do same "answer $i" "$(cat "answer.$i")" "hello world"; done
  has "the thread count" "$(http "http://127.0.0.1:$port/threads")" "threads 1"
  under_load "http://127.0.0.1:$port/"
  same "the last answer" "$(http "http://127.0.0.1:$port/quit")" "bye"
  ended 0 20
  has "stdout" "$(cat guest.out)" "listening"
}

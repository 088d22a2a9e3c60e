# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# An HTTP server in a script, for each interpreter: answers, stands load, is ended by SIGTERM.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# script_server STATUS ARGUMENT...: what \`uni pack\` is given; the server listens on 8080 and answers "from a script".
script_server() {
  local status=$1 port
  shift
  port=$(free_port)
  pack server.img "$@"
  guest server.img -m 256M -p "$port:8080"
  await 60 http "http://127.0.0.1:$port/"
  same "the answer" "$(http "http://127.0.0.1:$port/")" "from a script"
  under_load "http://127.0.0.1:$port/" 8
  signal_guest TERM
  ended "$status" 20
}

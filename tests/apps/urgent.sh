#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Out-of-band data of TCP over the wire, both ways, against a peer on the host; the same program says the same on Linux.
. "$(dirname "$0")/../lib.sh"
pack urgent.img "$UNI_PROGRAMS/urgent"

# peer: starts the other end; its output is in peer.out, its port in $port.
peer() {
  rm -f peer.out
  python3 "$(dirname "$0")/urgent_peer.py" > peer.out &
  peer_pid=$!
  for _ in $(seq 100); do [ ! -s peer.out ] || break; sleep 0.1; done
  port=$(head -n 1 peer.out)
}

for inline in "" inline; do
  peer
  # shellcheck disable=SC2086
  "$UNI_PROGRAMS/urgent" 127.0.0.1 "$port" $inline > linux.out
  wait "$peer_pid"
  tail -n 2 peer.out >> linux.out
  peer
  # shellcheck disable=SC2086
  guest --net user --host-loopback urgent.img -- 10.0.2.2 "$port" $inline
  ended 0 60
  wait "$peer_pid"
  tail -n 2 peer.out >> guest.out
  same "what the guest saw" "$(cat guest.out)" "$(cat linux.out)"
done

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# iputils' ping: to itself over IPv4 and IPv6, and to its gateway, also in fragments.
# table: ping | iputils-ping | uni pack ping
. "$(dirname "$0")/../lib.sh"
pack ping.img ping

pings() {
  guest --net user ping.img -- -n -c 2 -i 0.2 -W 5 "$@"
  ended 0 60
  has "the output" "$(cat guest.out)" "2 packets transmitted, 2 received, 0% packet loss"
}

pings 127.0.0.1
pings ::1
pings 10.0.2.2
has "the output" "$(cat guest.out)" "icmp_seq=2 ttl="
pings -s 3000 10.0.2.2

# A name that has no host behind it: the status is ping's own.
guest --net user ping.img -- -n -c 1 -W 1 192.0.2.77
ended 1 60

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# redis-server: redis-cli, redis-benchmark through the published port, SHUTDOWN ends the machine with 0.
# table: redis | redis-server | uni pack redis-server
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cli() { timeout 30 redis-cli -p "$port" "$@"; }
pack redis.img /usr/bin/redis-server -- --save '' --protected-mode no
guest redis.img -p "$port:6379"
await 60 cli ping
same "ping" "$(cli ping)" PONG
same "set" "$(cli set greeting hello)" OK
same "get" "$(cli get greeting)" hello
same "incr" "$(cli incr n; cli incr n)" $'1\n2'
same "lists" "$(cli rpush l a b c > /dev/null; cli lrange l 0 -1 | tr '\n' ' ')" "a b c "
has "info" "$(cli info server)" "redis_mode:standalone"
head -c 1000000 /dev/zero | tr '\0' v > value
same "set of a megabyte" "$(cli -x set big < value)" OK
same "its length" "$(cli strlen big)" 1000000
cli get big | head -c 1000000 | cmp -s - value || fail "a megabyte comes back changed"
# What stands still, where a benchmark does not end: its output, both ends' view of the connections, the server's.
stuck() {
  tail -c 300 "$2"
  ss -tnoi "( sport = :$port or dport = :$port )" 2>&1 | head -40
  cli info clients stats 2>&1 | head -60
  cli client list 2>&1 | head -60
  fail "$1 did not finish"
}
benchmarks() {
  timeout 120 redis-benchmark -p "$port" -q -n 20000 -c 50 -t set,get --csv > bench.csv || stuck redis-benchmark bench.csv
  same "lines of redis-benchmark" "$(grep -c -E '^"(SET|GET)"' bench.csv)" 2
  timeout 120 redis-benchmark -p "$port" -q -n 50000 -P 16 -t set,get --csv > pipelined.csv || stuck "redis-benchmark -P 16" pipelined.csv
  same "lines of redis-benchmark -P 16" "$(grep -c -E '^"(SET|GET)"' pipelined.csv)" 2
}
repeated benchmarks
cli shutdown nosave || true
ended 0 20

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
benchmarks() {
  timeout 120 redis-benchmark -p "$port" -q -n 20000 -c 50 -t set,get --csv > bench.csv || fail "redis-benchmark did not finish"
  same "lines of redis-benchmark" "$(grep -c -E '^"(SET|GET)"' bench.csv)" 2
  timeout 120 redis-benchmark -p "$port" -q -n 50000 -P 16 -t set,get --csv > pipelined.csv || fail "redis-benchmark -P 16 did not finish"
  same "lines of redis-benchmark -P 16" "$(grep -c -E '^"(SET|GET)"' pipelined.csv)" 2
}
repeated benchmarks
cli shutdown nosave || true
ended 0 20

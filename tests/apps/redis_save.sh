#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# redis-server that forks to save: BGSAVE and an append-only file that is rewritten; both hold what was there.
# table: redis, saving | redis-server | uni pack redis-server --processes fork
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cli() { timeout 30 redis-cli -p "$port" "$@"; }
pack redis.img /usr/bin/redis-server --processes fork -w /tmp -- --save '' --protected-mode no --appendonly yes --dir /tmp \
  --enable-debug-command yes
guest redis.img -m 256M -p "$port:6379"
await 60 cli ping
cli debug populate 20000 key 100 > /dev/null
same "set" "$(cli set greeting hello)" OK
has "bgsave" "$(cli bgsave)" "Background saving started"
saved() { [ "$(cli info persistence | tr -d '\r' | sed -n 's/^rdb_bgsave_in_progress://p')" = 0 ] && [ "$(cli lastsave)" -gt 0 ]; }
await 30 saved
has "the last save" "$(cli info persistence)" "rdb_last_bgsave_status:ok"
has "bgrewriteaof" "$(cli bgrewriteaof)" "rewriting started"
rewritten() { [ "$(cli info persistence | tr -d '\r' | sed -n 's/^aof_rewrite_in_progress://p')" = 0 ]; }
await 30 rewritten
has "the last rewrite" "$(cli info persistence)" "aof_last_bgrewrite_status:ok"
same "get" "$(cli get greeting)" hello
same "after loading from the file" "$(cli debug reload > /dev/null; cli dbsize)" 20001
cli shutdown nosave || true
ended 0 20

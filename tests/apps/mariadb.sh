#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# MariaDB on two processors: a script makes the database with mariadb-install-db and becomes the server; tables of InnoDB and
# Aria, eight clients at once, a transaction rolled back; SIGTERM ends it with 0.
# table: MariaDB | mariadb-server-core | uni pack ./start.sh --processes exec --add-program mariadbd
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cat > start.sh <<'SCRIPT'
#!/bin/sh
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mariadb-install-db --user=root --datadir=/tmp/db --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve > /tmp/log 2>&1 ||
  { cat /tmp/log; exit 1; }
exec mariadbd --user=root --datadir=/tmp/db --socket=/tmp/socket --skip-grant-tables --skip-name-resolve --bind-address=0.0.0.0 \
  --innodb-buffer-pool-size=32M
SCRIPT
chmod +x start.sh
programs=()
for name in mariadb-install-db my_print_defaults resolveip mariadbd dirname sed uname cat chown mkdir; do
  programs+=(--add-program "$(PATH=$PATH:/usr/sbin type -P "$name")")
done
pack mariadb.img ./start.sh --processes exec "${programs[@]}"
guest mariadb.img -c 2 -m 384M -p "$port:3306"
sql() { mariadb -h 127.0.0.1 -P "$port" --connect-timeout=10 -N -B "${@:2}" -e "$1"; }
await 120 sql 'select 1'
sql 'create database t; create table t.i (a int primary key auto_increment, b int) engine=innodb; create table t.m (a int) engine=aria'
sql 'insert into m select seq from seq_1_to_1000; begin; delete from m; insert into i values (1, 1); rollback' t
same "the rows of Aria and InnoDB" "$(sql 'select (select count(*) from m), (select count(*) from i)' t)" "0	0"
clients() {
  local jobs=() i
  sql 'truncate table i' t
  for i in 1 2 3 4 5 6 7 8; do
    mariadb -h 127.0.0.1 -P "$port" t < work.sql > "client.$i" 2>&1 &
    jobs+=($!)
  done
  wait "${jobs[@]}" || fail "one of eight clients failed: $(tail -n 1 client.?)"
  same "the sum" "$(sql 'select count(*), sum(b) from i' t)" "400	10200"
}
for i in $(seq 50); do echo "insert into i (b) values ($i); select sum(b) from i where a % 8 = $i % 8;"; done > work.sql
repeated clients
signal_guest TERM
ended 0 30

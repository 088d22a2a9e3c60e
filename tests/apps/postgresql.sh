#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL from its package: a script makes the database (initdb forks and executes) and becomes the server, which
# forks for each client and shares memory between them. pgbench with 8 clients; SIGINT ends it with 0.
# table: PostgreSQL | postgresql-15 | uni pack ./start.sh --processes exec --add-program postgres
. "$(dirname "$0")/../lib.sh"
bin=/usr/lib/postgresql/15/bin
port=$(free_port)
printf 'root:x:0:0:root:/root:/bin/sh\npostgres:x:1000:1000:PostgreSQL:/tmp:/bin/sh\n' > passwd
cat > start.sh <<EOF2
#!/bin/sh
set -e
export LC_ALL=C PATH=$bin:/usr/bin:/bin
initdb -D /tmp/pg -U postgres --auth=trust --no-locale -N > /dev/null
echo 'host all all all trust' >> /tmp/pg/pg_hba.conf
exec postgres -D /tmp/pg -k /tmp -h 0.0.0.0 -F
EOF2
chmod +x start.sh
pack postgres.img ./start.sh --processes exec -u 1000:1000 --add-program "$bin/initdb" --add-program "$bin/postgres" \
  -a /usr/share/postgresql/15:/usr/share/postgresql/15 -a /usr/lib/postgresql/15/lib:/usr/lib/postgresql/15/lib \
  -a "$PWD/passwd:/etc/passwd"
guest postgres.img -m 512M -p "$port:5432"
export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres
await 120 psql -c 'select 1'
psql -q -c 'create table t(a int)' -c 'insert into t select generate_series(1, 1000)' || fail "psql cannot write"
same "the sum" "$(psql -At -c 'select sum(a) from t')" 500500
"$bin/pgbench" -q -i -s 1 > pgbench.init 2>&1 || fail "pgbench -i: $(tail -n 1 pgbench.init)"
"$bin/pgbench" -n -c 8 -t 10 > pgbench.out 2>&1 || fail "pgbench: $(tail -n 1 pgbench.out)"
has "pgbench" "$(cat pgbench.out)" "number of transactions actually processed: 80/80"
selects() {
  "$bin/pgbench" -n -S -c 8 -t 50 > pgbench.out 2>&1 || fail "pgbench -S: $(tail -n 1 pgbench.out)"
  has "pgbench -S" "$(cat pgbench.out)" "number of transactions actually processed: 400/400"
}
repeated selects
signal_guest INT
ended 0 30

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sqlite3 with SQL on stdin, and its file in a host directory.
# table: sqlite3 | sqlite3 | uni pack sqlite3
. "$(dirname "$0")/../lib.sh"
pack sqlite.img "$(command -v sqlite3)"
sql="create table t(n integer primary key, word text); insert into t(word) values ('one'), ('two'), ('three');
select count(*), group_concat(word) from t; select sum(n * n) from t;"
same "a database in memory" "$(echo "$sql" | "$UNI" run sqlite.img)" $'3|one,two,three\n14'
mkdir data
same "a database on the host" "$(echo "$sql" | "$UNI" run sqlite.img -v "$PWD/data:/data" -- /data/test.db)" $'3|one,two,three\n14'
[ -s data/test.db ] || fail "data/test.db is not on the host"
same "what the host's sqlite3 reads" "$(sqlite3 data/test.db 'pragma integrity_check; select word from t where n = 2')" $'ok\ntwo'
sqlite3 data/test.db "insert into t(word) values ('four')"
same "what the guest reads back" "$(echo 'select count(*) from t;' | "$UNI" run sqlite.img -v "$PWD/data:/data" -- /data/test.db)" 4
# Read-only means that.
same "status of a write to a read-only volume" \
  "$(echo "insert into t(word) values ('five');" | status_of "$UNI" run sqlite.img -v "$PWD/data:/data:ro" -- -bail /data/test.db)" 1
same "rows on the host" "$(sqlite3 data/test.db 'select count(*) from t')" 4
# A table of a size that does not fit in the page cache of sqlite3.
big="create table b(x); with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000)
insert into b select printf('%0100d', i) from c; select count(*), max(x) = printf('%0100d', 20000) from b;"
same "twenty thousand rows" "$(echo "$big" | "$UNI" run sqlite.img -- /tmp/big.db)" "20000|1"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `uni inspect` finds against what Linux sees: each program runs natively under strace with a short load; every call
# that strace sees must be found, and at most 2.5 times as many may be. Nothing is run in the guest here.
. "$(dirname "$0")/syscalls.bash"
programs=$UNI_PROGRAMS
for name in httpd-dynamic httpd-static httpd-musl-static go-httpd rust-httpd; do
  [ -x "$programs/$name" ] || fail "no program $name in $programs"
  port=$(free_port)
  served $name "curl -sf --max-time 5 http://127.0.0.1:$port/" "$programs/$name" "$port"
  curl -sf --max-time 20 "http://127.0.0.1:$port/work" > /dev/null || true
  curl -s --max-time 20 "http://127.0.0.1:$port/missing" > /dev/null || true
  curl -sf --max-time 20 "http://127.0.0.1:$port/quit" > /dev/null || true
  ended_server $name TERM
  compare $name "$programs/$name"
done

port=$(free_port)
mkdir redis
served redis "redis-cli -p $port ping" redis-server --port "$port" --dir "$PWD/redis" --appendonly yes
for command in "set a 1" "incr a" "lpush l 1 2 3" "save" "bgsave" "config get maxmemory" "info" "client list" "debug sleep 0"; do
  # shellcheck disable=SC2086 # words
  redis-cli -p "$port" $command > /dev/null 2>&1 || true
done
timeout 60 redis-benchmark -p "$port" -q -n 500 -c 5 -t set,get > /dev/null 2>&1 || true
redis-cli -p "$port" shutdown > /dev/null 2>&1 || true
ended_server redis none
compare redis /usr/bin/redis-server

port=$(free_port)
mkdir www
echo page > www/index.html
cat > lighttpd.conf <<C
server.document-root = "$PWD/www"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$PWD/lighttpd.log"
server.pid-file = "$PWD/lighttpd.pid"
server.modules = ("mod_access", "mod_accesslog", "mod_indexfile", "mod_dirlisting", "mod_staticfile", "mod_cgi")
dir-listing.activate = "enable"
accesslog.filename = "$PWD/access.log"
index-file.names = ("index.html")
cgi.assign = (".cgi" => "/bin/sh")
C
mkdir www/sub
echo 'echo Content-Type: text/plain; echo; echo cgi' > www/a.cgi
head -c 300000 /dev/zero > www/big
served lighttpd "curl -sf --max-time 5 http://127.0.0.1:$port/" /usr/sbin/lighttpd -D -f lighttpd.conf
for path in big sub/ none a.cgi; do curl -s --max-time 20 "http://127.0.0.1:$port/$path" > /dev/null || true; done
head -c 100000 /dev/zero | curl -s --max-time 20 --data-binary @- "http://127.0.0.1:$port/a.cgi" > /dev/null || true
ended_server lighttpd INT
compare lighttpd /usr/sbin/lighttpd

port=$(free_port)
served memcached "echo version | timeout 5 nc -q 1 127.0.0.1 $port | grep -q VERSION" \
  memcached -u nobody -l 127.0.0.1 -p "$port" -P "$PWD/memcached.pid" -U "$port" -t 2
printf 'set a 0 0 1\r\nx\r\nget a\r\nstats\r\nstats slabs\r\nquit\r\n' | timeout 10 nc -q 1 127.0.0.1 "$port" > /dev/null || true
ended_server memcached TERM
compare memcached /usr/bin/memcached

cat > load.sql <<'S'
create table t(a integer primary key, b text);
begin; insert into t(b) select hex(randomblob(20)) from (with recursive c(x) as (select 1 union all select x+1 from c where x<2000) select x from c); commit;
pragma journal_mode=wal; insert into t(b) values('x'); pragma wal_checkpoint; pragma journal_mode=delete; pragma mmap_size=1000000;
.backup copy.db
.save saved.db
.output list.txt
select * from t limit 10;
.output
.import list.txt imported
.tables
.shell true
.system true
.cd .
select writefile('f.bin', 'hello'), length(readfile('f.bin'));
select writefile('d/e', 'x'), writefile('dir', null, 16877), writefile('ln', 'f.bin', 41471);
select name from fsdir('.');
.archive -cf a.zip f.bin
.once |cat
select 1;
.timer on
vacuum;
select 1;
S
trace sqlite3 sqlite3 test.db '.read load.sql' || true
compare sqlite3 /usr/bin/sqlite3

cat > load.sh <<'S'
mkdir -p d/e; echo hi > d/f; cat d/f; ln d/f d/g; ln -s f d/h; readlink d/h; mv d/g d/i; chmod 600 d/i; chown 0:0 d/i
ls -la d; cp -a d d2; find d2 -type f; rm -r d2; touch d/t; truncate -s 10 d/t; dd if=/dev/zero of=d/z bs=1k count=4 conv=fsync
tar cf a.tar d; tar xf a.tar; gzip a.tar; gunzip a.tar.gz; md5sum a.tar; sort d/f; sleep 0.1; date; uname -a; id; ps; df; free; uptime
mkfifo d/p; stat d/f; stat -f d; sync; nice true; nohup true; time true; timeout 2 true; (kill -0 $$); umask 022; ulimit -a; trap : USR1
kill -USR1 $$; cd d; pwd; echo a | sed s/a/b/; seq 3 | while read n; do echo $n; done; wget -q -O - http://127.0.0.1:1/ ; nc -w 1 127.0.0.1 1
hostname; dmesg | head -n 1; du .; cmp f f; tail -n 1 f; rmdir e; unlink h; usleep 10; renice 0 $$; chrt -p $$; taskset -p $$; setsid true
ifconfig lo; ip addr; route; netstat -a; ping -c 1 -W 1 127.0.0.1; nslookup localhost 127.0.0.1; flock f true; fallocate -l 100 q; mktemp; logger x; vi -h
ionice; ipcs; chroot . true; mount; losetup; fsync f; mknod n p; watch -h; less -h; sh -c 'exit 3' & wait
S
trace busybox busybox sh load.sh || true
compare busybox /usr/bin/busybox

trace python3 /usr/bin/python3 "$UNI_TOP/tests/apps/syscalls_load.py" || fail "the load of python3: $(tail -n 3 err.python3)"
compare python3 /usr/bin/python3

verdict

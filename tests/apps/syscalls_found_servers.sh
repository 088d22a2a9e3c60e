#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The servers of tests/apps: what `uni inspect` finds against what strace sees of them under a load on Linux.
. "$(dirname "$0")/syscalls.bash"

PATH=$PATH:/usr/sbin

# get URL...: each is asked once; what the answer is does not matter.
get() {
  local url
  for url in "$@"; do curl -sk --max-time 20 -o got "$url" || true; done
}
answers() { curl -sfk --max-time 5 -o got "$1"; }
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 -subj /CN=uni.test -keyout key.pem -out cert.pem 2> /dev/null
}
# main_process NAME: of the program that runs under strace.
main_process() {
  head -n 1 "trace.$1" | cut -d ' ' -f 1
}
mkdir site
echo page > site/index.html
head -c 300000 /dev/zero > site/big

try_haproxy() {
  local port backend
  port=$(free_port)
  backend=$(free_port)
  /usr/bin/python3 -m http.server --bind 127.0.0.1 -d site "$backend" > backend.out 2>&1 &
  service_pid=$!
  certificate
  cat key.pem cert.pem > both.pem
  cat > haproxy.cfg <<C
global
  nbthread 2
  log stdout format raw local0
  log $PWD/log.sock local0
  stats socket $PWD/haproxy.sock mode 600 level admin
  user root
  pidfile $PWD/haproxy.pid
resolvers dns
  nameserver own 127.0.0.1:$(free_port)
defaults
  mode http
  log global
  timeout connect 10s
  timeout client 30s
  timeout server 30s
  timeout check 5s
frontend web
  bind 127.0.0.1:$port
  bind $PWD/web.sock
  bind 127.0.0.1:$(free_port) ssl crt $PWD/both.pem
  http-request return status 200 content-type text/plain string own if { path /own }
  default_backend pages
backend pages
  server here 127.0.0.1:$backend check inter 200ms
  server named localhost:$backend check inter 200ms resolvers dns init-addr last,libc,none
C
  served haproxy "answers http://127.0.0.1:$port/own" haproxy -W -db -f haproxy.cfg
  get "http://127.0.0.1:$port/"{,big,none,own}
  curl -s --unix-socket web.sock http://x/own > /dev/null || true
  printf 'show info\n' | timeout 5 nc -NU haproxy.sock > /dev/null || true
  kill -USR2 "$(main_process haproxy)"
  sleep 1
  get "http://127.0.0.1:$port/big"
  ended_server haproxy TERM
  kill $service_pid
  service_pid=
  compare haproxy "$(command -v haproxy)"
}

try_mosquitto() {
  local port
  certificate
  port=$(free_port)
  mkdir kept
  cat > mosquitto.conf <<C
listener $port 127.0.0.1
listener 0 $PWD/mqtt.sock
allow_anonymous true
persistence true
persistence_location $PWD/kept/
autosave_interval 1
listener $(free_port) localhost
cafile $PWD/cert.pem
certfile $PWD/cert.pem
keyfile $PWD/key.pem
listener $(free_port) 127.0.0.1
protocol websockets
http_dir $PWD/site
include_dir $PWD/more
log_dest file $PWD/mosquitto.log
log_dest syslog
log_dest topic
pid_file $PWD/mosquitto.pid
user root
connection other
address localhost:$(free_port)
bridge_cafile $PWD/cert.pem
restart_timeout 1
topic b
C
  mkdir more
  echo 'persistent_client_expiration 1h' > more/a.conf
  served mosquitto "mosquitto_pub -p $port -t a -r -m hello" mosquitto -c mosquitto.conf
  timeout 10 mosquitto_sub -p "$port" -t many -C 100 > /dev/null &
  seq 100 | mosquitto_pub -p "$port" -t many -q 1 -l
  timeout 10 mosquitto_sub -p "$port" -t a -C 1 > /dev/null || true
  kill -HUP "$(main_process mosquitto)"
  kill -USR1 "$(main_process mosquitto)"
  sleep 1
  ended_server mosquitto TERM
  compare mosquitto "$(command -v mosquitto)"
}

try_nginx() {
  local port
  port=$(free_port)
  cat > nginx.conf <<C
daemon off;
worker_processes 2;
user root;
error_log $PWD/error.log notice;
pid $PWD/nginx.pid;
events { worker_connections 512; }
http {
  access_log $PWD/access.log;
  client_body_temp_path $PWD/body;
  proxy_temp_path $PWD/proxy;
  fastcgi_temp_path $PWD/fastcgi;
  uwsgi_temp_path $PWD/uwsgi;
  scgi_temp_path $PWD/scgi;
  proxy_cache_path $PWD/cache keys_zone=c:1m;
  sendfile on;
  server { listen 127.0.0.1:$port; root $PWD/site; location /pass/ { proxy_pass http://127.0.0.1:$port/; proxy_cache c; }
    location /list/ { alias $PWD/; autoindex on; } location /post { client_body_in_file_only clean; proxy_pass http://127.0.0.1:$port/own; }
    location /own { return 200; } location /udp { proxy_pass http://localhost:$port/; } }
}
C
  served nginx "answers http://127.0.0.1:$port/" nginx -c "$PWD/nginx.conf"
  get "http://127.0.0.1:$port/"{,big,none,pass/big,list/,udp}
  head -c 100000 /dev/zero | curl -s --data-binary @- "http://127.0.0.1:$port/post" > /dev/null || true
  kill -HUP "$(main_process nginx)"
  sleep 1
  kill -USR1 "$(main_process nginx)"
  get "http://127.0.0.1:$port/big"
  ended_server nginx QUIT
  compare nginx "$(command -v nginx)"
}

go_server() {  # NAME URL SIGNAL COMMAND...
  local name=$1 url=$2 signal=$3
  shift 3
  served "$name" "answers $url" "$@"
  get "$url" "$url"
  "more_$name" "${url%/*}"
  ended_server "$name" "$signal"
  compare "$name" "$(command -v "$1")"
}

more_caddy() {
  get "$1/" "$1/none" "$1/pass/big" "$1/sub"
  curl -s --unix-socket caddy.sock http://x/big > /dev/null || true
  curl -sk --http2 --connect-to "uni.test:443:127.0.0.1:$secure" https://uni.test/ > /dev/null || true
  head -c 3000000 /dev/zero | curl -s --data-binary @- "$1/own" > /dev/null || true
}
try_caddy() {
  local port secure
  port=$(free_port)
  secure=$(free_port)
  cat > Caddyfile <<C
{
	admin off
	auto_https disable_redirects
	skip_install_trust
}
http://:$port {
	respond /own "an answer"
	root * $PWD/site
	log {
		output file $PWD/caddy.log
	}
	handle_path /pass/* {
		reverse_proxy 127.0.0.1:$port
	}
	file_server browse
	encode gzip
}
http://localhost {
	bind unix/$PWD/caddy.sock
	root * $PWD/site
	file_server
}
https://uni.test:$secure {
	tls internal
	respond "a secret"
}
C
  HOME=$PWD go_server caddy "http://127.0.0.1:$port/big" TERM caddy run --config Caddyfile
}

more_prometheus() {
  curl -s -X POST "${1%/api/*}/-/reload" > /dev/null || true
  curl -s -X POST "${1%/api/*}/api/v1/admin/tsdb/snapshot" > /dev/null || true
  echo '[{"targets": ["localhost:1"]}]' > targets.json.new
  mv targets.json.new targets.json
  get "${1%/api/*}/graph" "${1%/api/*}/api/v1/targets"
  sleep 1
  kill -HUP "$(main_process prometheus)"
  sleep 1
}
try_prometheus() {
  local port
  port=$(free_port)
  echo '[{"targets": ["127.0.0.1:1"]}]' > targets.json
  echo 'groups: [{name: a, rules: [{record: b, expr: up}, {alert: c, expr: up == 1}]}]' > rules.yml
  cat > prometheus.yml <<C
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
rule_files: ["rules.yml"]
remote_write:
  - url: "http://localhost:1/"
scrape_configs:
  - job_name: itself
    static_configs:
      - targets: ["127.0.0.1:$port"]
  - job_name: files
    file_sd_configs:
      - files: ["$PWD/targets.json"]
  - job_name: names
    dns_sd_configs:
      - names: ["uni.invalid"]
        refresh_interval: 1s
C
  go_server prometheus "http://127.0.0.1:$port/api/v1/query?query=up" TERM prometheus --config.file=prometheus.yml --web.enable-admin-api \
    --storage.tsdb.path="$PWD/tsdb" --web.listen-address="127.0.0.1:$port" --web.enable-lifecycle --log.level=debug
}

try_etcd() {
  local port peer
  port=$(free_port)
  peer=$(free_port)
  served etcd "ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:$port put a b" etcd --data-dir "$PWD/etcd" \
    --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer"
  ETCDCTL_API=3 etcdctl --endpoints "http://127.0.0.1:$port" snapshot save "$PWD/snapshot" > /dev/null 2>&1 || true
  ETCDCTL_API=3 etcdctl --endpoints "http://127.0.0.1:$port" defrag > /dev/null 2>&1 || true
  get "http://127.0.0.1:$port/health"
  ended_server etcd TERM
  compare etcd "$(command -v etcd)"
}

try_apache2() {
  local port modules=/usr/lib/apache2/modules
  port=$(free_port)
  cat > apache2.conf <<C
ServerName uni.test
ServerRoot $PWD
PidFile $PWD/apache2.pid
ErrorLog $PWD/error2.log
Listen 127.0.0.1:$port
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dir_module $modules/mod_dir.so
LoadModule alias_module $modules/mod_alias.so
LoadModule autoindex_module $modules/mod_autoindex.so
LoadModule cgid_module $modules/mod_cgid.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
StartServers 2
ScriptSock $PWD/cgisock
ScriptAlias /cgi/ $PWD/cgi/
ProxyPass /pass/ http://127.0.0.1:$port/
DocumentRoot $PWD/site
CustomLog "|/bin/cat" "%h"
<Directory $PWD>
  Options +Indexes +ExecCGI
  Require all granted
</Directory>
C
  mkdir -p cgi site/sub
  printf '#!/bin/sh\necho Content-Type: text/plain; echo; cat\n' > cgi/a
  chmod +x cgi/a
  served apache2 "answers http://127.0.0.1:$port/" apache2 -f "$PWD/apache2.conf" -D FOREGROUND
  get "http://127.0.0.1:$port/"{,big,none,sub/,cgi/a,pass/big}
  kill -USR1 "$(main_process apache2)"
  sleep 1
  get "http://127.0.0.1:$port/"{,big}
  ended_server apache2 TERM
  compare apache2 "$(command -v apache2)"
}

# An interpreter can make what its scripts can ask for: /all asks for much of it, in a process of its own.
python_application() {
  cat > hello.py <<P
import os
import runpy

def application(environ, start_response):
    if environ["PATH_INFO"] == "/all":
        child = os.fork()
        if child == 0:
            try:
                runpy.run_path("$UNI_TOP/tests/apps/syscalls_load.py")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x"]
P
}

try_uwsgi() {
  local port plugin
  port=$(free_port)
  python_application
  plugin=$(find /usr/lib/uwsgi/plugins -name 'python3*_plugin.so' | sort | head -n 1)
  served uwsgi "answers http://127.0.0.1:$port/" /usr/bin/uwsgi-core --plugin-dir /usr/lib/uwsgi/plugins \
    --plugin "$(basename "$plugin" _plugin.so)" --http-socket "127.0.0.1:$port" --master --processes 2 --module hello --die-on-term \
    --stats "$PWD/stats.sock" --pidfile "$PWD/uwsgi.pid" --logto2 "$PWD/uwsgi.log" --static-map "/s=$PWD/site" --touch-reload hello.py
  get "http://127.0.0.1:$port/"{all,s/big,s/none}
  kill -HUP "$(main_process uwsgi)"
  sleep 2
  get "http://127.0.0.1:$port/"
  ended_server uwsgi TERM
  compare uwsgi /usr/bin/uwsgi-core -a "$plugin:$plugin"
}

try_gunicorn() {
  local port
  port=$(free_port)
  python_application
  served gunicorn "answers http://127.0.0.1:$port/" /usr/bin/gunicorn -b "127.0.0.1:$port" -w 2 --threads 2 hello:application --pid "$PWD/g.pid" --access-logfile "$PWD/g.log"
  get "http://127.0.0.1:$port/"{all,b}
  kill -HUP "$(main_process gunicorn)"
  sleep 1
  get "http://127.0.0.1:$port/"
  ended_server gunicorn TERM
  compare gunicorn /usr/bin/gunicorn
}

try_varnish() {
  local port
  port=$(free_port)
  printf 'vcl 4.1;\nbackend d { .host = "127.0.0.1"; .port = "1"; }\nsub vcl_recv { if (req.url ~ "own") { return (synth(200, "Fine")); } }\n' > test.vcl
  served varnish "answers http://127.0.0.1:$port/own" varnishd -j none -F -a "127.0.0.1:$port" -a "$PWD/v.sock" -f "$PWD/test.vcl" -s malloc,32m \
    -s "file,$PWD/store,20m" -n "$PWD/varnish" -P "$PWD/varnish.pid" -p thread_pools=1 -p thread_pool_min=10 -T 127.0.0.1:0
  get "http://127.0.0.1:$port/"{own,other}
  ended_server varnish TERM
  compare varnish "$(command -v varnishd)"
}

try_postgres() {
  local port bin
  bin=$(find /usr/lib/postgresql -name postgres -path '*/bin/*' | sort | tail -n 1)
  bin=${bin%/postgres}
  port=$(free_port)
  # Another user may not come into the test's own directory from above.
  lib_scratch=${lib_scratch:-$(TMPDIR=/tmp mktemp -d)}
  chmod 711 "$lib_scratch"
  local data=$lib_scratch/pg
  mkdir "$data"
  chown nobody . "$data"
  export LC_ALL=C
  setpriv --reuid nobody --clear-groups "$bin/initdb" -D "$data" -U postgres --auth=trust --no-locale -N > initdb.out 2>&1 ||
    fail "initdb: $(tail -n 2 initdb.out)"
  served_as nobody postgres "psql -h 127.0.0.1 -p $port -U postgres -c 'select 1'" "$bin/postgres" -D "$data" \
    -k "$data" -h 127.0.0.1 -p "$port" -c wal_level=logical -c archive_mode=on -c archive_command=true -c logging_collector=on -c max_wal_size=32MB
  cat > load.sql <<'S'
create table t(a int primary key, b text); insert into t select g, repeat('x', 1000) from generate_series(1, 20000) g;
set work_mem='64kB'; select count(*) from (select * from t order by b, a desc) s; create index on t(b); vacuum full t; checkpoint;
create database d; create tablespace s location '/nowhere'; copy t to '/dev/null'; copy t to program 'cat > /dev/null'; select pg_switch_wal();
set max_parallel_workers_per_gather=2; set parallel_setup_cost=0; set parallel_tuple_cost=0; set min_parallel_table_scan_size=0; select count(*) from t;
select pg_sleep(0.1); select lo_create(0); truncate t; drop database d; listen x; notify x; select pg_reload_conf(); analyze; select * from pg_ls_dir('.');
S
  psql -q -h "$data" -p "$port" -U postgres -f load.sql > psql.out 2>&1 || true
  ended_server postgres INT
  compare postgres "$bin/postgres"
}

try_mariadb() {
  local port
  port=$(free_port)
  mkdir db
  mariadb-install-db --user=root --datadir="$PWD/db" --auth-root-authentication-method=normal --skip-test-db > install.out 2>&1 || fail "mariadb-install-db: $(tail -n 2 install.out)"
  served mariadb "mariadb -h 127.0.0.1 -P $port -e 'select 1'" mariadbd --no-defaults --user=root --datadir="$PWD/db" --socket="$PWD/m.sock" --pid-file="$PWD/m.pid" \
    --skip-name-resolve --bind-address=127.0.0.1 --port="$port" --log-bin --general-log --slow-query-log
  cat > load.sql <<'S'
create database t; use t; create table i (a int primary key auto_increment, b text) engine=innodb; create table m (a int) engine=aria; create table y (a int) engine=myisam;
insert into m select seq from seq_1_to_10000; insert into y select * from m; insert into i(b) select repeat('x', 1000) from m; begin; delete from m; rollback;
set tmp_table_size=1024; select count(*) from (select distinct b, a from i order by b desc) x; alter table i engine=aria; optimize table y; flush logs; flush tables;
purge binary logs to 'x'; select * into outfile '/tmp/none/x' from m; load data infile '/tmp/none/x' into table m; rename table m to n; drop table n; check table y; set global innodb_fast_shutdown=0;
S
  mariadb -f -h 127.0.0.1 -P "$port" < load.sql > mariadb.out 2>&1 || true
  ended_server mariadb TERM
  compare mariadb "$(command -v mariadbd)"
}

for name in ${SYSCALLS_OF:-haproxy mosquitto nginx apache2 uwsgi gunicorn varnish}; do
  try_"$name"
done
verdict

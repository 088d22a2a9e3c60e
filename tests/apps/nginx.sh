#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nginx as one process (daemon off, master_process off).
# table: nginx | nginx-light | uni pack nginx
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir site
echo "<h1>from nginx</h1>" > site/index.html
head -c 500000 /dev/urandom > site/blob
cat > nginx.conf <<'CONF'
daemon off;
master_process off;
user root;
error_log stderr;
pid /tmp/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  sendfile on;
  gzip on;
  gzip_min_length 10;
  server { listen 8080; root /srv/site; }
}
CONF
pack nginx.img "$(PATH=$PATH:/usr/sbin command -v nginx)" -a "$PWD/nginx.conf:/etc/uni-nginx.conf" -a "$PWD/site:/srv/site" \
  -- -c /etc/uni-nginx.conf
guest nginx.img -p "$port:8080"
await 60 http "http://127.0.0.1:$port/"
same "the page" "$(http "http://127.0.0.1:$port/")" "<h1>from nginx</h1>"
same "the page, compressed" "$(http --compressed "http://127.0.0.1:$port/")" "<h1>from nginx</h1>"
http "http://127.0.0.1:$port/blob" | cmp -s - site/blob || fail "500,000 bytes come back changed"
same "a missing page" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/none")" 404
under_load "http://127.0.0.1:$port/"
signal_guest TERM
ended 0 20

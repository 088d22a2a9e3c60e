#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nginx with a master and two workers: serves, reloads at SIGHUP with new workers, ends at SIGQUIT.
# table: nginx, workers | nginx-light | uni pack nginx --processes fork
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir site
echo "<h1>from a worker</h1>" > site/index.html
cat > nginx.conf <<'CONF'
daemon off;
worker_processes 2;
user root;
error_log stderr notice;
pid /tmp/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server { listen 8080; root /srv/site; location /pid { return 200 "$pid\n"; } }
}
CONF
pack nginx.img "$(PATH=$PATH:/usr/sbin command -v nginx)" --processes fork -a "$PWD/nginx.conf:/etc/uni-nginx.conf" \
  -a "$PWD/site:/srv/site" -- -c /etc/uni-nginx.conf
guest nginx.img -c 2 -p "$port:8080"
await 60 http "http://127.0.0.1:$port/"
same "the page" "$(http "http://127.0.0.1:$port/")" "<h1>from a worker</h1>"
before=$(http "http://127.0.0.1:$port/pid")
under_load "http://127.0.0.1:$port/"
signal_guest HUP
reloaded() { grep -q "signal 29\|gracefully shutting down" guest.err && [ "$(http "http://127.0.0.1:$port/pid")" -gt "$((before + 1))" ]; }
await 30 reloaded
same "the page after the reload" "$(http "http://127.0.0.1:$port/")" "<h1>from a worker</h1>"
signal_guest QUIT
ended 0 20

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# haproxy on two threads: answers of its own and of a server of this machine, under load; SIGTERM ends it
# with 143, as on Linux.
# table: haproxy | haproxy | uni pack haproxy
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
backend=$(free_port)
mkdir site
echo "behind haproxy" > site/page.txt
/usr/bin/python3 -m http.server --bind 127.0.0.1 -d site "$backend" > backend.out 2>&1 &
service_pid=$!
cat > haproxy.cfg <<CONF
global
  nbthread 2
  log stdout format raw local0
defaults
  mode http
  timeout connect 10s
  timeout client 30s
  timeout server 30s
frontend web
  bind :8080
  http-request return status 200 content-type text/plain string "from haproxy" if { path /own }
  default_backend pages
backend pages
  http-response set-header X-Via haproxy
  server here 10.0.2.2:$backend
CONF
pack haproxy.img "$(PATH=$PATH:/usr/sbin command -v haproxy)" -a ./haproxy.cfg:/etc/haproxy/haproxy.cfg -- -db -f /etc/haproxy/haproxy.cfg
guest haproxy.img -c 2 --host-loopback -p "$port:8080"
url=http://127.0.0.1:$port
await 60 http "$url/own"
same "its own answer" "$(http "$url/own")" "from haproxy"
same "the server's page" "$(http "$url/page.txt")" "behind haproxy"
has "the header" "$(http -D - -o /dev/null "$url/page.txt")" "x-via: haproxy"
under_load "$url/own"
signal_guest TERM
ended 143 20

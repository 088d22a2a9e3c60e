#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lighttpd with its own configuration and a site.
# table: lighttpd | lighttpd | uni pack lighttpd
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir site
echo "<h1>from lighttpd</h1>" > site/index.html
head -c 500000 /dev/urandom > site/blob
cat > lighttpd.conf <<'CONF'
server.document-root = "/srv/site"
server.port = 8080
server.max-keep-alive-requests = 1000
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html" )
CONF
pack lighttpd.img "$(PATH=$PATH:/usr/sbin command -v lighttpd)" -a "$PWD/lighttpd.conf:/etc/uni-lighttpd.conf" -a "$PWD/site:/srv/site" \
  -- -D -f /etc/uni-lighttpd.conf
guest lighttpd.img -p "$port:8080"
await 60 http "http://127.0.0.1:$port/"
same "the page" "$(http "http://127.0.0.1:$port/")" "<h1>from lighttpd</h1>"
has "its type" "$(http -D - -o /dev/null "http://127.0.0.1:$port/")" "text/html"
http "http://127.0.0.1:$port/blob" | cmp -s - site/blob || fail "500,000 bytes come back changed"
http -r 1000-1999 "http://127.0.0.1:$port/blob" | cmp -s - <(tail -c +1001 site/blob | head -c 1000) || fail "a range is wrong"
same "a missing page" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/none")" 404
under_load "http://127.0.0.1:$port/"
signal_guest INT
ended 0 20

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# python3 -m http.server, with its standard library found by the packer.
# table: python3 | python3 | uni pack python3
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir site
echo "from python" > site/page.txt
pack python.img /usr/bin/python3 -a "$PWD/site:/srv/site" -w /srv/site -e PYTHONUNBUFFERED=1 -- -m http.server 8000
guest python.img -p "$port:8000" -m 256M
await 120 http "http://127.0.0.1:$port/page.txt"
same "the page" "$(http "http://127.0.0.1:$port/page.txt")" "from python"
has "the listing" "$(http "http://127.0.0.1:$port/")" "page.txt"
same "a missing page" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/none")" 404
has "the log" "$(cat guest.err)" '"GET /page.txt HTTP/1.1" 200'
signal_guest INT
ended 0 30

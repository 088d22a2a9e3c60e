#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# caddy on two processors: an answer, files, TLS with certificates that it makes itself, under load; SIGTERM ends it with 0.
# table: caddy | caddy | uni pack caddy
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
secure=$(free_port)
mkdir site
echo "from caddy" > site/page.txt
cat > Caddyfile <<'CONF'
{
	admin off
	auto_https disable_redirects
	skip_install_trust
}
http://:8080 {
	respond /own "an answer"
	root * /srv
	file_server
}
https://uni.test:8443 {
	tls internal
	respond "a secret"
}
CONF
pack caddy.img caddy -a ./Caddyfile:/etc/caddy/Caddyfile -a ./site:/srv -- run --config /etc/caddy/Caddyfile
guest caddy.img -c 2 -m 256M -p "$port:8080" -p "$secure:8443"
url=http://127.0.0.1:$port
await 60 http "$url/own"
same "the answer" "$(http "$url/own")" "an answer"
same "the page" "$(http "$url/page.txt")" "from caddy"
secret() { http -k --connect-to "uni.test:8443:127.0.0.1:$secure" https://uni.test:8443/; }
await 30 secret
same "the answer over TLS" "$(secret)" "a secret"
under_load "$url/page.txt"
signal_guest TERM
ended 0 20

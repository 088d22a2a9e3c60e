#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# apache2 with its prefork and its event module: answers of several processes at once, a graceful restart, an orderly end.
# table: apache2 | apache2-bin | uni pack apache2 --processes fork
. "$(dirname "$0")/../lib.sh"
mkdir site
echo "it works" > site/index.html
modules=/usr/lib/apache2/modules
serves() {
  local module=$1 port
  port=$(free_port)
  cat > apache2.conf << CONF
ServerName uni.test
ServerRoot /
PidFile /tmp/apache2.pid
ErrorLog /dev/stderr
Listen 8080
LoadModule mpm_${module}_module $modules/mod_mpm_$module.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dir_module $modules/mod_dir.so
StartServers 2
DocumentRoot /site
DirectoryIndex index.html
<Directory /site>
  Require all granted
</Directory>
CONF
  local files=()
  for name in "mpm_$module" authz_core dir; do files+=(-a "$modules/mod_$name.so:$modules/mod_$name.so"); done
  pack "$module.img" /usr/sbin/apache2 --processes fork "${files[@]}" -a ./apache2.conf:/apache2.conf -a ./site:/site \
    -- -f /apache2.conf -D FOREGROUND
  guest "$module.img" -m 256M -c 2 -p "$port:8080"
  await 90 http "http://127.0.0.1:$port/"
  same "$module's answer" "$(http "http://127.0.0.1:$port/")" "it works"
  local jobs=() i
  for i in 1 2 3 4 5 6 7 8; do
    http "http://127.0.0.1:$port/" > "answer.$i" &
    jobs+=($!)
  done
  wait "${jobs[@]}" || fail "one of eight requests at once failed"
  under_load "http://127.0.0.1:$port/"
  signal_guest USR1
  await 60 http "http://127.0.0.1:$port/"
  same "$module's answer after a restart" "$(http "http://127.0.0.1:$port/")" "it works"
  signal_guest TERM
  ended 0 40
}
serves prefork
serves event

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# uwsgi with a master, two workers and its python plugin.
# table: uwsgi | uwsgi-core | uni pack uwsgi --processes fork
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir app
cat > app/hello.py << 'PY'
import os
def application(environ, start_response):
    body = f"{os.getpid()} {os.getppid()}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")])
    return [body]
PY
plugin=$(find /usr/lib/uwsgi/plugins -name 'python3*_plugin.so' | sort | head -n 1)
pack uwsgi.img /usr/bin/uwsgi-core --processes fork -a "$plugin:$plugin" -a ./app:/app -w /app -- --plugin-dir /usr/lib/uwsgi/plugins \
  --plugin "$(basename "$plugin" _plugin.so)" --http-socket 0.0.0.0:8000 --master --processes 2 --module hello --die-on-term
guest uwsgi.img -m 256M -p "$port:8000"
url=http://127.0.0.1:$port
await 120 http "$url/"
workers() { for _ in $(seq 40); do http "$url/" 2> /dev/null || true; done | sort -u; }
two() { [ "$(workers | wc -l)" -ge 2 ]; }
await 60 two
same "one parent" "$(workers | cut -d' ' -f2 | sort -u)" 2
under_load "$url/"
signal_guest TERM
ended 0 40

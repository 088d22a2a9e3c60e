#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# gunicorn with two workers: answers, a worker that is killed is replaced, HUP reloads, TERM ends it.
# table: gunicorn | gunicorn | uni pack gunicorn --processes fork
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir app
cat > app/hello.py << 'PY'
import os, signal
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/die":
        os.kill(os.getpid(), signal.SIGKILL)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {os.getppid()}\n".encode()]
PY
pack gunicorn.img /usr/bin/gunicorn --processes fork -a /usr/lib/python3/dist-packages:/usr/lib/python3/dist-packages \
  -a ./app:/app -w /app -- -b 0.0.0.0:8000 -w 2 --worker-tmp-dir /dev/shm hello:application
guest gunicorn.img -m 256M -p "$port:8000"
url=http://127.0.0.1:$port
await 120 http "$url/"
workers() { for _ in $(seq 40); do http "$url/" 2> /dev/null || true; done | sort -u; }
two() { [ "$(workers | wc -l)" -ge 2 ]; }
await 60 two
under_load "$url/"
before=$(workers)
same "one parent" "$(cut -d' ' -f2 <<< "$before" | sort -u)" 2
http "$url/die" > /dev/null 2>&1 && fail "the killed worker answered"
another() { [ "$(sort -u <(workers) <(echo "$before") | wc -l)" -ge 3 ]; }
await 60 another
signal_guest TERM
ended 0 40

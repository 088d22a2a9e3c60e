#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# python3's asyncio over TLS on two processors: each answer asks sqlite3 in a pool of threads, under load; SIGTERM ends it with
# 0 after its own orderly stop.
# table: python3, asyncio, ssl, sqlite3 | python3 | uni pack python3
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
mkdir app
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=uni.test -addext subjectAltName=DNS:uni.test \
  -keyout app/key.pem -out app/cert.pem 2> openssl.err || fail "openssl cannot make a certificate"
cat > app/main.py <<'PY'
import asyncio, signal, sqlite3, ssl
from concurrent.futures import ThreadPoolExecutor

def count():
    with sqlite3.connect("/tmp/hits.db", timeout=30) as db:
        db.execute("insert into hits default values")
        return db.execute("select count(*) from hits").fetchone()[0]

async def main():
    with sqlite3.connect("/tmp/hits.db") as db:
        db.execute("pragma journal_mode=wal")
        db.execute("create table hits (id integer primary key)")
    loop, pool, stop = asyncio.get_running_loop(), ThreadPoolExecutor(4), asyncio.Event()
    async def serve(reader, writer):
        try:
            while (await reader.readuntil(b"\r\n\r\n")):
                body = f"{await loop.run_in_executor(pool, count)}\n".encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        writer.close()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/app/cert.pem", "/app/key.pem")
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.start_server(serve, "0.0.0.0", 8443, ssl=context)
    await stop.wait()
    print("stopped", flush=True)

asyncio.run(main())
PY
pack python.img /usr/bin/python3 -a ./app:/app -- /app/main.py
guest python.img -m 256M -c 2 -p "$port:8443"
ask() { http --cacert app/cert.pem --connect-to "uni.test:8443:127.0.0.1:$port" https://uni.test:8443/; }
await 60 ask
before=$(ask)
same "the next count" "$(ask)" $((before + 1))
under_load "https://127.0.0.1:$port/" 4
signal_guest TERM
ended 0 20
has "its output" "$(cat guest.out)" stopped

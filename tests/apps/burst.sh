#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A burst of 1,000 connections to a published port: all are answered, within a second of each other.
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
pack httpd.img "$UNI_PROGRAMS/bench-httpd"
guest httpd.img -p "$port:8080"
await 60 http "http://127.0.0.1:$port/"
python3 "$UNI_TOP/tests/apps/burst_client.py" "$port" 1000 > burst.out 2>&1 || fail "the burst: $(tail -n 3 burst.out)"
cat burst.out

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Go program, static: net/http, goroutines, timers, the garbage collector.
# table: Go | golang-go | uni pack ./httpd
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
pack go.img "$UNI_PROGRAMS/go-httpd" -e GREETING=hallo
guest go.img -p "$port:8080" -c 2
await 60 http "http://127.0.0.1:$port/"
same "the answer" "$(http "http://127.0.0.1:$port/")" "hello from go"
same "the environment" "$(http "http://127.0.0.1:$port/env")" "hallo"
for _ in 1 2 3 4 5; do same "the sum of eight goroutines" "$(http "http://127.0.0.1:$port/work")" "sum 140"; done
under_load "http://127.0.0.1:$port/"
same "the last answer" "$(http "http://127.0.0.1:$port/quit")" "bye"
ended 0 20

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Rust program on the standard library, dynamically linked with glibc.
# table: Rust | - | uni pack ./httpd
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
pack rust.img "$UNI_PROGRAMS/rust-httpd"
guest rust.img -c 2 -p "$port:8080"
await 60 http "http://127.0.0.1:$port/first"
same "the answer" "$(http "http://127.0.0.1:$port/")" "hello from rust 1"
same "the next answer" "$(http "http://127.0.0.1:$port/")" "hello from rust 2"
under_load "http://127.0.0.1:$port/"
same "the last answer" "$(http "http://127.0.0.1:$port/quit")" "bye"
ended 0 20

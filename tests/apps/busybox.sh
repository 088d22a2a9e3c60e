#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Applets of Debian's static busybox: arguments, stdin to stdout, exit statuses.
# table: busybox (static) | busybox-static | uni pack busybox
. "$(dirname "$0")/../lib.sh"
pack busybox.img "$(command -v busybox)"
same "echo" "$("$UNI" run busybox.img -- echo one two)" "one two"
same "cat" "$(printf 'a\nb\n' | "$UNI" run busybox.img -- cat)" $'a\nb'
same "sort" "$(printf 'c\na\nb\n' | "$UNI" run busybox.img -- sort | tr '\n' ' ')" "a b c "
head -c 300000 /dev/urandom > random
same "sha256sum of 300,000 bytes" "$("$UNI" run busybox.img -- sha256sum < random | cut -d' ' -f1)" \
  "$(sha256sum < random | cut -d' ' -f1)"
same "false's status" "$(status_of "$UNI" run busybox.img -- false)" 1
same "an unknown applet's status" "$(status_of "$UNI" run busybox.img -- no-such-applet)" 127
has "uname" "$("$UNI" run busybox.img -- uname -sm)" "Linux x86_64"
has "ls /" "$("$UNI" run busybox.img -- ls /)" "proc"
same "expr" "$("$UNI" run busybox.img -- expr 6 '*' 7)" 42
# shellcheck disable=SC2016
same "awk" "$(seq 10 | "$UNI" run busybox.img -- awk '{ s += $1 } END { print s }')" 55
has "ls -l of a missing file" "$("$UNI" run busybox.img -- ls /none 2>&1 || true)" "No such file"

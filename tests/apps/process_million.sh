#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A million processes, each second one killed, leave the memory as they found it.
# limit: 2400
. "$(dirname "$0")/../lib.sh"
pack forks.img "$UNI_PROGRAMS/forks" --processes fork
"$UNI" run forks.img -m 64M -c 2 -- 1000000 < /dev/null > out 2> err || fail "status $?: $(tail -n 2 out err)"
read -r _ _ before _ _ after _ < <(tr -d , < out)
# The table of numbers is as large as the highest one that was in use.
[ $((before - after)) -lt 2048 ] || fail "$(cat out)"

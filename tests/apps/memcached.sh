#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# memcached with its four threads: several clients at once, values of many sizes.
# table: memcached | memcached | uni pack memcached
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
pack memcached.img "$(command -v memcached)" -- -u root -t 4 -U 0 -l 0.0.0.0 -p 11211 -m 32
guest memcached.img -p "$port:11211" -c 2
await 60 python3 "$UNI_TOP/tests/apps/memcached_client.py" "$port" version
all_values() {
  python3 "$UNI_TOP/tests/apps/memcached_client.py" "$port" work > work.out 2>&1 || fail "the client: $(tail -n 3 work.out)"
  has "the client" "$(cat work.out)" "all values came back"
}
repeated all_values
signal_guest INT
ended 0 20

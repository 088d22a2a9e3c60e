#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real KVM, nested in an emulated machine (tests/kvm/nest): hello, a dynamic C server and redis-server boot, serve and end
# there, as they do under TCG, and hello exits to KVM at most 1,500 times.
# limit: 720
. "$(dirname "$0")/../lib.sh"
pack hello.img "$UNI_PROGRAMS/bench-hello"
pack httpd.img "$UNI_PROGRAMS/httpd-dynamic"
pack redis.img /usr/bin/redis-server -- --save '' --protected-mode no
release=$(cd "$(dirname "$UNI")/.." && pwd)
# Whatever our guest does, the script inside ends in time by its own clock. Where it does not, the emulated machine's Linux stands
# still: QEMU's emulation of SVM does that to it now and then, and it is begun again.
for turn in 1 2 3; do
  status=0
  NEST_SECONDS=220 "$UNI_TOP/tests/kvm/nest" "$UNI_TOP/tests/kvm/inside.sh" "$UNI:/uni/bin/uni" "$release/share:/uni/share" \
    "$release/lib:/uni/lib" "$PWD/hello.img:/hello.img" "$PWD/httpd.img:/httpd.img" "$PWD/redis.img:/redis.img" \
    /usr/bin/redis-cli /usr/bin/redis-benchmark /usr/bin/wrk > nest.out 2>&1 || status=$?
  [ "$status" = 124 ] || break
  echo "the emulated machine stood still, turn $turn"
done
[ "$status" = 0 ] || fail "the machine with KVM failed with status $status: $(tail -n 20 nest.out)"

# value NAME: what the machine said of it.
value() { sed -n "s/^@ $1 //p" nest.out; }
# is NAME WANTED
is() { [ "$(value "$1")" = "$2" ] || { cat nest.out >&2; fail "$1 is \`$(value "$1")\` on KVM, expected \`$2\`"; }; }

is hello.status 0
has "hello on KVM" "$(value hello.output)" "hello, tsc "
[ "$(value hello.exits)" -le 1500 ] || fail "hello took $(value hello.exits) exits"
is httpd.answer "hello world"
is httpd.errors 0
is httpd.errors32 0
[ "$(value httpd.requests)" -gt 0 ] || fail "no request was answered on KVM"
is httpd.status 0
is redis.ping PONG
is redis.lines 2
is redis.keys hello
is redis.status 0
echo "hello: $(value hello.exits) exits; HTTP: $(value httpd.exits) exits for $(value httpd.requests) requests of one client," \
  "$(value httpd.exits32) for $(value httpd.requests32) of 32"

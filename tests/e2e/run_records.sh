#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The flags become boot records and QEMU's arguments; the image's own choices hold where there is no flag.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image arg=old env=A=1 env=B=2 x-memory=64M x-cpus=2
mkdir -p data
guest 'out(("\n".join(records() + ["--"] + ARGS) + "\n").encode()); exit_with(0)'

# holds LINE: in the last output, as a whole line
holds() { grep -qxF -- "$1" out || fail "no line \`$1\`"; }
lacks() { ! grep -qxF -- "$1" out || fail "a line \`$1\`"; }

"$UNI" run test.img </dev/null >out
holds arg=old
holds net=none
holds size=65536k
holds 2
lacks x-memory=64M

C=here "$UNI" run test.img -e B=3 -e C -e D=x=y -m 32m -c 1 -v ./data:/data:ro --strace --verbose --rng -- -x "two words" </dev/null >out
lacks arg=old
holds arg=test
holds arg=-x
holds "arg=two words"
holds env=A=1
holds env=B=3
lacks env=B=2
holds env=C=here
holds env=D=x=y
holds mount=9p:uni0:/data:ro
holds trace=strace
holds log=verbose
holds size=32768k
grep -q "^seed=[0-9a-f]\{64\}$" out || fail "no seed"
grep -q "^time=[0-9]\{19\}$" out || fail "no time"
grep -q "path=$PWD/data,.*readonly=on" out || fail "the shared directory is not read only"

"$UNI" run test.img -p 18999:80 </dev/null >out
grep -q "^net=static:10.0.2.15/24,10.0.2.2,10.0.2.3$" out || fail "no static network"
grep -q "hostfwd=tcp:127.0.0.1:18999-:80" out || fail "the port is not published"
"$UNI" run test.img --net dhcp </dev/null >out
holds net=dhcp
"$UNI" run test.img --machine q35 </dev/null >out
grep -q "^q35," out || fail "not q35"

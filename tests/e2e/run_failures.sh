#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What goes wrong is one line that names it, a hint, and status 125.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image hostname=test
export XDG_CACHE_HOME=$PWD/cache

# refuses PATTERN UNI-ARGUMENTS...
refuses() {
  local pattern=$1 code=0
  shift
  timeout 20 "$UNI" run "$@" </dev/null >out 2>err || code=$?
  same $code 125 "status of: uni run $*"
  same "$(wc -c <out)" 0 "bytes on stdout of: uni run $*"
  same "$(grep -c '^uni: error: ' err)" 1 "error lines of: uni run $*"
  grep -q -- "$pattern" err || fail "uni run $*: no \`$pattern\` in: $(cat err)"
}

refuses "no such file" missing.img
refuses "no such file" ./missing
refuses "is a directory" .
for size in 0 100 17407 17408 1048576 1100000 2097152 5000000; do
  head -c $size test.img >cut.img
  refuses "cut.img" cut.img
done
UNI_QEMU=/no/such refuses "QEMU is missing" test.img
status 125 env PATH=/no/such "$UNI" run test.img 2>err
grep -q "QEMU is missing" err || fail "without QEMU: $(cat err)"
refuses "not a size" test.img -m much
refuses "no such file" test.img -v "$PWD/missing:/data"
refuses "no colon" test.img -p 80
refuses "needs a terminal" test.img -t
refuses "not expected" --nonsense test.img
refuses "no such file" test.img --kernel missing.elf
echo "no kernel" > text.elf
refuses "text.elf: is not a kernel of .uni.: it is no ELF file" test.img --kernel text.elf
refuses "it has no entry for a virtual machine" test.img --kernel "$(type -P true)"
refuses "missing/log: the log cannot be written" test.img --log missing/log
(unset XDG_CACHE_HOME HOME; TMPDIR=$PWD/nosuch refuses "nosuch/uni/images" "$(type -P true)")

python3 - <<'PY' &
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
with open("port.tmp", "w") as f:
    f.write(str(s.getsockname()[1]))
import os
os.rename("port.tmp", "port")
time.sleep(60)
PY
holder=$!
await port
refuses "tcp port $(cat port): it is in use" test.img -p "$(cat port):80"
kill $holder

guest 'print("qemu: a bad thing", file=sys.stderr); sys.exit(1)'
refuses "a bad thing" test.img
guest 'os.kill(os.getpid(), 9)'
refuses "signal 9" test.img
guest 'log("[0.0] info: quiet\nuni-kernel: panic: oops\n  at somewhere\nuni-kernel: panic end\n"); time.sleep(60)'
refuses "the kernel panicked" test.img
grep -q "at somewhere" err || fail "the panic is not shown"
! grep -q quiet err || fail "an ordinary message is shown"
guest 'say("refused ENOENT /bin/some%20thing"); say("exit 127")'
status 127 "$UNI" run test.img </dev/null 2>err
grep -q "/bin/some thing: the program cannot start" err || fail "no refusal in: $(cat err)"
guest 'say("missing-file /etc/passwd"); say("missing-file /lib/libx.so"); say("missing-syscall io_uring_setup"); say("exit 1")'
status 1 "$UNI" run test.img </dev/null 2>err
grep -q "^hint: .*/etc/passwd" err || fail "no hint for the file in: $(cat err)"
! grep -q "libx.so" err || fail "a hint for a file that is nowhere: $(cat err)"
grep -q "^hint: .*io_uring_setup" err || fail "no hint for the system call in: $(cat err)"
guest 'say("missing-file /etc/passwd"); say("exit 0")'
status 0 "$UNI" run test.img </dev/null 2>err
same "$(cat err)" "" "hints after success"

# A machine that does not power off after the program's end is ended.
guest 'say("exit 4"); time.sleep(60)'
status 4 timeout 20 "$UNI" run test.img </dev/null

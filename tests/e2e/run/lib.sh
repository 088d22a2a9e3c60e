# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests of `uni run`: an image around the smallest kernel, and a stand-in for QEMU that plays any guest.
set -eu

HERE=$UNI_TOP/tests/e2e/run

fail() {
  echo "$*" >&2
  exit 1
}

# Compares what was got with what was wanted.
same() {
  [ "$1" = "$2" ] || fail "${3:-comparison}: wanted \`$2\`, got \`$1\`"
}

# Runs a command and checks its status.
status() {
  local wanted=$1 got=0
  shift
  "$@" || got=$?
  [ "$got" = "$wanted" ] || fail "status $got in place of $wanted: $*"
}

tiny_kernel() {
  gcc -m32 -c "$HERE/hello_pvh.S" -o tiny.o
  ld -m elf_i386 -n --no-warn-rwx-segments -T "$HERE/hello_pvh.ld" tiny.o -o tiny32.elf
  objcopy -I elf32-i386 -O elf64-x86-64 tiny32.elf tiny.elf
}

# tiny_image [KEY=VALUE...]: makes test.img
tiny_image() {
  [ -e tiny.elf ] || tiny_kernel
  python3 "$HERE/make_image.py" test.img tiny.elf program=/test arg=test "$@"
}

# guest PYTHON: from now on `uni run` starts the stand-in with that guest (fake_qemu.py has the vocabulary).
guest() {
  export FAKE_GUEST=$1 UNI_QEMU=$HERE/fake_qemu.py
}

# await FILE: until it is there and not empty.
await() {
  local n=0
  while [ ! -s "$1" ]; do
    n=$((n + 1))
    [ $n -lt 500 ] || fail "$1 did not appear"
    sleep 0.02
  done
}

# gone PID: until that process has ended.
gone() {
  local n=0
  while kill -0 "$1" 2>/dev/null && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; do
    n=$((n + 1))
    [ $n -lt 500 ] || fail "process $1 is still there"
    sleep 0.02
  done
}

# The copying guest: standard input to standard output.
# shellcheck disable=SC2034
CAT='
say("ready")
while True:
    data = read()
    if not data:
        break
    out(data)
exit_with(0)'

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is wrong with the input: one line with the file and the reason, a hint, the right status, and nothing written.
. "$(dirname "$0")/../lib.sh"

# refused STATUS REASON ARGUMENT...
refused() {
  local wanted=$1 reason=$2
  shift 2
  same "the status of pack $*" "$(status_of "$UNI" pack "$@" -o refused.img)" "$wanted"
  has "the error of pack $*" "$(cat err)" "uni: error: "
  has "the error of pack $*" "$(cat err)" "$reason"
  same "the lines of pack $*" "$(grep -c '' err)" 2
  has "the error of pack $*" "$(tail -n 1 err)" "hint: "
  same "the output of pack $*" "$(cat out)" ""
  same "what pack $* left" "$(compgen -G 'refused*' || true)" ""
}

mkdir lib dir
cat > deep.c <<'C'
int deep(void) { return 1; }
C
cat > middle.c <<'C'
int deep(void);
int middle(void) { return deep(); }
C
cat > main.c <<'C'
int middle(void);
int main(void) { return middle(); }
C
cc -shared -fPIC -o lib/libdeep.so deep.c
cc -shared -fPIC -o lib/libmiddle.so middle.c -Llib -ldeep
# shellcheck disable=SC2016 # $ORIGIN is for ld.so
cc -o good main.c -Llib -lmiddle -Wl,-rpath,'$ORIGIN/lib' -Wl,-rpath-link,lib -Wl,--disable-new-dtags
"$UNI" pack ./good -o good.img 2> err || fail "the whole program is refused: $(cat err)"

: > empty
refused 1 "empty: is empty" ./empty
refused 1 "none: no such file" ./none
refused 1 "dir: is a directory" ./dir
refused 1 "/dev/null: is not a regular file" /dev/null
echo "hello, world" > text
refused 1 "is not an ELF program" ./text
printf '#!/none/sh\ntrue\n' > script
refused 1 "missing interpreter" ./script
cc -c main.c -o object.o
refused 1 "is an object file" ./object.o
refused 1 "is a shared library" ./lib/libdeep.so
# patched NAME OFFSET BYTES: `good` with other bytes.
patched() {
  cp good "$1"
  # shellcheck disable=SC2059 # the bytes are a format
  printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
patched small 4 '\001'
refused 1 "32-bit" ./small
patched other 18 '\267'
refused 1 "AArch64" ./other
sed 's|/lib64/ld-linux|/lib64/ld-linuX|' good > unlinked
refused 1 "missing dynamic linker \`/lib64/ld-linuX" ./unlinked
head -c 40 good > cut40
refused 1 "truncated" ./cut40
head -c 100 good > cut100
refused 1 "truncated" ./cut100
head -c 5000 good > cut5000
refused 1 "truncated" ./cut5000
if [ "$(id -u)" != 0 ]; then
  cp good private
  chmod 000 private
  refused 1 "permission denied" ./private
fi
mv lib/libdeep.so lib/moved
refused 1 "libmiddle.so: missing library \`libdeep.so\`" ./good
has "who wants it" "$(cat err)" "/good needs"
head -c 200 lib/moved > lib/libdeep.so
refused 1 "libdeep.so: truncated" ./good
rm lib/libdeep.so
mv lib/moved lib/libdeep.so

# Options.
refused 2 "NAME=VALUE" ./good -e =x
refused 2 "HOST:GUEST" ./good -a text
refused 1 "none: no such file or directory" ./good -a none:/etc/none
refused 2 "UID" ./good -u root
same "an unknown flag" "$(status_of "$UNI" pack --bogus ./good)" 2
same "no program" "$(status_of "$UNI" pack)" 2
same "no kernel" "$(UNI_KERNEL=/none status_of "$UNI" pack ./good -o refused.img)" 4
same "a directory as output" "$(status_of "$UNI" pack ./good -o dir)" 2
same "the program as output" "$(status_of "$UNI" pack ./good -o good)" 2
same "an output that cannot be" "$(status_of "$UNI" pack ./good -o none/x.img)" 4
has "an output that cannot be" "$(head -n 1 err)" "none/x.img and none/x.yaml: cannot be written"
for flag in -o --report --name; do same "an empty $flag" "$(status_of "$UNI" pack ./good $flag '')" 2; done

# A limit on file sizes stands for a full disk.
same "a full disk" "$(ulimit -f 100; trap '' XFSZ; status_of "$UNI" pack ./good -o refused.img)" 4
has "a full disk" "$(cat err)" "file too large"
same "what it left" "$(compgen -G 'refused*' || true)" ""

# An output that is there and is not a regular file is not replaced.
mkfifo pipe.img
same "the status with a pipe as output" "$(status_of "$UNI" pack ./good -o pipe.img)" 2
has "the error" "$(cat err)" "pipe.img: cannot be written: it is there and is not a regular file"
[ -p pipe.img ] || fail "the pipe was replaced"
[ ! -e pipe.yaml ] || fail "a manifest without an image is left"

# Closed standard descriptors: nothing that is written to them goes into the image.
status=0
"$UNI" pack ./good -o closed.img <&- >&- 2>&- || status=$?
same "the status with closed descriptors" $status 0
"$UNI" pack ./good -o open.img 2> /dev/null
cmp closed.img open.img || fail "closed descriptors change the image"

# A message is one line, whatever a name holds; a full standard output is told.
same "the status of an odd name" "$(status_of "$UNI" pack $'no\nsuch\e[2J')" 1
same "the error of an odd name" "$(head -n 1 err)" "uni: error: no?such?[2J: no such file"
status=0
"$UNI" syscalls > /dev/full 2> err || status=$?
same "the status with a full output" $status 4
has "the error with a full output" "$(cat err)" "standard output: cannot be written: No space left on device"

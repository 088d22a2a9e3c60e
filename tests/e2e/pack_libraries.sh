#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Libraries are found as ld.so finds them. What this machine's ld.so loads is the oracle (these programs are ours).
# shellcheck disable=SC2016 # $ORIGIN is for ld.so
. "$(dirname "$0")/../lib.sh"
ORIGIN='$ORIGIN'

# lib DIR NAME VALUE [FLAG...]: DIR/libNAME.so whose function NAME() gives VALUE.
lib() {
  local dir=$1 name=$2 value=$3
  shift 3
  mkdir -p "$dir"
  echo "int $name(void) { return $value; }" > "$name.c"
  cc -shared -fPIC -o "$dir/lib$name.so" "$name.c" "$@"
}
# packed IMAGE NAME: the guest path of libNAME.so in the image.
packed() {
  "$UNI" inspect --json "$1" > json || [ $? = 3 ]
  python3 -c "import json; print(' '.join(f['path'] for f in json.load(open('json'))['files'] if f['path'].endswith('/lib$2.so') and f['type'] == 'file'))"
}
lib one deep 1
lib two deep 2
echo 'int deep(void); int middle(void) { return deep(); }' > middle.c
echo 'int middle(void); int main(void) { return middle(); }' > main.c

# The program's RPATH holds for what its libraries need, its RUNPATH does not.
mkdir -p bin
cc -shared -fPIC -o two/libmiddle.so middle.c -Lone -ldeep
cc -o bin/rpath main.c -Ltwo -lmiddle -Wl,--disable-new-dtags,-rpath,"$PWD/two" -Wl,-rpath-link,two
cc -o bin/runpath main.c -Ltwo -lmiddle -Wl,--enable-new-dtags,-rpath,"$PWD/two" -Wl,-rpath-link,two
same "ld.so with RPATH" "$(status_of bin/rpath)" 2
pack rpath.img bin/rpath
same "pack with RPATH" "$(packed rpath.img deep)" "$PWD/two/libdeep.so"
same "ld.so with RUNPATH" "$(status_of bin/runpath)" 127
same "pack with RUNPATH" "$(status_of "$UNI" pack bin/runpath -o runpath.img)" 1
has "its error" "$(cat err)" "missing library \`libdeep.so\`"
# LD_LIBRARY_PATH comes before RUNPATH and after RPATH.
pack library_path.img bin/runpath -e "LD_LIBRARY_PATH=$PWD/one"
same "pack with LD_LIBRARY_PATH" "$(packed library_path.img deep)" "$PWD/one/libdeep.so"
pack both.img bin/rpath -e "LD_LIBRARY_PATH=$PWD/one"
same "RPATH before LD_LIBRARY_PATH" "$(packed both.img deep)" "$PWD/two/libdeep.so"

# $ORIGIN stays beside the program wherever that is put.
cc -o bin/origin main.c -Ltwo -lmiddle -Wl,--disable-new-dtags,-rpath,"$ORIGIN/../two" -Wl,-rpath-link,two
pack origin.img bin/origin
same "ORIGIN" "$(packed origin.img deep)" "/usr/local/two/libdeep.so"

# A cycle ends.
echo 'int b(void); int a(void) { return 1; } int x(void) { return b(); }' > a.c
echo 'int a(void); int b(void) { return a(); }' > b.c
mkdir cycle
cc -shared -fPIC -o cycle/liba.so b.c
cc -shared -fPIC -o cycle/libb.so b.c -Lcycle -Wl,--no-as-needed -la
cc -shared -fPIC -o cycle/liba.so a.c -Lcycle -Wl,--no-as-needed -lb
echo 'int a(void); int main(void) { return a(); }' > cycle.c
cc -o bin/cycle cycle.c -Lcycle -la -Wl,--disable-new-dtags,-rpath,"$ORIGIN/../cycle"
pack cycle.img bin/cycle
same "a cycle" "$(packed cycle.img a) $(packed cycle.img b)" "/usr/local/cycle/liba.so /usr/local/cycle/libb.so"

# A foreign root: its files, its symlinks, nothing of this machine's.
mkdir -p root/usr/lib/x86_64-linux-gnu root/usr/bin root/lib64 root/opt/lib root/etc
ln -s usr/lib root/lib
loader=$(readlink -f /lib64/ld-linux-x86-64.so.2)
cp "$loader" root/usr/lib/x86_64-linux-gnu/ld-real.so
ln -s /lib/x86_64-linux-gnu/ld-real.so root/lib64/ld-linux-x86-64.so.2
cp "$(cc -print-file-name=libc.so.6)" root/usr/lib/x86_64-linux-gnu/libc.so.6
cp one/libdeep.so root/opt/lib/
echo /opt/lib > root/etc/ld.so.conf
echo 'int deep(void); int main(void) { return deep(); }' > main.c
cc -o root/usr/bin/server main.c -Lone -ldeep
pack root.img --sysroot root /usr/bin/server
same "ld.so.conf of a sysroot" "$(packed root.img deep)" "/opt/lib/libdeep.so"
grep -q '"/etc/ld.so.cache"' json || fail "the guest's ld.so would not find /opt/lib"
rm root/opt/lib/libdeep.so
same "a library that only this machine has" "$(status_of "$UNI" pack --sysroot root /usr/bin/server -o x.img)" 1
has "its error" "$(cat err)" "root/usr/bin/server: missing library \`libdeep.so\`"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# While it packs: a progress bar on a terminal and nowhere else; a signal leaves nothing half-written; packs at once to one
# output; files of any name; the report that is asked for.
. "$(dirname "$0")/../lib.sh"
midway() { python3 -B "$UNI_TOP/tests/e2e/pack_midway.py" "$@"; }
echo 'int main(void) { return 0; }' > main.c
cc -static -o server main.c
mkdir tree
for i in $(seq 40); do head -c 1000000 /dev/urandom > "tree/file $i"$'\e[2J'; done

midway terminal "$UNI" pack ./server -a ./tree:/srv -o shown.img > terminal.txt || fail "packing on a terminal fails: $(tail -c 300 terminal.txt)"
grep -qE 'writing the image \[#+ *\] +[0-9]+ % /srv/file [0-9]+\?\[2J' terminal.txt || fail "no progress on a terminal: $(tail -c 300 terminal.txt | cat -v)"
strace -f -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=40000 "$UNI" pack ./server -a ./tree:/srv -o quiet.img > out 2> err
same "what a pipe gets" "$(cat out)" ""
same "what a log gets" "$(wc -l < err)" 1
cmp shown.img quiet.img || fail "the terminal changes the image"

mkdir stopped
stopped() {  # in a directory of its own
  cd stopped || exit
  ulimit -c 0
  midway signal "$1" "$UNI" pack ../server -a ../tree:/srv -o s.img
}
endings=(SIGINT SIGTERM SIGHUP SIGQUIT)
# What has no name needs nobody to remove it; not every file system has such files.
! python3 -c 'import os; os.open(".", os.O_TMPFILE | os.O_RDWR)' 2> /dev/null || endings+=(SIGKILL)
for name in "${endings[@]}"; do
  same "the end by $name" "$(stopped "$name")" "-$(kill -l "${name#SIG}")"
  same "what $name leaves" "$(ls stopped)" ""
done

jobs=()
for _ in 1 2 3; do
  "$UNI" pack ./server -a ./tree:/srv -o once.img 2> /dev/null &
  jobs+=($!)
done
wait "${jobs[@]}" || fail "one of three packs to the same output failed"
"$UNI" verify once.img once.yaml 2> err || fail "three packs at once make a bad image: $(cat err)"
same "what they leave" "$(compgen -G 'once.*' | tr '\n' ' ')" "once.img once.yaml "

# Names that YAML, JSON and shells have their own ideas about.
python3 - <<'P'
import os
os.mkdir("odd")
for name in (b"a b", b"-dash", b"new\nline", b"q\"'`$x", b"\xff\xfe", "\u00fcn\u00ef".encode(), b"tab\t", b"#hash", b": colon", b"- item",
             b"null", b"1e3", b"~", b"back\\slash", b"%41", b"a" * 255):
    with open(b"odd/" + name, "wb") as file:
        file.write(name)
os.symlink("loop", "odd/loop")
os.symlink("../odd", "odd/up")
P
pack odd.img ./server -a ./odd:/odd --report report.json
"$UNI" verify odd.img odd.yaml 2> err || fail "odd names: $(cat err)"
pack again.img odd.yaml
cmp odd.img again.img || fail "the manifest with odd names gives another image"
"$UNI" inspect --json odd.img > inspect.json
python3 - <<'P' || fail "the report is not what inspect says"
import json
report, inspected = (json.load(open(f, encoding="utf-8", errors="surrogateescape")) for f in ("report.json", "inspect.json"))
# What the disk takes may still change: file systems allocate late.
assert report.pop("disk") > 0 and inspected.pop("disk") > 0
assert report == inspected, {key for key in report if report[key] != inspected.get(key)}
assert report["verdict"]["status"].startswith("runs"), report["verdict"]
names = {f["path"] for f in report["files"]}
assert "/odd/a b" in names and "/odd/new\nline" in names and "/odd/" + "a" * 255 in names, names
P

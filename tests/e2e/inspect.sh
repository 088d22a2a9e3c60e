#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `uni inspect` says the same of a program, of its image and of its manifest; `uni syscalls` prints the table.
. "$(dirname "$0")/../lib.sh"
cat > main.c <<'C'
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) { return socket(AF_INET, SOCK_STREAM, 0) + (fork() == 0); }
C
cc -o server main.c
pack server.img ./server

cat > check.py <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
need = ["program", "interpreter", "files", "syscalls", "permissions", "verdict"]
assert all(k in d for k in need), d.keys()
assert d["program"] == "/usr/local/bin/server"
files = {f["path"]: f for f in d["files"]}
libc = [p for p in files if p.endswith("/libc.so.6")]
assert libc and files[libc[0]]["reason"] == "needed by /usr/local/bin/server", files.keys()
assert len(files[libc[0]]["sha256"]) == 64 and files[libc[0]]["package"].startswith("libc6 ")
calls = {c["name"]: c for c in d["syscalls"]}
assert [c["number"] for c in d["syscalls"]] == sorted(c["number"] for c in d["syscalls"])
for name in ["socket", "exit_group", "mmap", "openat"]:
    assert name in calls, name
assert calls["socket"]["origins"][0] == "/usr/local/bin/server: main -> socket", calls["socket"]
assert "listen" not in calls, "nothing here listens"
assert d["permissions"]["evidence"] == ["/usr/local/bin/server: main -> fork"], d["permissions"]
assert d["permissions"]["processes"] == "fork"
assert d["undecided"] == [], d["undecided"]
assert d["verdict"]["status"] in ["runs", "runs with notes", "will not run"]
PY
for subject in ./server server.img server.yaml; do
  status=$(status_of "$UNI" inspect --json $subject)
  case $status in 0 | 3) ;; *) fail "inspect $subject: $(cat err)" ;; esac
  python3 check.py out || fail "the JSON of $subject is wrong"
  has "the text of $subject" "$("$UNI" inspect $subject || true)" "verdict"
done
! "$UNI" inspect --json server.img | grep -q "$PWD" || fail "the image names a directory of this machine"

"$UNI" syscalls --format json > calls.json
python3 - <<'PY' || fail "the table as JSON is wrong"
import json
rows = json.load(open("calls.json"))
assert [r["number"] for r in rows] == sorted({r["number"] for r in rows})
assert all(set(r) == {"number", "name", "level", "note", "flags"} for r in rows)
flags = {(r["name"], f["name"]): f for r in rows for f in r["flags"]}
assert all(set(f) == {"name", "value", "level", "note"} for f in flags.values())
assert all(f["level"] in ("full", "partial", "ignored", "refused") for f in flags.values())
assert all(f["note"] for f in flags.values() if f["level"] != "full")
assert flags["mmap", "MAP_FIXED"] == {"name": "MAP_FIXED", "value": 16, "level": "full", "note": ""}
assert flags["setsockopt", "TCP_NODELAY"]["level"] == flags["getsockopt", "SO_ERROR"]["level"] == "full"
assert flags["setsockopt", "SO_MARK"]["level"] == "ignored" and ("setsockopt", "SO_ERROR") not in flags
assert flags["open", "O_DIRECT"] == flags["openat", "O_DIRECT"]
assert all(r["level"] in ("full", "partial", "stub", "missing") for r in rows)
assert next(r for r in rows if r["number"] == 9)["name"] == "mmap"
PY
# shellcheck disable=SC2016 # markdown's own backticks
has "the markdown" "$("$UNI" syscalls --format markdown)" '| 9 | `mmap` |'
has "the table" "$("$UNI" syscalls)" "mmap"
has "one call" "$("$UNI" syscalls mmap)" "MAP_HUGETLB"
has "one call's flags" "$("$UNI" syscalls --flags madvise)" "MADV_FREE"
! "$UNI" syscalls --flags madvise | grep -q MAP_FIXED || fail "another call's flags are shown"
has "all flags" "$("$UNI" syscalls --flags)" "TIOCGWINSZ"
# shellcheck disable=SC2016
has "the flags as markdown" "$("$UNI" syscalls --flags --format markdown)" '| `MAP_HUGETLB` | 0x40000 | refused |'
same "no such call" "$(status_of "$UNI" syscalls nocall)" 1
same "a call without flags" "$(status_of "$UNI" syscalls --flags getpid)" 1
same "another format" "$(status_of "$UNI" syscalls --format xml)" 2
for verb in pack run inspect syscalls; do has "help of $verb" "$("$UNI" $verb --help)" "Examples:"; done

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The report of `uni inspect`: ports by evidence, the closure as a tree, estimates beside the image that is really
# packed, the verdict of a program that the kernel cannot run.
. "$(dirname "$0")/../lib.sh"
cat > server.c <<'C'
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
__attribute__((noinline)) static int fixed(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
  return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a);
}
__attribute__((noinline)) static int asked(char *text) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(text))};
  return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a);
}
__attribute__((noinline)) static int six(void) {
  struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(8443)};
  return bind(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a);
}
__attribute__((noinline)) static int named(void) {
  struct addrinfo *a;
  return getaddrinfo(NULL, "5353", NULL, &a) || bind(socket(AF_INET, SOCK_DGRAM, 0), a->ai_addr, a->ai_addrlen);
}
int main(int n, char **v) { return fixed() + six() + named() + (n > 1 ? asked(v[1]) : 0); }
C
cat > check.py <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["type"] == sys.argv[2] and d["linkage"] == "dynamic (glibc)", (d["type"], d["linkage"])
ports = {p["number"]: p["evidence"] for p in d["ports"]}
assert {8080, 8443, 5353, None} == set(ports), d["ports"]
assert ports[8443] == "/usr/local/bin/server: six", ports
assert "computed at run time" in ports[None], ports
root = d["tree"][0]
assert root["name"] == "/usr/local/bin/server" and root["reason"] == "the program"
below = {n["name"].rpartition("/")[2]: n for n in root["children"]}
assert below["libc.so.6"]["reason"] == "needed by /usr/local/bin/server", below.keys()
assert root["total"] == root["size"] + sum(n["total"] for n in root["children"])
files = [f for f in d["files"] if f["type"] == "file"]
assert sum(n["files"] for n in d["tree"]) == len(files), "the tree has not all files"
assert sum(n["total"] for n in d["tree"]) == sum(f["size"] for f in files)
PY
for level in 0 2; do
  cc -O$level -o server server.c
  pack server.img ./server
  for subject in program:./server image:server.img manifest:server.yaml; do
    "$UNI" inspect --json "${subject#*:}" > out || fail "inspect: $?"
    python3 check.py out "${subject%%:*}" || fail "the report of ${subject#*:} with -O$level is wrong"
  done
done
text=$("$UNI" inspect server.img)
has "the table" "$text" "8080     /usr/local/bin/server: "
has "the table" "$text" "not decided: /usr/local/bin/server: "
has "the table" "$text" "verdict      runs"
has "a recipe's port" "$("$UNI" inspect "$(command -v redis-server)")" "6379     recipe redis"

# close IMAGE PROGRAM FLAG...: the estimate of the image is within a twentieth (and 64 KiB) of what is packed.
close() {
  local image=$1
  shift
  pack "$image" "$@"
  local really guess
  really=$(($(stat -c %b "$image") * 512))
  guess=$("$UNI" inspect --json "${image%.img}.yaml" | python3 -c 'import json, sys; print(json.load(sys.stdin)["estimate"]["disk"])')
  local off=$((guess > really ? guess - really : really - guess))
  [ $off -le $((really / 20 + 65536)) ] || fail "$image takes $really bytes, $guess were estimated"
}
cc -static -O2 -o small server.c 2> /dev/null
mkdir many
for i in $(seq 2000); do echo "$i" > "many/file-$i"; done
close small.img ./small
close many.img ./small -a many:/srv
close python.img python3

# With the memory that is told, the program starts.
for image in small python; do
  megabytes=$(("$("$UNI" inspect --json $image.img | python3 -c 'import json, sys; print(json.load(sys.stdin)["estimate"]["memory"])')" >> 20))
  case $image in small) arguments=() status=255 ;; *) arguments=(-- -S -c 'print(6 * 7)') status=0 ;; esac
  "$UNI" run -m "${megabytes}M" "$image.img" "${arguments[@]}" > run.out 2> run.err || true
  [ $image = small ] || same "python with $megabytes MiB" "$(cat run.out)" 42
  ! grep -q "cannot start" run.err || fail "$image with $megabytes MiB: $(cat run.err) $status"
done

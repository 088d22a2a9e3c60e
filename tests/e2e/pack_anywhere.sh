#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same image, bit for bit, packed by another user at another path with another time zone, umask, locale and number of
# processors, from files that were made in another order and at other times.
. "$(dirname "$0")/../lib.sh"
other=$(mktemp -d)
trap 'rm -rf "$other"; lib_cleanup' EXIT
echo 'int main(void) { return 0; }' > main.c
cc -pthread -o server main.c
mkdir -p here/site
cp server here/server
for i in $(seq 200); do head -c $((i * 997)) /dev/zero | tr '\0' "$((i % 10))" > "here/site/file-$i"; done
ln -s file-1 here/site/link
mkdir here/site/empty
mkdir -p "$other/deeper/than/there/site/empty"
there=$other/deeper/than/there
sleep 1
for i in $(seq 200 -1 1); do cat "here/site/file-$i" > "$there/site/file-$i"; done
ln -s file-1 "$there/site/link"
install -m 711 server "$there/server"
chmod 600 "$there/site/file-7" && chmod 600 here/site/file-7
touch -d '2001-02-03' "$there/site/file-9"

packed() { "$UNI" pack ./server -a site:/srv -e A=1 -w /srv --syscalls enforce -o "$1" -- x y; }
(cd here && umask 022 && TZ=UTC LC_ALL=C packed server.img) 2> err || fail "here: $(cat err)"
# One processor, no cache of the analysis, another user where that is possible.
as=()
chmod 755 "$other" && chmod -R a+rX "$other" && chmod 777 "$there"
chmod 600 "$there/site/file-7"
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$UNI" 2> /dev/null; then
  chown -R 65534:65534 "$there"
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
export -f packed
export UNI
(cd "$there" && umask 077 && "${as[@]}" taskset -c 0 env -u HOME -u XDG_CACHE_HOME TZ=Pacific/Auckland LC_ALL=C.UTF-8 \
  LANG=C.UTF-8 bash -c 'packed server.img') 2> err || fail "there: $(cat err)"
cmp here/server.img "$there/server.img" || fail "two places give two images"
cmp here/server.yaml "$there/server.yaml" || fail "two places give two manifests"
"$UNI" verify "$there/server.img" > /dev/null || fail "the image is not what its manifest says"

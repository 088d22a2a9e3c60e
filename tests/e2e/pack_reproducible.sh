#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same input gives the same bytes: in another directory, with another umask, time zone and locale, on one
# processor, later, from the manifest.
. "$(dirname "$0")/../lib.sh"
echo 'int main(void) { return 0; }' > main.c
cc -o server main.c
mkdir a b site
echo page > site/index.html
cp server a/server
install -m 700 server b/server
(cd a && umask 022 && TZ=UTC "$UNI" pack ./server -a ../site:/srv -e A=1 -- x y 2> /dev/null) || fail "the first one"
sleep 1.1
touch b/server
(cd b && umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$UNI" pack ./server -a ../site:/srv -e A=1 -- x y 2> /dev/null) || fail "the second one"
cmp a/server.img b/server.img || fail "two directories give two images"
cmp a/server.yaml b/server.yaml || fail "two directories give two manifests"
"$UNI" pack a/server.yaml -o again.img 2> /dev/null || fail "the manifest cannot be packed"
cmp a/server.img again.img || fail "the manifest gives another image"
[ ! -e again.yaml ] || fail "packing a manifest wrote another one"
# On one processor, in other locales, with another home, without the scan's cache.
first=$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')
locale -a | grep -ixq 'tr_TR.utf8' && turkish=tr_TR.UTF-8 || turkish=C
alone() { (cd b && taskset -c "$first" env "$@" "$UNI" pack ./server -a ../site:/srv -e A=1 -- x y 2> /dev/null); }
for setting in LC_ALL=C LC_ALL=C.UTF-8 LC_ALL=$turkish LC_ALL=no_such LANG=de_DE.UTF-8 "HOME=$PWD"; do
  rm -f b/server.img b/server.yaml
  alone "$setting" "XDG_CACHE_HOME=$PWD/cache-$RANDOM" || fail "with $setting"
  cmp a/server.img b/server.img || fail "one processor and $setting give another image"
  cmp a/server.yaml b/server.yaml || fail "one processor and $setting give another manifest"
done

SOURCE_DATE_EPOCH=1000000000 "$UNI" pack ./server -o dated.img 2> /dev/null || fail "with SOURCE_DATE_EPOCH"
SOURCE_DATE_EPOCH=1000000000 "$UNI" pack ./server -o dated2.img 2> /dev/null || fail "with SOURCE_DATE_EPOCH"
cmp dated.img dated2.img || fail "SOURCE_DATE_EPOCH gives two images"
same "another time" "$(cmp -s dated.img a/server.img && echo same || echo differs)" differs
same "a bad time" "$(SOURCE_DATE_EPOCH=x status_of "$UNI" pack ./server -o bad.img)" 2

# A changed file, an unknown key, another version.
echo changed > site/index.html
same "a changed file" "$(status_of "$UNI" pack a/server.yaml -o refused.img)" 1
has "a changed file" "$(cat err)" "site/index.html: has changed since the manifest was written"
sed 's/^name:/colour: red\nname:/' a/server.yaml > a/unknown.yaml
same "an unknown key" "$(status_of "$UNI" pack a/unknown.yaml -o refused.img)" 1
has "an unknown key" "$(cat err)" "a/unknown.yaml:2:1: unknown key \`colour\`"
sed 's/^version: 1/version: 9/' a/server.yaml > a/nine.yaml
same "another version" "$(status_of "$UNI" pack a/nine.yaml -o refused.img)" 1
has "another version" "$(cat err)" "a/nine.yaml:1:1: "
[ ! -e refused.img ] || fail "a refused manifest left an image"

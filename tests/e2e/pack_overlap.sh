#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Paths of `-a` that overlap: each other's, links of the system, links to directories, links in circles.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin
echo 'int main(void) { return 0; }' > main.c
cc -o server main.c
mkdir -p tree/real elsewhere/deep
echo one > tree/real/one
echo far > elsewhere/deep/far
ln -s real tree/link
ln -s "$PWD/elsewhere" tree/away
ln -s "$PWD/tree" tree/circle
ln -s "$PWD/tree" elsewhere/back
echo extra > extra

# The dynamic linker once more, through the system's own link /lib64 -> usr/lib64.
linker=$(readelf -l server | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
pack linker.img ./server -a "$linker:$linker" -a extra:/lib/extra
grep -q "path: /usr/lib/extra" linker.yaml || fail "a path through a link of the system is not followed"

# A directory of a recipe behind a link of the system that it does not have itself.
mkdir -p system/run/lock system/var system/usr/sbin
ln -s ../run/lock system/var/lock
cc -static -o system/usr/sbin/apache2 main.c
"$UNI" pack --sysroot system /usr/sbin/apache2 -o apache2.img 2> err || fail "a directory behind a link: $(cat err)"
grep -q "path: /run/lock/apache2" apache2.yaml || fail "a directory behind a link is not where it leads"

# A directory, then a file in it by the name of a link in it.
pack tree.img ./server -a tree:/srv -a extra:/srv/link/extra -a extra:/srv/real/two
root() { sfdisk -d "$1" | sed -n 's/.*start= *\([0-9]*\),.*name="uni-root"/\1/p'; }
at() { debugfs -R "$1" "tree.img?offset=$(($(root tree.img) * 512))" 2> /dev/null; }
same "the file by the link's name" "$(at "cat /srv/real/extra")" extra
same "the link" "$(at "stat /srv/link" | sed -n 's/.*Fast link dest: //p')" '"real"'
same "a link to a directory elsewhere" "$(at "cat /srv/away/deep/far")" far
e2fsck -fn "tree.img?offset=$(($(root tree.img) * 512))" > fsck.out 2>&1 || fail "e2fsck: $(cat fsck.out)"

# The file first, then a tree in which its directory is a link: one line says so.
same "a contradiction" "$(status_of "$UNI" pack ./server -o bad.img -a extra:/srv/link/extra -a tree:/srv)" 1
has "the contradiction" "$(cat err)" "/srv/link: cannot be both a directory and a symlink"
same "a file and below it" "$(status_of "$UNI" pack ./server -o bad.img -a extra:/srv/x -a extra:/srv/x/y)" 1
has "a file and below it" "$(cat err)" "extra: cannot be put at \`/srv/x/y\`: a part of that path is a file"
[ ! -e bad.img ] || fail "a refused image is there"

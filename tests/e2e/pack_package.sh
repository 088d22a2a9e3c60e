#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `uni pack --package`: the program and the files of a package's dependency closure, from a database made here and from
# this system's own.
. "$(dirname "$0")/../lib.sh"
mkdir -p root/var/lib/dpkg/info root/usr/bin root/usr/sbin root/usr/share/{one,common,tool,doc/one} root/etc/one root/var/lib/one
echo 'int main(void) { return 0; }' > main.c
cc -static -o root/usr/sbin/oned main.c
cp root/usr/sbin/oned root/usr/bin/one-admin
cp root/usr/sbin/oned root/usr/bin/tool
for f in usr/share/one/data usr/share/common/data usr/share/tool/data usr/share/doc/one/copyright etc/one/one.conf; do echo $f > root/$f; done
cat > root/var/lib/dpkg/status <<'D'
Package: one
Status: install ok installed
Architecture: amd64
Version: 1.0
Depends: none-such | one-common (>= 1), tool:any

Package: one-common
Status: install ok installed
Architecture: all
Version: 1.0
Depends: absent

Package: tool
Status: install ok installed
Architecture: amd64
Version: 2.0

Package: meta
Status: install ok installed
Architecture: all
Version: 1.0
Depends: one

Package: half
Status: deinstall ok config-files
Architecture: all
Version: 1.0
D
list() { local name=$1; shift; printf '%s\n' "$@" > "root/var/lib/dpkg/info/$name.list"; }
list one /. /usr /usr/sbin /usr/sbin/oned /usr/bin/one-admin /usr/share/one/data /usr/share/doc/one/copyright /etc/one/one.conf /var/lib/one
list one-common /usr/share/common/data
list tool /usr/bin/tool /usr/share/tool/data
list meta /usr/share/doc/meta

same "several programs" "$(status_of "$UNI" pack --sysroot root --package one -o one.img)" 1
has "the candidates" "$(cat err)" "the package has several programs: one-admin, oned"
has "the way out" "$(cat err)" "\`uni pack --package one one-admin\`"
"$UNI" pack --sysroot root --package one oned -o one.img 2> err || fail "the package: $(cat err)"
files=$("$UNI" inspect --json one.img | python3 -c 'import json, sys; [print(f["path"], "|", f["reason"]) for f in json.load(sys.stdin)["files"]]')
has "the files" "$files" "/usr/sbin/oned | the program"
has "the files" "$files" "/usr/share/one/data | package one"
has "the files" "$files" "/etc/one/one.conf | package one"
has "the files" "$files" "/var/lib/one | package one"
has "data of a package of data" "$files" "/usr/share/common/data | package one-common"
for out in /usr/share/tool /usr/share/doc /usr/bin/one-admin /usr/bin/tool; do
  case $files in *"$out"*) fail "$out is in the image" ;; esac
done
"$UNI" pack --sysroot root --package meta oned -o meta.img 2> err || fail "a package without programs: $(cat err)"
for name in half nothing; do
  same "$name" "$(status_of "$UNI" pack --sysroot root --package $name -o bad.img)" 1
  has "$name" "$(cat err)" "$name: no such package is installed"
done
same "a program that it lacks" "$(status_of "$UNI" pack --sysroot root --package one other -o bad.img)" 1
same "nothing at all" "$(status_of "$UNI" pack)" 2

# This system's: the module directory of lighttpd comes along, perl, which its tools need, does not.
"$UNI" pack --package lighttpd -o web.img 2> err || fail "lighttpd: $(cat err)"
"$UNI" inspect --json web.img > web.json || [ $? = 3 ]
grep -q '"/etc/lighttpd/lighttpd.conf"' web.json || fail "lighttpd's configuration is not there"
! grep -q '"/usr/bin/perl"' web.json || fail "perl is in the image"

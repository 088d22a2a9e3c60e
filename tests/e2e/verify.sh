#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `uni verify` finds every change of an image: contents, metadata, configuration, kernel, signature.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin

echo 'int main(void) { return 0; }' > main.c
cc -static -o server main.c
mkdir site
echo "a page" > site/page
head -c 3000000 /dev/urandom > site/big
ln -s page site/link
ln -s "$(printf 'a%.0s' $(seq 100))" site/long
ssh-keygen -q -t ed25519 -N '' -C test -f key
"$UNI" pack ./server -o server.img -a site:/srv -e PORT=80 --sign key 2> pack.err || fail "packing: $(cat pack.err)"
[ -s server.img.sig ] || fail "no signature was written"
"$UNI" verify server.img server.yaml --key key.pub > out 2> err || fail "a good image is refused: $(cat out err)"
has "the summary" "$(cat err)" "the signature is good"
same "the differences" "$(cat out)" ""

# changed WHAT OFFSET EXPECTED: one byte of a copy is another, and that is found.
changed() {
  cp --sparse=always server.img bad.img
  printf '\377' | dd of=bad.img bs=1 seek="$2" conv=notrunc status=none
  same "the status with another $1" "$(status_of "$UNI" verify bad.img)" 1
  has "what is said of another $1" "$(cat out err)" "$3"
}
root=$(sfdisk -d server.img | sed -n 's/.*start= *\([0-9]*\),.*name="uni-root"/\1/p')
config=$(sfdisk -d server.img | sed -n 's/.*start= *\([0-9]*\),.*name="uni-config"/\1/p')
block=$(debugfs -R "blocks /srv/big" "server.img?offset=$((root * 512))" 2> /dev/null | cut -d' ' -f1)
changed "content" $((root * 512 + block * 4096 + 5)) "/srv/big: the SHA-256 is"
changed "super block" $((root * 512 + 1024 + 200)) "damaged file system"
changed "kernel" $((1048576 + 20000)) "the partition identifiers do not belong"
changed "protective record" 100 "damaged partition table"
at=$(dd if=server.img bs=512 skip="$config" count=8 status=none | tr '\0' '\n' | grep -bo 'PORT=80' | cut -d: -f1)
changed "configuration" $((config * 512 + at)) "the boot configuration is not the manifest's"

# Another manifest than the image's.
sed -e '/path: \/srv\/link/,/reason/s/target: page/target: big/' server.yaml > other.yaml
same "the status with another manifest" "$(status_of "$UNI" verify server.img other.yaml)" 1
has "another target" "$(cat out)" "/srv/link: the target is page, the manifest says big"
sed -e 's/^name: .*/name: other/' server.yaml > other.yaml
same "the status with another name" "$(status_of "$UNI" verify server.img other.yaml)" 1
has "another name" "$(cat out)" "the manifest in the image says something else"

# Signatures: of another key, absent, a tool that is not there.
ssh-keygen -q -t ed25519 -N '' -C test -f stranger
same "a stranger's key" "$(status_of "$UNI" verify server.img --key stranger.pub)" 1
has "a stranger's key" "$(cat err)" "server.img.sig: the signature is not good"
same "no signature" "$(status_of "$UNI" verify server.img --key key.pub --signature none)" 1
has "no signature" "$(cat err)" "none: no such file"
minisign -G -W -f -p mini.pub -s mini.key > /dev/null 2>&1 || fail "minisign makes no key"
"$UNI" pack server.yaml -o mini.img --sign mini.key 2> err || fail "signing with minisign: $(cat err)"
same "minisign's signature" "$(status_of "$UNI" verify mini.img --key mini.pub)" 0
mv server.img.sig mini.img.minisig
same "another tool's signature" "$(status_of "$UNI" verify mini.img --key mini.pub)" 1
cp mini.img.minisig server.img.sig
same "no tool" "$(PATH=/none status_of "$UNI" verify server.img --key key.pub)" 4
has "no tool" "$(cat err)" "openssh-client"

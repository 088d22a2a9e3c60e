#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `uni verify` finds one changed bit wherever it is: in each kind of block of the file system, in what is unused, between the
# parts, behind a file's end; and in the signature.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin
echo 'int main(void) { return 0; }' > main.c
cc -static -o server main.c
mkdir -p site/sub
for i in $(seq 30); do echo "$i" > "site/sub/$i"; done
head -c 300000 /dev/urandom > site/big
ssh-keygen -q -t ed25519 -N '' -C test -f key
pack server.img ./server -a ./site:/srv --sign key
same "what is not found" "$(python3 -B "$UNI_TOP/tests/e2e/verify_everywhere.py" "$UNI" server.img /srv/sub/7 20)" "60 places"
"$UNI" verify server.img --key key.pub 2> err || fail "the good image is refused: $(cat err)"
cp --sparse=never server.img full.img
"$UNI" verify full.img 2> err || fail "an image without holes is refused: $(cat err)"
for line in 2 3 4; do
  sed "${line}s/A/B/;${line}t;${line}s/[a-z]/A/" server.img.sig > bad.sig
  same "line $line of the signature" "$(status_of "$UNI" verify server.img --key key.pub --signature bad.sig)" 1
done

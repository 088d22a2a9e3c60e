#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An image is what Linux's own tools take: GPT without problems, ext4 that e2fsck finds clean, the files as they were.
. "$(dirname "$0")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin

echo 'int main(void) { return 0; }' > main.c
cc -static -o hello main.c
mkdir -p tree/deep/er
for i in $(seq 300); do echo "$i" > "tree/deep/a-file-with-a-rather-long-name-$i"; done
ln -s ../deep tree/deep/er/link
head -c 3000000 /dev/urandom > tree/big
truncate -s 5M tree/hole
pack hello.img ./hello
"$UNI" pack -o dynamic.img -w /data -a tree:/data "$(command -v sort)" 2> pack.log || fail "options before the program: $(cat pack.log)"

for image in hello.img dynamic.img; do
  has "the check of $image" "$(sgdisk -v $image)" "No problems found"
  start=$(sfdisk -d $image | sed -n 's/.*start= *\([0-9]*\),.*name="uni-root"/\1/p')
  e2fsck -fn "$image?offset=$((start * 512))" > fsck.out 2>&1 || fail "e2fsck: $(cat fsck.out)"
done
kib=$(du -k hello.img | cut -f1)
[ "$kib" -le 2560 ] || fail "the image of a static hello takes $kib KiB"

# debugfs writes to a real file, so that the holes are seen too.
at() { debugfs -R "$1" "dynamic.img?offset=$((start * 512))" 2> /dev/null; }
at "dump /data/big big.out"
cmp big.out tree/big || fail "a big file is changed"
at "dump /data/hole hole.out"
cmp hole.out tree/hole || fail "a file of zeros is changed"
same "a small file" "$(at "cat /data/deep/a-file-with-a-rather-long-name-300")" 300
has "a symlink" "$(at "stat /data/deep/er/link")" 'Fast link dest: "../deep"'
same "the files of a directory" "$(at "ls -p /data/deep" | grep -c a-file-with)" 300
has "the features" "$(at features)" "metadata_csum"
has "/tmp" "$(at "stat /tmp")" "Mode:  01777"

# Cut at any byte, an image is refused with one line.
size=$(stat -c %s hello.img)
for n in 0 1 511 512 1000 17408 1048576 1500000 3145728 $((size / 2)) $((size - 4096)) $((size - 1)); do
  head -c "$n" hello.img > cut.img
  same "inspect of $n bytes" "$(status_of "$UNI" inspect cut.img)" 1
  same "its lines" "$(grep -c '' err)" 2
  has "its error" "$(cat err)" "cut.img: "
done

# SPDX-License-Identifier: Apache-2.0
"""Turns one bit of an image at a time, in each kind of place, and prints where `uni verify` does not find it.

usage: verify_everywhere.py UNI IMAGE FILE COUNT     FILE: a file of the guest with a part of a block; COUNT random places besides
"""
import os
import random
import re
import subprocess
import sys

BLOCK = 4096
uni, image, small, count = sys.argv[1:]
fd = os.open(image, os.O_RDWR)
size = os.fstat(fd).st_size
table = subprocess.run(["sfdisk", "-d", image], capture_output=True, text=True, check=True).stdout
parts = {m[3]: (int(m[1]) * 512, int(m[2]) * 512) for m in re.finditer(r'start= *(\d+), size= *(\d+),.*name="([^"]+)"', table)}
kernel, config, root, manifest = (parts["uni-" + name] for name in ("kernel", "config", "root", "manifest"))


def debugfs(request):
    return subprocess.run(["debugfs", "-R", request, f"{image}?offset={root[0]}"], capture_output=True, text=True, check=True).stdout


def in_root(block, offset):
    return root[0] + block * BLOCK + offset


def group(number):
    """The first blocks of what a group has of its own: bitmaps and inode table, and the copy of the super block."""
    text = subprocess.run(["dumpe2fs", f"{image}?offset={root[0]}"], capture_output=True, text=True, check=True).stdout
    text = text[text.index(f"\nGroup {number}:"):]
    found = [re.search(rf"{name} at (\d+)", text) for name in ("Block bitmap", "Inode bitmap", "Inode table", "superblock", "descriptors")]
    return [int(m[1]) for m in found]


blocks_0, inodes_0, table_0, super_0, descriptors_0 = group(0)
blocks_3, inodes_3, table_3, super_3, descriptors_3 = group(3)
inode = int(re.search(r"Inode: (\d+)", debugfs(f"stat {small}"))[1])
places = {
    "protective record": 450, "table's header": 512 + 30, "table's entry": 1024 + 130, "unused part of the table": 1024 + 40 * 128,
    "gap behind the table": 34 * 512 + 7, "kernel": kernel[0] + 70000, "rest of the kernel's partition": kernel[0] + kernel[1] - 100,
    "configuration": config[0] + 3, "rest of the configuration's partition": config[0] + 50000, "manifest": manifest[0] + 50,
    "rest of the manifest's partition": manifest[0] + manifest[1] - 9, "gap before the second table": manifest[0] + manifest[1] + 10,
    "second table": size - 600, "second header": size - 500, "last byte": size - 1,
    "boot block": in_root(0, 5), "super block": in_root(0, 1024 + 0x58), "rest of the super block's block": in_root(0, 3000),
    "group descriptor": in_root(descriptors_0, 70), "rest of the descriptors": in_root(descriptors_0, 3000),
    "block bitmap": in_root(blocks_0, 2000), "inode bitmap": in_root(inodes_0, 100), "rest of the inode bitmap": in_root(inodes_0, 3900),
    "unused bitmap": in_root(blocks_3, 5), "second unused bitmap": in_root(inodes_3, 5), "unused inode table": in_root(table_3, 300),
    "copy of the super block": in_root(super_3, 200), "rest of that block": in_root(super_3, 2000),
    "copy of the descriptors": in_root(descriptors_3, 70), "rest of that": in_root(descriptors_3, 4000),
    "root's inode": in_root(table_0, 256 + 8), "reserved inode": in_root(table_0, 5 * 256 + 40), "free inode": in_root(table_0 + 200, 30),
    "file's inode": in_root(table_0, (inode - 1) * 256 + 4), "unused part of an inode": in_root(table_0, (inode - 1) * 256 + 200),
    "directory": in_root(int(debugfs("blocks /").split()[0]), 30), "file": in_root(int(debugfs(f"blocks {small}").split()[0]), 1),
    "behind the file's end": in_root(int(debugfs(f"blocks {small}").split()[0]), 4000),
    "free block": in_root(20000, 9), "last free block": in_root(root[1] // BLOCK - 1, 9),
}
blocks, at = [], 0
while True:
    try:
        begin = os.lseek(fd, at, os.SEEK_DATA)
    except OSError:
        break
    at = os.lseek(fd, begin, os.SEEK_HOLE)
    blocks += range(begin // BLOCK * BLOCK, at, BLOCK)
random.seed(size)
for _ in range(int(count)):
    place = random.choice(blocks) + random.randrange(BLOCK)
    places[f"byte {place}"] = place
for name, place in places.items():
    byte = os.pread(fd, 1, place)
    os.pwrite(fd, bytes([byte[0] ^ 1 << random.randrange(8)]), place)
    done = subprocess.run([uni, "verify", image], capture_output=True, text=True, check=False)
    os.pwrite(fd, byte, place)
    if done.returncode != 1 or "Unknown code" in done.stderr:
        print(f"{name}, byte {place}: status {done.returncode}: {done.stdout}{done.stderr}")
print(f"{len(places)} places")

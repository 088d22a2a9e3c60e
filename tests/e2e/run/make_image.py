#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an image as docs/IMAGE.md has it, around any kernel file, without `uni pack`: for the tests of `uni run`.

usage: make_image.py OUTPUT KERNEL [KEY=VALUE...]"""
import struct
import sys
import uuid
import zlib

MIB = 1 << 20
SECTOR = 512


def main(output, kernel, records):
    with open(kernel, "rb") as file:
        elf = file.read()
    config = b"".join(r.encode() + b"\0" for r in ["version=1", *records]) + b"\0"
    kernel_room = -(-len(elf) // MIB) * MIB
    parts = [("uni-kernel", "8f2e1c04-6d55-4b1e-9a53-756e692d6b31", MIB, kernel_room),
             ("uni-config", "8f2e1c04-6d55-4b1e-9a53-756e692d6331", MIB + kernel_room, MIB),
             ("uni-root", "0fc63daf-8483-4772-8e79-3d69d8477de4", 2 * MIB + kernel_room, 4 * MIB)]
    size = 7 * MIB + kernel_room
    entries = b""
    for name, kind, offset, length in parts:
        entries += (uuid.UUID(kind).bytes_le + uuid.uuid5(uuid.NAMESPACE_OID, name).bytes_le +
                    struct.pack("<QQQ", offset // SECTOR, (offset + length) // SECTOR - 1, 0) +
                    name.encode("utf-16-le").ljust(72, b"\0"))
    entries = entries.ljust(128 * 128, b"\0")
    last = size // SECTOR - 1

    def header(crc):
        return (struct.pack("<8sIIIIQQQQ", b"EFI PART", 0x10000, 92, crc, 0, 1, last, 34, last - 33) + bytes(16) +
                struct.pack("<QIII", 2, 128, 128, zlib.crc32(entries)))

    with open(output, "wb") as image:
        image.truncate(size)
        image.seek(SECTOR)
        image.write(header(zlib.crc32(header(0))))
        image.seek(2 * SECTOR)
        image.write(entries)
        for (_, _, offset, _), data in zip(parts, (elf, config)):
            image.seek(offset)
            image.write(data)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the kernel's symbol table (format: kernel/boot/symbols.cpp) from the output of `nm -C`.

usage: nm -C KERNEL | make_symbols.py OUTPUT.S
"""
import re
import sys

MOST_NAME = 96  # bytes of a name: enough to know the function


def short(name):
    """uni::fs::(anonymous namespace)::f(int, char*) [clone .cold] -> fs::f"""
    name = re.sub(r" \[clone [^]]*\]", "", name)
    name = name.replace("(anonymous namespace)::", "").replace("uni::", "")
    name = re.sub(r"\{lambda\(.*?\)#(\d+)\}", r"lambda\1", name)
    while True:  # template arguments and parameters, innermost first
        cut = re.sub(r"<[^<>]*>", "", name) if "operator<" not in name else name
        cut = re.sub(r"\([^()]*\)( const)?", "", cut)
        if cut == name:
            break
        name = cut
    return name.split(" ")[-1].encode()[:MOST_NAME] or b"?"


def leb128(number):
    out = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def main():
    functions, start = {}, None
    for line in sys.stdin:
        address, kind, name = line.rstrip("\n").split(" ", 2)
        if name == "kernel_start":
            start = int(address, 16)
        elif kind in "tTwW" and address.strip():
            functions.setdefault(int(address, 16), short(name))
    table, before, previous = bytearray(), start, b""
    for address in sorted(functions):
        if address < start:
            continue
        name = functions[address]
        same = 0
        while same < min(len(name), len(previous), 255) and name[same] == previous[same]:
            same += 1
        table += leb128(address - before) + bytes([same, len(name) - same]) + name[same:]
        before, previous = address, name
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write('.section .rodata.symbols, "a"\n.globl kernel_symbols, kernel_symbols_end\nkernel_symbols:\n')
        for i in range(0, len(table), 32):
            out.write(".byte " + ",".join(str(b) for b in table[i:i + 32]) + "\n")
        out.write('kernel_symbols_end:\n.section .note.GNU-stack, "", @progbits\n')


main()

# SPDX-License-Identifier: Apache-2.0
"""Compares the calls of a strace file with those that `uni inspect --json` found: NAME FOUND.json TRACE."""
import filecmp
import json
import re
import sys

FACTOR = 2.5
# Made by the kernel itself, or by strace's own child before the program begins.
NOT_THE_PROGRAMS = {"execve", "restart_syscall"}
LINE = re.compile(r"(\d+)\s+(<\.\.\. )?(\w+)( resumed|\()")
PATH = re.compile(r'execve\("([^"]*)"')
MAKES = {"clone", "clone3", "fork", "vfork"}


def calls_of(path):
    """(process, call, whether the line begins it, its result where the line has one, execve's path) for each line."""
    executed = {}  # strace may tell the path and the result in two lines
    for line in open(path, errors="replace"):
        match = LINE.match(line)
        if match:
            result = re.search(r"= (-?\d+)[^=]*$", line.rstrip())
            if PATH.search(line):
                executed[match.group(1)] = PATH.search(line).group(1)
            yield match.group(1), match.group(3), match.group(2) is None, result and result.group(1), executed.get(match.group(1))


def itself(path):
    """Whether a program that is executed is the one that was read, under whichever name (git's commands)."""
    try:
        return path is not None and filecmp.cmp(path, report["program"], shallow=False)
    except OSError:
        return False


def made_by_others(lines):
    """Processes that were made by one that had gone on as another program."""
    began, others, executed, first = {}, set(), set(), True
    for process, call, begins, result, path in lines:
        if call in MAKES:
            if begins:
                began[process] = process in executed or process in others
            if result and int(result) > 0 and began.get(process):
                others.add(result)
        elif call == "execve" and result == "0":
            if not first and not itself(path):
                executed.add(process)
            first = False
    return others


name, found_path, trace_path = sys.argv[1:]
report = json.load(open(found_path))
found = {c["name"] for c in report["syscalls"]}
lines = list(calls_of(trace_path))
others = made_by_others(lines)
seen = set()
execs = 0
skipped = set()  # processes that went on as another program
for process, call, begins, result, path in lines:
    if process in skipped or process in others:
        continue
    if call == "execve":
        if result == "0":
            execs += 1
            if execs > 1:  # the first is the program's own start
                seen.add("execve")
                if not itself(path):
                    skipped.add(process)
        continue
    seen.add(call)
lacking = sorted(seen - found - NOT_THE_PROGRAMS)
factor = len(found) / max(len(seen), 1)
verdict = "FAIL" if lacking or (factor > FACTOR) else "ok"
print(f"{verdict} {name}: strace sees {len(seen)}, found {len(found)} ({factor:.2f} times), undecided {len(report['undecided'])}"
      + (f", not found: {' '.join(lacking)}" if lacking else ""))

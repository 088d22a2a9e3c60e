# SPDX-License-Identifier: Apache-2.0
"""Compares the calls of a strace file with those that `uni inspect --json` found: NAME FOUND.json TRACE."""
import json
import re
import sys

FACTOR = 2.5
# Made by the kernel itself, or by strace's own child before the program begins.
NOT_THE_PROGRAMS = {"execve", "restart_syscall"}

name, found_path, trace_path = sys.argv[1:]
report = json.load(open(found_path))
found = {c["name"] for c in report["syscalls"]}
seen = set()
execs = 0
skipped = set()  # processes that went on as another program
for line in open(trace_path, errors="replace"):
    match = re.match(r"(\d+)\s+(?:<\.\.\. )?(\w+)", line)
    if not match or match.group(1) in skipped:
        continue
    pid, call = match.groups()
    if call == "execve" and "execve(" in line or call == "execve" and "resumed" in line:
        if line.rstrip().endswith("= 0"):
            execs += 1
            if execs > 1:  # the first is the program's own start
                skipped.add(pid)
                seen.add("execve")
        continue
    if re.match(r"\d+\s+(<\.\.\. )?\w+( resumed|\()", line):
        seen.add(call)
lacking = sorted(seen - found - NOT_THE_PROGRAMS)
factor = len(found) / max(len(seen), 1)
verdict = "FAIL" if lacking or (factor > FACTOR) else "ok"
print(f"{verdict} {name}: strace sees {len(seen)}, found {len(found)} ({factor:.2f} times), undecided {len(report['undecided'])}"
      + (f", not found: {' '.join(lacking)}" if lacking else ""))

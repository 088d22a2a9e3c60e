# SPDX-License-Identifier: Apache-2.0
"""The tables: each function takes what it measures and returns Markdown."""
import argparse
import os
import pathlib
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile

import measure
from guests import PROGRAMS, RELEASE, TOP, UNI, Linux, Uni, empty_kernel
from measure import median


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(c) for c in line) + " |" for line in lines) + "\n"


def mebibytes(path):
    """Disk blocks that a file takes."""
    return path.stat().st_blocks * 512 / (1 << 20)


def hello(work, quick):
    """The time to hello's first output, what it takes apart, instructions, memory and sizes."""
    runs = 3 if quick else 11
    uni, linux = Uni(work, PROGRAMS / "bench-hello"), Linux(work, PROGRAMS / "bench-hello")
    mark = b"hello"  # the empty kernel says it too
    commands = {"empty kernel, microvm": empty_kernel("microvm"), "uni, microvm": uni.command("microvm"),
                "empty kernel, q35": empty_kernel("q35"), "uni, q35": uni.command("q35"), "Linux, q35": linux.command()}
    times = measure.in_turns(runs, {n: lambda c=c: measure.first_output(c, mark) for n, c in commands.items()})
    rows = []
    for name, command in commands.items():
        millions = None if name.startswith("empty") else measure.instructions(command)
        machine = name.split(", ")[1]
        if name.startswith("uni"):
            least = measure.smallest_memory(lambda m, k=machine: "hello, tsc" in measure.output_of(uni.command(k, memory=m), 20), 3, 64)
            sizes = [number(mebibytes(uni.image), 2), number((RELEASE / "share/uni/kernel-x86_64.elf").stat().st_size / (1 << 20), 2)]
        elif name.startswith("Linux"):
            least = measure.smallest_memory(
                lambda m: measure.first_output(linux.command(memory=m), mark, 15) is not None, 32, 128)
            sizes = ["-", number(linux.kernel.stat().st_size / (1 << 20), 2)]
        else:
            least, sizes = None, ["-", "-"]
        got = times[name]
        rows.append([name, f"{number(median(got), 1)} ({number(min(got, default=None), 1)})", number(millions, 2), number(least), *sizes])
    text = table(["", "first output, ms, median (best)", "million instructions, reset to exit", "smallest `-m`, MiB",
                  "image on disk, MiB", "kernel, MiB"], rows)
    parts = []
    for machine in ("microvm", "q35"):
        taken = [t for t in (measure.before_qemu(uni.command(machine), mark) for _ in range(runs)) if t]
        qemu = median(times[f"empty kernel, {machine}"])
        after = median([t[1] for t in taken])
        total = median(times[f"uni, {machine}"])
        parts.append([machine, number(median([t[0] for t in taken]), 1), number(qemu, 1),
                      number(after - qemu if after is not None and qemu is not None else None, 1),
                      number(total / qemu if total and qemu else None, 2)])
    return text + "\n" + table(["machine", "uni before QEMU starts, ms", "QEMU alone (empty kernel), ms",
                                "devices and guest, ms", "whole, times QEMU alone"], parts)


def micro(work, quick):
    """Every line of programs/micro.c but fork, nanoseconds per operation, with one processor and with two."""
    return lines_of(work, "bench-micro", 1 if quick else 3, 128)


def processes(work, quick):
    """Every line of programs/processes.c, nanoseconds per operation, with one processor and with two."""
    return lines_of(work, "bench-processes", 1 if quick else 3, 512)


def scaling(work, quick):
    """What a second processor gives: programs/scaling.c, microseconds for a piece of work and for an answer."""
    got = measured_lines(work, "bench-scaling", 1 if quick else 5, 128, network=True)
    rows = []
    for name in dict.fromkeys(n for n, _, _ in got):
        row = [name]
        for side in ("Linux", "uni"):
            one, two = (median(got.get((name, cpus, side))) for cpus in (1, 2))
            row += [number(one and one / 1000), number(two and two / 1000), number(one / two if one and two else None, 2)]
        rows.append(row)
    return table(["us", "Linux -c 1", "Linux -c 2", "times", "uni -c 1", "uni -c 2", "times"], rows)


def measured_lines(work, program, runs, memory, network=False):
    """{(name, processors, side): [nanoseconds...]} of the lines `NAME NS OPS` that a program prints on both sides."""
    uni, linux = Uni(work, PROGRAMS / program), Linux(work, PROGRAMS / program, network=network)
    got = {}
    for turn in range(runs):
        for cpus in (1, 2):
            for side, command in (("uni", uni.command(cpus=cpus, memory=memory)),
                                  ("Linux", linux.command(cpus=cpus, memory=max(memory, 256)))):
                text = measure.output_of(command, 240)
                for name, value in re.findall(r"^(\w+) +(\d+\.\d) \d+\s*$", text, re.M):
                    got.setdefault((name, cpus, side), []).append(float(value))
        print(f"{program}: turn {turn + 1} of {runs}", file=sys.stderr)
    return got


def lines_of(work, program, runs, memory):
    """Those lines, beside each other."""
    got = measured_lines(work, program, runs, memory)
    names = list(dict.fromkeys(n for n, _, _ in got if program != "bench-micro" or n != "fork_wait"))
    rows = []
    for name in names:
        row = [name]
        for cpus in (1, 2):
            ours, theirs = median(got.get((name, cpus, "uni"))), median(got.get((name, cpus, "Linux")))
            row += [number(theirs), number(ours), number(ours / theirs if ours and theirs else None, 2)]
        rows.append(row)
    return table(["ns per operation", "Linux -c 1", "uni -c 1", "ratio", "Linux -c 2", "uni -c 2", "ratio"], rows)


def answers(port):
    return lambda: subprocess.run(["curl", "-s", "-o", "/dev/null", "--max-time", "2", f"http://127.0.0.1:{port}/"], check=False).returncode == 0


def pongs(port):
    return lambda: "PONG" in subprocess.run(["timeout", "2", "redis-cli", "-p", str(port), "ping"], check=False, capture_output=True,
                                            text=True).stdout


def wrk(port, seconds):
    text = subprocess.run(["wrk", "-t1", "-c32", f"-d{seconds}s", f"http://127.0.0.1:{port}/"], check=False, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return float(found[1]) if found else None


def redis_benchmark(port, requests, *more):
    """{"SET": requests per second, "GET": ...}"""
    try:
        text = subprocess.run(["redis-benchmark", "-p", str(port), "-n", str(requests), "-c", "50", "-t", "set,get", "--csv", *more],
                              check=False, capture_output=True, text=True, timeout=180).stdout
    except subprocess.TimeoutExpired:
        return {}
    return {name: float(value) for name, value in re.findall(r'^"(SET|GET)","([\d.]+)"', text, re.M)}


def servers(work, quick):
    """Requests per second through QEMU's user network on both sides."""
    runs, seconds, requests = (1, 3, 20000) if quick else (3, 8, 60000)
    got = {}
    web = {"uni": Uni(work, PROGRAMS / "bench-httpd"), "Linux": Linux(work, PROGRAMS / "bench-httpd", network=True)}
    arguments = ("--save", "", "--protected-mode", "no")
    redis = {"uni": Uni(work, "/usr/bin/redis-server", arguments),
             "Linux": Linux(work, "/usr/bin/redis-server", [a or '""' for a in arguments], network=True)}
    more = {"uni": ["--net", "user"], "Linux": []}
    for _ in range(runs):
        for side, guest in web.items():
            port = measure.free_port()
            with measure.serving(guest.command(port=(port, 8080), more=more[side]), answers(port)) as up:
                if up:
                    got.setdefault(("httpd.c, `wrk -t1 -c32`", side), []).append(wrk(port, seconds))
        for side, guest in redis.items():
            port = measure.free_port()
            with measure.serving(guest.command(memory=256, port=(port, 6379), more=more[side]), pongs(port)) as up:
                if not up:
                    continue
                for label, extra, count in (("", (), requests), (", `-P 16`", ("-P", "16"), requests * 4)):
                    for name, value in redis_benchmark(port, count, *extra).items():
                        got.setdefault((f"redis-benchmark {name.lower()}{label}", side), []).append(value)
    rows = []
    for name in dict.fromkeys(n for n, _ in got):
        ours, theirs = median(got.get((name, "uni"))), median(got.get((name, "Linux")))
        rows.append([name, number(theirs), number(ours), number(ours / theirs if ours and theirs else None, 2)])
    return table(["requests per second", "Linux", "uni", "times"], rows)


POSTGRESQL = pathlib.Path("/usr/lib/postgresql/15")
# initdb, the server, and pgbench with 8 clients in the same machine; the data is in memory on both sides.
PGBENCH = f"""#!/bin/sh
export LC_ALL=C PATH={POSTGRESQL}/bin:/usr/bin:/bin PGHOST=/dev/shm PGUSER=postgres PGDATABASE=postgres
initdb -D /dev/shm/pg -U postgres --auth=trust --no-locale -N > /dev/null 2>&1
postgres -D /dev/shm/pg -k /dev/shm -h '' -F 2> /dev/null &
until pgbench -q -i -s 5 > /dev/null 2>&1; do kill -0 $! || exit 1; sleep 0.2; done
echo "pgbench -S: $(pgbench -n -S -c 8 -T $1 | grep ^tps)"
echo "pgbench: $(pgbench -n -c 8 -T $1 | grep ^tps)"
kill -INT $!
wait
"""


def pgbench(work, quick):
    """PostgreSQL 15's transactions per second, 8 clients in the same machine, with one processor and with two."""
    script, accounts = work / "pgbench.sh", work / "passwd"
    script.write_text(PGBENCH)
    script.chmod(0o755)
    accounts.write_text("root:x:0:0:root:/root:/bin/sh\npostgres:x:1000:1000:PostgreSQL:/tmp:/bin/sh\n")
    options = ["--processes", "exec", "-u", "1000:1000", "-a", f"{accounts}:/etc/passwd"]
    for name in ("initdb", "postgres", "pgbench"):
        options += ["--add-program", POSTGRESQL / "bin" / name]
    for name in ("sleep", "grep"):
        options += ["--add-program", f"/usr/bin/{name}"]
    for tree in ("/usr/share/postgresql/15", POSTGRESQL / "lib"):
        options += ["-a", f"{tree}:{tree}"]
    seconds = "5" if quick else "15"
    uni = Uni(work, script, (seconds,), options)
    linux = Linux(work, script, (seconds,), image=uni, user=1000)
    got = {}
    for turn in range(1 if quick else 3):
        for cpus in (1, 2):
            for side, guest in (("uni", uni), ("Linux", linux)):
                text = measure.output_of(guest.command(cpus=cpus, memory=1024), 300)
                for name, value in re.findall(r"^(pgbench[ -S]*): tps = ([\d.]+)", text, re.M):
                    got.setdefault((name, cpus, side), []).append(float(value))
        print(f"pgbench: turn {turn + 1}", file=sys.stderr)
    rows = []
    for name in dict.fromkeys(n for n, _, _ in got):
        row = [f"`{name} -c 8`"]
        for cpus in (1, 2):
            ours, theirs = median(got.get((name, cpus, "uni"))), median(got.get((name, cpus, "Linux")))
            row += [number(theirs), number(ours), number(ours / theirs if ours and theirs else None, 2)]
        rows.append(row)
    return table(["transactions per second", "Linux -c 1", "uni -c 1", "times", "Linux -c 2", "uni -c 2", "times"], rows)


def packing_input(work, megabytes):
    """A tree of that size in files of 10 KB to 5 MB whose bytes do not repeat, always the same one."""
    random.seed(1)
    tree, total, count = work / "tree", 0, 0
    while total < megabytes * 1000 * 1000:
        size = random.randint(1_000_000, 5_000_000) if count % 50 == 0 else int(10_000 * 100 ** random.random())
        folder = tree / f"d{count % 40}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{count}").write_bytes(random.randbytes(size))
        total, count = total + size, count + 1
    return tree, count


def packing(work, quick):
    """`uni pack PROGRAM -a TREE:/srv` beside `cp -r TREE`, 500 MB in the page cache, to files that are not there yet. `analysis` is
    the same `uni pack` without the tree. The ratio is the median of each turn's own: (pack - analysis) / cp."""
    tree, count = packing_input(work, 100 if quick else 500)
    program = [UNI, "pack", PROGRAMS / "bench-hello"]
    commands = {"cp -r": ["cp", "-r", tree, work / "out"], "uni pack": [*program, "-a", f"{tree}:/srv", "-o", work / "out.img"],
                "analysis": [*program, "-o", work / "out.img"]}

    def one(command):
        shutil.rmtree(work / "out", ignore_errors=True)
        for name in ("out.img", "out.yaml"):
            (work / name).unlink(missing_ok=True)
        os.sync()
        return measure.times_of(command)

    got = measure.in_turns(3 if quick else 11, {name: lambda c=command: one(c) for name, command in commands.items()})
    rows = [[name, *(f"{number(median(values), 2)} ({number(min(values), 2)})" for values in zip(*got[name]))] for name in commands]
    ratios = [median([(p[i] - a[i]) / c[i] for c, p, a in zip(*got.values())]) for i in (0, 1)]
    rows.append(["ratio", *(number(r, 2) for r in ratios), ""])
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{count} files, {len(os.sched_getaffinity(0))} processors, load averages at the end: {busy}.\n\n" + table(
        ["seconds, median (best)", "wall clock", "processors", "of them in the kernel"], rows)


TABLES = {"hello": hello, "micro": micro, "processes": processes, "scaling": scaling, "servers": servers, "pgbench": pgbench, "packing": packing}


def main(arguments, usage):
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=usage, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="TABLE", choices=[*TABLES, []])
    parser.add_argument("--quick", action="store_true", help="fewer runs, for a first look")
    options = parser.parse_args(arguments)
    if not UNI.exists() or not (PROGRAMS / "bench-hello").exists():
        print("bench: error: the release build or its test programs are missing\n"
              "hint: cmake --preset release && cmake --build --preset release --target all test_programs", file=sys.stderr)
        return 4
    commit = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    qemu = subprocess.run([shutil.which("qemu-system-x86_64"), "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    print(f"Commit {commit}, {qemu}, TCG, host Linux {platform.release()}.\n")
    for name in options.tables or TABLES:
        with tempfile.TemporaryDirectory(prefix="uni-bench.") as work:
            print(f"## {name}\n{TABLES[name].__doc__}\n", flush=True)
            print(TABLES[name](pathlib.Path(work), options.quick), flush=True)
    return 0

# SPDX-License-Identifier: Apache-2.0
"""Reads the command line and the list, runs every line on both machines, reports."""
import argparse
import json
import os
import pathlib
import shlex
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import machines
import process
import setups
import syscalls
import verdict
from model import TOP, UNI, Failed, known_failures


def _options(arguments, usage):
    parser = argparse.ArgumentParser(prog="tests/conformance/run", usage=argparse.SUPPRESS, description=usage,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--bin", type=pathlib.Path, required=True, metavar="DIR", help="the folder of programs, or one program")
    parser.add_argument("--list", type=pathlib.Path, metavar="FILE", help="the programs' names; # begins a comment")
    parser.add_argument("--args", default="", help="arguments for each; {name} is the line of the list")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="programs at a time (2)")
    parser.add_argument("--limit", type=float, default=60, metavar="SECONDS", help="for each program on each machine (60)")
    parser.add_argument("--setup", choices=setups.names(), default="plain")
    parser.add_argument("--env", action="append", default=[], metavar="K=V")
    parser.add_argument("--add", action="append", default=[], metavar="HOST:GUEST", help="a file or folder for the image")
    parser.add_argument("-m", "--memory", help="the guest's memory")
    parser.add_argument("-c", "--cpus", help="its processors")
    parser.add_argument("--processes", choices=("none", "fork", "exec"), help="the image's permission")
    parser.add_argument("--linux", type=pathlib.Path, metavar="FILE", help="keep Linux's results in FILE, and take them from there")
    parser.add_argument("--logs", type=pathlib.Path, metavar="DIR", help="write the guest's output of what differs")
    parser.add_argument("--uni", type=pathlib.Path, default=UNI, help="the command to test")
    return parser.parse_args(arguments)


def _setup(options, base):
    setup = setups.make(options.setup, base)
    setup.environment |= dict(pair.split("=", 1) for pair in options.env)
    setup.files += [tuple(pair.rsplit(":", 1)) for pair in options.add]
    setup.memory = options.memory or setup.memory
    setup.cpus = options.cpus or setup.cpus
    setup.processes = setup.processes if options.processes is None else options.processes.replace("none", "")
    return setup


def _lines(options):
    if options.list:
        lines = [line.partition("#")[0].strip() for line in options.list.read_text(encoding="utf-8").splitlines()]
    elif options.bin.is_dir():
        lines = sorted(str(p.relative_to(options.bin)) for p in options.bin.rglob("*") if p.is_file() and os.access(p, os.X_OK))
    else:
        lines = options.names
    return [line for line in lines if line and (not options.names or any(n in line for n in options.names))]


def _jobs(options):
    for line in _lines(options):
        words = shlex.split(options.args.format(name=line))
        program = options.bin / line if options.bin.is_dir() else options.bin
        yield machines.Job(line, program.resolve(), words)


class Comparison:
    def __init__(self, options, base):
        self.options, self.base = options, base
        self.setup = _setup(options, base)
        self.remembered = {}
        if options.linux and options.linux.exists():
            self.remembered = json.loads(options.linux.read_text(encoding="utf-8"))
        once = None if options.bin.is_dir() else options.bin.resolve()
        self.shared = machines.Guest(base, self.setup, options.limit, options.uni, once)

    def _machines(self, job):
        """The setup of one program: ours tell in a comment what they need."""
        source = TOP / "tests" / "syscall" / f"{job.name}.c"
        if self.options.setup != "uni" or not source.exists():
            return self.setup, self.shared
        want, setup = syscalls.options(source), _setup(self.options, self.base)
        setup.environment |= dict(e.split("=", 1) for e in want["env"])
        setup.passes, setup.output = frozenset({want["status"]}), not want["guest"]
        setup.memory, setup.cpus = self.options.memory or want["memory"], self.options.cpus or want["cpus"]
        setup.processes = want["processes"] or setup.processes
        job.arguments += want["args"]
        return setup, machines.Guest(self.base, setup, self.options.limit, self.options.uni)

    def run(self, job):
        row = verdict.Row(job.name, "-", "-")
        try:
            setup, guest = self._machines(job)
            linux = None
            row.linux = self.remembered.get(job.name, "")
            if not row.linux or setup.output:
                linux = machines.Linux(self.base, setup, self.options.limit).run(job)
                row.linux = self.remembered[job.name] = verdict.word(linux, setup)
            if row.linux != "pass":
                return row
            there = guest.run(job)
            row.guest, row.reason = verdict.word(there, setup), verdict.telling_line(there)
            row.output = there.stdout + there.stderr
            if row.guest == "pass" and setup.output and there.stdout != linux.stdout:
                row.guest, row.reason = "output", "the output differs from Linux's"
        except Failed as why:
            row.guest, row.reason = "-", str(why)
            row.output = (why.details or "").encode()
        return row


def _remember(path, results):
    if path:
        path.write_text(json.dumps(results, indent=0, sort_keys=True), encoding="utf-8")


def _log(directory, row):
    if directory and row.differs:
        path = directory / (row.name.replace("/", "_") + ".log")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row.output)


def main(arguments, usage):
    options = _options(arguments, usage)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGUSR1, lambda *_: None)  # LTP's test in one process tells its parent that it is alive
    rows = []
    known = known_failures(setups.suite(options.setup))
    with tempfile.TemporaryDirectory(prefix="uni-conformance.") as base:
        base = pathlib.Path(base)
        base.chmod(0o755)  # the suites' programs become other users
        try:
            comparison = Comparison(options, base)
        except Failed as why:
            print(f"{why}\n{why.details}", file=sys.stderr)
            return 1
        pool = ThreadPoolExecutor(options.jobs)
        try:
            for row in pool.map(comparison.run, _jobs(options)):
                row.known = known.get(row.name, "")
                rows.append(row)
                _log(options.logs, row)
                print(f"{'KNOWN' if row.differs and row.known else 'DIFF' if row.differs else 'ok  ' if row.linux == 'pass' else 'skip'}  {row.name}  {row.linux} / {row.guest}",
                      flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            process.kill_all_running()
            raise
        finally:
            _remember(options.linux, comparison.remembered)
        pool.shutdown()
    verdict.table(rows)
    return verdict.summary(rows)

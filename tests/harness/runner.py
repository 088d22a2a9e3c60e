# SPDX-License-Identifier: Apache-2.0
"""Builds, collects the tests, runs them on the cores there are, and reports."""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed

import kinds
import process
from model import TOP, Context, Failed, Test, known_failures

MOST_GUESTS = 3  # virtual machines at a time, however many cores there are


def build_steps(names):
    """(name, commands) of each build that the tests picked by `names` need."""
    jobs = str(os.cpu_count() or 1)

    def steps(preset, *targets):
        return [["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, "-j", jobs, *targets]]
    only_asan = names and all(n.startswith(("asan", "fuzz")) for n in names)
    only_release = names and not any(n.startswith(("asan", "fuzz")) for n in names)
    wants_units = not names or any(n.startswith("unit") for n in names)
    if not only_asan:
        yield "build.release", steps("release") + [
            ["cmake", "--build", "--preset", "release", "-j", jobs, "--target", "test_programs", *(["unit_programs"] if wants_units else [])]]
    if not only_release:
        yield "build.asan", steps("asan", "--target", "sanitized_tests")


class Report:
    """Prints results as they come and counts them."""

    def __init__(self, known):
        self.known = known
        self.passed, self.failed, self.expected = 0, [], 0
        self.lock = threading.Lock()

    def add(self, name, seconds, failure):
        with self.lock:
            if name in self.known:
                if failure is None:
                    failure = Failed("passes, but is listed in tests/known-failures: take its line out")
                else:
                    self.expected += 1
                    print(f"KNOWN {name} {seconds:.1f}s: {self.known[name]}", flush=True)
                    return
            if failure is None:
                self.passed += 1
                print(f"PASS  {name} {seconds:.1f}s", flush=True)
                return
            self.failed.append(name)
            print(f"FAIL  {name} {seconds:.1f}s: {failure.reason}", flush=True)
            for line in failure.details.splitlines():
                print(f"      | {line}")
            sys.stdout.flush()


def build(report, names):
    """True when all that is needed was built."""
    good = True
    for name, commands in build_steps(names):
        start, failure = time.monotonic(), None
        for command in commands:
            done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            if done.returncode:
                text = done.stdout.decode("utf-8", "replace").splitlines()
                errors = [line for line in text if "error" in line.lower()][:20]
                failure = Failed(f"`{' '.join(command)}` failed with status {done.returncode}",
                                 "\n".join(errors or text[-30:]))
                break
        report.add(name, time.monotonic() - start, failure)
        good = good and failure is None
    return good


def run_one(test: Test, base: pathlib.Path, report: Report, guests: threading.Semaphore):
    tmp = base / test.name.replace("/", "_")
    tmp.mkdir()
    context = Context(test.name, tmp, test.limit)
    if test.guest:
        guests.acquire()  # pylint: disable=consider-using-with
    start, failure = time.monotonic(), None
    try:
        test.function(context)
    except Failed as why:
        failure = why
    except Exception:  # a fault of the harness is a failure of the test, told in full
        failure = Failed("the harness failed", traceback.format_exc())
    finally:
        left = process.end_strays(context.environment()["UNI_TEST_ID"])
        if test.guest:
            guests.release()
        shutil.rmtree(tmp, ignore_errors=True)
    if left and failure is None:
        failure = Failed("left processes behind: " + ", ".join(left))
    report.add(test.name, time.monotonic() - start, failure)


def main(arguments, usage):
    parser = argparse.ArgumentParser(prog="tests/run", description=usage, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--no-build", action="store_true", help="use what is built")
    parser.add_argument("--list", action="store_true", help="print the tests' names only")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)

    report = Report(known_failures())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not options.no_build and not options.list and not build(report, options.names):
        return finish(report)
    tests = [t for t in kinds.collect() if not options.names or any(n in t.name for n in options.names)]
    if options.list:
        print("\n".join(t.name for t in tests))
        return 0
    print(f"running {len(tests)} tests, {options.jobs} at a time", flush=True)
    guests = threading.Semaphore(min(options.jobs, MOST_GUESTS))
    with tempfile.TemporaryDirectory(prefix="uni-tests.") as base:
        pool = ThreadPoolExecutor(options.jobs)
        try:
            for done in as_completed([pool.submit(run_one, t, pathlib.Path(base), report, guests) for t in tests]):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            process.kill_all_running()
            raise
        pool.shutdown()
    for name in report.known if not options.names else []:
        if name not in {t.name for t in tests}:
            report.add(name, 0, None)
    return finish(report)


def finish(report):
    if report.expected:
        print(f"known failures: {report.expected} (tests/known-failures)")
    if report.failed:
        print("failed: " + " ".join(report.failed))
    print(f"{report.passed} passed, {len(report.failed)} failed", flush=True)
    return 1 if report.failed or not report.passed else 0

# SPDX-License-Identifier: Apache-2.0
"""Catch2 programs, plain and under the sanitizers, and the fuzzers."""
import xml.etree.ElementTree as xml

from model import ASAN, RELEASE, Failed, Test, tail


def _run_catch2(program):
    def run(context):
        done = context.run([program, "--reporter", "junit", "--order", "decl"], cwd=context.tmp)
        try:
            cases = list(xml.fromstring(done.stdout).iter("testcase"))
        except xml.ParseError:
            raise Failed(f"ended in the middle with status {done.status}", tail(done.stdout + done.stderr)) from None
        bad = [(c.get("name"), (n.text or "").strip()) for c in cases for n in c if n.tag in ("failure", "error")]
        if bad:
            raise Failed(f"{len({n for n, _ in bad})} of {len({c.get('name') for c in cases})} cases failed",
                         "\n".join(f"{name}: {text}" for name, text in bad))
        if done.status:
            raise Failed(f"all cases passed, but the status is {done.status}", tail(done.stderr))
        if not cases:
            raise Failed("no case ran")
    return run


def _catch2_tests(prefix, build):
    return [Test(f"{prefix}.{p.name.removesuffix('_tests')}", _run_catch2(p), 600)
            for p in sorted((build / "bin").glob("*_tests"))]


def unit():
    return _catch2_tests("unit", RELEASE)


def sanitized():
    return _catch2_tests("asan", ASAN)


def fuzzers():
    """tests/fuzz: each reads the corpus beside it, then runs on mutated inputs from a fixed seed."""
    def make(program):
        def run(context):
            done = context.run([program, "-seconds=15", "-seed=1"], cwd=context.tmp)
            if done.status:
                raise Failed(f"status {done.status}", tail(done.stderr))
        return Test(f"fuzz.{program.name.removeprefix('fuzz_')}", run, 120)
    return [make(p) for p in sorted((ASAN / "bin").glob("fuzz_*"))]

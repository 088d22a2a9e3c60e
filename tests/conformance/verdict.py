# SPDX-License-Identifier: Apache-2.0
"""What an outcome means, and how the two machines' are put side by side."""
import dataclasses
import signal

PANIC = b"uni-kernel: panic"


def word(outcome, setup):
    """One word for an outcome: pass, skip, timeout, panic, SIGNAME, or the status."""
    if PANIC in outcome.stderr:
        return "panic"
    if outcome.timed_out:
        return "timeout"
    if outcome.status in setup.passes:
        return "pass"
    if outcome.status in setup.skips:
        return "skip"
    if outcome.status > 128:
        try:
            return signal.Signals(outcome.status - 128).name
        except ValueError:
            pass
    return f"status {outcome.status}"


@dataclasses.dataclass
class Row:
    name: str
    linux: str
    guest: str
    reason: str = ""  # the line of output that tells most
    output: bytes = b""
    known: str = ""  # why it is known to fail (tests/known-failures)

    @property
    def differs(self):
        return self.linux == "pass" and self.guest != "pass"


def telling_line(outcome):
    """The last line that speaks of a failure, else the last line at all."""
    lines = [line.strip() for line in (outcome.stdout + b"\n" + outcome.stderr).decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("hint:")]
    for mark in ("panic:", "TBROK", "TFAIL", "TCONF", "FAIL", "failed", "rror"):
        for line in lines:
            if mark in line and "Summary" not in line:
                return line[:150]
    return lines[-1][:150] if lines else ""


def table(rows):
    differing = [r for r in rows if r.differs]
    if not differing:
        return
    width = max(len(r.name) for r in differing)
    print(f"{'program':{width}}  {'Linux':9}  {'guest':9}  says")
    for row in differing:
        print(f"{row.name:{width}}  {row.linux:9}  {row.guest:9}  {row.known or row.reason}")


def summary(rows):
    """The closing lines. Only what passes on Linux counts; a panic always does."""
    linux = [r for r in rows if r.linux == "pass"]
    failed = [r for r in rows if (r.differs and not r.known) or r.guest == "panic"]
    passed = len(linux) - sum(r.differs for r in rows)
    share = f"{100 * passed / len(linux):.1f} %" if linux else "-"
    other = f", {len(rows) - len(linux)} do not pass on Linux and are left out" if len(rows) > len(linux) else ""
    print(f"passes on Linux {len(linux)}, in the guest {passed} ({share}){other}")
    if known := [r for r in rows if r.known and r.differs]:
        print(f"known failures: {len(known)} (tests/known-failures)")
    if mended := [r.name for r in rows if r.known and r.guest == "pass"]:
        print("known to fail, but passing: " + " ".join(mended))
    for kind in ("panic", "timeout"):
        if names := [r.name for r in rows if r.guest == kind]:
            print(f"{kind} in the guest: " + " ".join(names))
    print(f"{passed} passed, {len(failed)} failed", flush=True)
    return 1 if failed or not linux else 0

# SPDX-License-Identifier: Apache-2.0
"""Tests that are shell scripts: tests/e2e/*.sh and tests/apps/*.sh. Status 0 is a pass; the last line on stderr is the
reason of a failure. A line `# limit: SECONDS` gives it more time than usual. Each runs in its own empty directory, with $UNI (the command), $UNI_TOP (the source tree) and
$UNI_PROGRAMS (programs built for tests)."""
import re

from model import TOP, Failed, Test, tail


def _script(kind, path, limit):
    own = re.search(r"^# limit: (\d+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    limit = int(own.group(1)) if own else limit

    def run(context):
        done = context.run(["bash", path])
        if done.status:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise Failed(f"status {done.status}" + (f": {lines[-1]}" if lines else ""),
                         tail(done.stdout, 20) + "\n" + tail(done.stderr, 20))
    return Test(f"{kind}.{path.stem}", run, limit, guest=True)


def end_to_end():
    return [_script("e2e", p, 240) for p in sorted((TOP / "tests" / "e2e").glob("*.sh"))]


def apps():
    return [_script("apps", p, 300) for p in sorted((TOP / "tests" / "apps").glob("*.sh"))]

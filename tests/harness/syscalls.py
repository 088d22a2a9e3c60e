# SPDX-License-Identifier: Apache-2.0
"""tests/syscall/*.c: each program runs on this machine's Linux first, then in the guest; stdout and status must agree.

A line `// run: WORD...` near the top changes that:
  guest       Linux's output is not compared (the guest must still end with status 0)
  cpus=N      processors of the guest (1)
  memory=M    its memory (64M)
  processes=P the fork permission that the image is packed with
  arg=A       an argument; env=K=V an environment variable; status=N the status expected, on both
"""
import difflib

from model import RELEASE, TOP, UNI, Failed, Test, tail

LIMIT = 60


def options(source):
    """What the `// run:` line of a program asks for."""
    found = {"args": [], "env": [], "status": 0, "guest": False, "cpus": "1", "memory": "64M", "processes": None}
    for line in source.read_text(encoding="utf-8").splitlines()[:12]:
        if not line.startswith("// run:"):
            continue
        for word in line.removeprefix("// run:").split():
            key, _, value = word.partition("=")
            if key == "guest":
                found["guest"] = True
            elif key == "status":
                found["status"] = int(value)
            elif key in ("arg", "env"):
                found[key + "s" if key == "arg" else key].append(value)
            elif key in found:
                found[key] = value
            else:
                raise Failed(f"{source.name}: unknown word `{word}` in its run line")
    return found


def _difference(linux, guest):
    lines = difflib.unified_diff(linux.decode("utf-8", "replace").splitlines(), guest.decode("utf-8", "replace").splitlines(),
                                 "linux", "guest", lineterm="", n=1)
    return "\n".join(list(lines)[:60])


def _program(source):
    binary = RELEASE / "tests" / "syscall" / source.stem

    def run(context):
        want = options(source)
        linux = None
        if not want["guest"]:
            env = {"PATH": "/usr/bin:/bin", "HOME": "/", "TMPDIR": str(context.tmp)} | dict(e.split("=", 1) for e in want["env"])
            linux = context.run([binary, *want["args"]], limit=30, env=env | {"UNI_TEST_ID": context.environment()["UNI_TEST_ID"]})
            if linux.status != want["status"]:
                raise Failed(f"on Linux the status is {linux.status}, expected {want['status']}",
                             tail(linux.stdout + linux.stderr))
        image = context.tmp / f"{source.stem}.img"
        pack = [UNI, "pack", binary, "-o", image]
        for pair in want["env"]:
            pack += ["-e", pair]
        if want["processes"]:
            pack += ["--processes", want["processes"]]
        packed = context.run([*pack, "--", *want["args"]])
        if packed.status:
            raise Failed(f"`uni pack` ended with status {packed.status}", tail(packed.stderr))
        guest = context.run([UNI, "run", "-m", want["memory"], "-c", want["cpus"], image])
        if linux and guest.stdout != linux.stdout:
            raise Failed("the output differs from Linux's" + (f" (and the status is {guest.status})" if guest.status != want["status"] else ""),
                         _difference(linux.stdout, guest.stdout) + "\n" + tail(guest.stderr, 12))
        if guest.status != want["status"]:
            raise Failed(f"the status is {guest.status}, expected {want['status']}", tail(guest.stdout + guest.stderr, 40))
    return Test(f"syscall.{source.stem}", run, LIMIT, guest=True)


def programs():
    return [_program(p) for p in sorted((TOP / "tests" / "syscall").glob("*.c"))]

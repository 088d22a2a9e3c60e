# SPDX-License-Identifier: Apache-2.0
"""Checks of the sources themselves: layout, style, include arrows, headers that stand alone."""
import json
import re
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from model import RELEASE, TOP, Failed, Test, tail

MOST_LINES = 600
CODE = (".cpp", ".hpp", ".c", ".h", ".def", ".S")

# Who may include what (docs/DESIGN.md, section 2). A folder may always include from itself.
ARROWS = {
    "kernel/base": [],
    "syscall-shim/abi": [],
    "kernel": ["kernel"],
    "loader/elf": ["kernel/base"],
    "loader/exec": ["loader/elf", "kernel"],
    "syscall-shim": ["kernel", "syscall-shim", "loader/exec", "loader/elf"],
    "loader/analyze": ["kernel/base", "syscall-shim/abi", "loader/elf"],
    "cli": ["cli", "loader/analyze", "kernel/base", "syscall-shim/abi", "manifests"],
    "manifests": ["loader/analyze", "kernel/base", "syscall-shim/abi"],
    "tests": [""],
}
KNOWS_EVERYONE = ("kernel/boot/main.cpp",)
ROOTS = ("kernel/", "syscall-shim/", "loader/", "cli/", "manifests/")

# What must not stand in the sources: a pattern, where it applies, why.
FORBIDDEN = [
    (re.compile(r"(?<![\w.])/(work|root|home)/\w"), ("",), "a path of one machine"),
    (re.compile(r"(?<![\w:.>])(system|popen)\s*\("), ("cli/", "loader/"), "runs a shell"),
    (re.compile(r"\b(throw|try|catch|dynamic_cast|typeid)\b\s*[({\w\"]"), ("kernel/", "syscall-shim/", "loader/elf/", "loader/exec/"),
     "exceptions and RTTI do not exist in the guest"),
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), ("",), "unfinished work belongs in an issue"),
]


def sources(context):
    done = context.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    names = [n for n in done.stdout.decode().split("\0") if n and (TOP / n).is_file()]
    if not names:
        raise Failed("git lists no files")
    return names


def _text(name):
    return (TOP / name).read_text(encoding="utf-8", errors="replace")


def _complain(problems, what):
    if problems:
        raise Failed(f"{len(problems)} {what}", "\n".join(sorted(problems)[:40]))


def check_format(context):
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    files = [n for n in sources(context) if n.endswith((".cpp", ".hpp", ".c", ".h"))]
    done = context.run([tool, "--dry-run", "-Werror", "--style=file", *files], cwd=TOP)
    if done.status:
        names = sorted(set(re.findall(r"^([^\s:]+):\d+:\d+: error", done.stderr.decode("utf-8", "replace"), re.M)))
        raise Failed(f"{len(names)} files are not formatted: run `clang-format -i`", "\n".join(names))


def check_first_lines(context):
    bad = []
    for name in sources(context):
        scripted = (TOP / name).suffix in ("", ".sh", ".py") and _text(name).startswith("#!")
        if name.endswith(CODE) or name.endswith(".py") or scripted:
            if "SPDX-License-Identifier: Apache-2.0" not in "".join(_text(name).splitlines(keepends=True)[:2]):
                bad.append(name)
    _complain(bad, "files without the SPDX line")


def check_sizes(context):
    counts = {n: _text(n).count("\n") for n in sources(context) if n.endswith((".cpp", ".hpp", ".c", ".h", ".py", ".sh"))}
    _complain([f"{n}: {c} lines" for n, c in counts.items() if c > MOST_LINES], f"files of more than {MOST_LINES} lines")


def check_words(context):
    bad = []
    for name in sources(context):
        if name.startswith("tests/harness/lint.py") or name.endswith((".img", ".bin")):
            continue
        for number, line in enumerate(_text(name).splitlines(), 1):
            code = line.split("//")[0] if name.endswith(CODE) else line
            for pattern, where, why in FORBIDDEN:
                subject = line if why.startswith(("a path", "unfinished")) else code
                if name.startswith(where) and (name.endswith(CODE) or why.startswith(("a path", "unfinished"))) and \
                        pattern.search(subject) and "lint: " not in line:
                    bad.append(f"{name}:{number}: {why}: {line.strip()[:80]}")
    _complain(bad, "forbidden things")


def _area(name):
    return max((a for a in ARROWS if name.startswith(a + "/")), key=len, default=None)


def check_arrows(context):
    bad = []
    for name in sources(context):
        area = _area(name)
        if not name.endswith(CODE) or area is None or name in KNOWS_EVERYONE:
            continue
        allowed = [area, *ARROWS[area]]
        for number, line in enumerate(_text(name).splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
            if not found or not found[1].startswith(ROOTS):
                continue
            if not any(found[1].startswith(a + "/" if a else "") for a in allowed):
                bad.append(f"{name}:{number}: {area} may not include {found[1]}")
    _complain(bad, "includes against the arrows")


def _compile_flags():
    """The flags of one C++ file of each half of the project, from the compilation databases: {"host": [...], "guest": [...]}."""
    flags = {}
    for half, database in (("host", RELEASE / "compile_commands.json"), ("guest", RELEASE / "guest" / "compile_commands.json")):
        if not database.exists():
            continue
        for entry in json.loads(database.read_text()):
            words = shlex.split(entry["command"])
            if not entry["file"].endswith(".cpp") or "/.deps/" in entry["file"]:
                continue
            if half == "host" and "/cli/" not in entry["file"]:
                continue
            words = words[1:] if words[0].endswith("ccache") else words
            drop, kept = False, []
            for word in words:
                if drop or word in ("-o", "-MF", "-MT", "-MQ", "-c", "-MD", "-MMD", entry["file"]):
                    drop = word in ("-o", "-MF", "-MT", "-MQ")
                    continue
                kept.append(word)
            flags[half] = kept
            break
    return flags


def check_headers(context):
    """Every header compiles alone, in each half of the project that uses it."""
    flags = _compile_flags()
    work = []
    for name in sources(context):
        if not name.endswith(".hpp"):
            continue
        area = _area(name) or ""
        if area in ("kernel/base", "syscall-shim/abi", "loader/elf"):
            halves = ["guest"]
        elif area in ("cli", "loader/analyze", "manifests", "tests"):
            halves = ["host"]
        else:
            halves = ["guest"]
        work += [(name, flags[h]) for h in halves if h in flags]

    def compile_alone(item):
        name, words = item
        done = context.run([*words, "-fsyntax-only", "-Wno-unused-function", "-include", TOP / name, "-x", "c++",
                            "/dev/null"], cwd=TOP)
        return f"{name}: {tail(done.stderr, 4)}" if done.status else None

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        bad = [b for b in pool.map(compile_alone, work) if b]
    _complain(bad, "headers that do not compile alone")


def check_shell(context):
    scripts = [n for n in sources(context) if n.endswith(".sh") or (TOP / n).suffix == "" and
               re.match(r"#!.*\b(ba|da)?sh\b", _text(n).split("\n", 1)[0])]
    done = context.run(["shellcheck", "-x", "--source-path=SCRIPTDIR", "-e", "SC1091", *scripts], cwd=TOP)
    if done.status:
        raise Failed("shellcheck complains", tail(done.stdout, 40))


def check_syscall_table(context):
    """syscalls.def has each number once, in order, from 0 to 334 and from 424 up."""
    del context
    numbers = [int(n) for n in re.findall(r"^SYS\((\d+),", _text("syscall-shim/abi/syscalls.def"), re.M)]
    wanted = [*range(335), *range(424, max(numbers, default=424) + 1)]
    if numbers != wanted:
        raise Failed("the table's numbers are not 0-334 and 424 up, each once and in order",
                     f"missing {sorted(set(wanted) - set(numbers))} more {sorted(set(numbers) - set(wanted))}")


FLAG = re.compile(r'^(?:FLAG\((\w+), (\w+), \w+, (\w+), "(.*)"\)|FLAG.*)$', re.M)
OPTION = re.compile(r'^SOCKOPT\(\w+, (\w+), \d+, \w+, \w+, (\w+), "(.*)"\)$', re.M)
# What a list of variants names beside flags: levels of socket options, values, and short forms.
NO_FLAG = re.compile(r"SOL_\w+|SET|CLOCK_$|0x\w+")


def _flag_rows():
    """The rows of flags.def and its parts, and those of sockopts.def: (call, name, level, note)."""
    rows = []
    for name in sorted((TOP / "syscall-shim" / "abi").glob("flags*.def")):
        for found in FLAG.finditer(name.read_text(encoding="utf-8")):
            if not found[1]:
                raise Failed(f"{name.name}: not FLAG(call, NAME, value, level, note)", found[0])
            rows.append((found[1], found[2], found[3], found[4]))
    for found in OPTION.finditer(_text("syscall-shim/abi/sockopts.def")):
        rows += [(call, found[1], found[2], found[3]) for call in ("setsockopt", "getsockopt")]
    return rows


def check_flag_tables(context):
    """Each flag has one row, which says why where it is not full; what real programs use has a row."""
    del context
    rows = _flag_rows()
    have = {(call, name) for call, name, _, _ in rows}
    calls = {call for call, _, _, _ in rows}
    bad = [f"{call} {name}: no note" for call, name, level, note in rows if level != "Full" and not note]
    bad += [f"{call} {name}: level {level}" for call, name, level, _ in rows
            if level not in ("Full", "Partial", "Ignored", "Refused", "Kept")]
    if len(have) != len(rows):
        pairs = [row[:2] for row in rows]
        bad += sorted({f"{call} {name}: two rows" for call, name in pairs if pairs.count((call, name)) > 1})
    for line in _text("tests/syscall/variants_used.csv").splitlines()[1:]:
        call, variant = line.split(",", 1)
        for word in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\b(?:FIO|TIOC|TC|SIOC)[A-Z]+\b", variant):
            plain = word.removesuffix("_PRIVATE") if call == "futex" else word
            if call in calls and not NO_FLAG.fullmatch(word) and (call, plain) not in have:
                bad.append(f"{call} {word}: programs use it, and there is no row")
    bad += [f"{call}: {level} without a note" for call, level, note in re.findall(
        r'^SYS\(\d+, (\w+), \d+, \w+, (\w+), "(.*)"\)$', _text("syscall-shim/abi/syscalls.def"), re.M)
        if level != "Full" and not note]
    _complain(sorted(set(bad)), "faults in the tables of flags")


def check_syscalls_page(context):
    """docs/SYSCALLS.md is what `uni syscalls` says."""
    if not (RELEASE / "bin" / "uni").exists():
        return
    done = context.run([TOP / "tests" / "syscalls-page", "--check"], cwd=TOP)
    if done.status:
        raise Failed(tail(done.stdout + done.stderr, 1))


def check_compatibility(context):
    """The table of docs/COMPATIBILITY.md says what the heads of tests/apps say."""
    done = context.run([TOP / "tests" / "compatibility", "--check"], cwd=TOP)
    if done.status:
        raise Failed(tail(done.stdout + done.stderr, 1))


def checks():
    return [Test(f"lint.{f.__name__.removeprefix('check_')}", f, 300)
            for f in (check_headers, check_format, check_first_lines, check_sizes, check_words, check_arrows, check_shell,
                      check_syscall_table, check_flag_tables, check_syscalls_page, check_compatibility)]

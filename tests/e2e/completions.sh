#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Completions and manual pages have every verb and option that `--help` shows, and work in the shells that are here.
. "$(dirname "$0")/../lib.sh"
"$UNI" completions bash > uni.bash
"$UNI" completions zsh > _uni
"$UNI" completions fish > uni.fish
mkdir man1
"$UNI" completions man man1
same "without a directory" "$(status_of "$UNI" completions man)" 2
same "another shell" "$(status_of "$UNI" completions tcsh)" 2

cat > check.py <<'PY'
import re, subprocess, sys
uni = sys.argv[1]
def say(*words): return subprocess.run([uni, *words, "--help"], capture_output=True, text=True, check=True).stdout
verbs = re.findall(r"^  ([a-z]+) +\S", say().split("Subcommands:")[1], re.M)
assert {"pack", "run", "inspect", "trace", "verify", "syscalls"} <= set(verbs), verbs
shells = {name: open(name).read() for name in ("uni.bash", "_uni", "uni.fish")}
for verb in verbs:
    page = open(f"man1/uni-{verb}.1").read().replace("\\-", "-")
    assert f"uni-{verb}(1)" in open("man1/uni.1").read().replace("\\-", "-").replace("\\fB", "").replace("\\fR", ""), verb
    for flag in re.findall(r"^  (-\S+)", say(verb), re.M):
        for name in flag.split(","):
            assert name in page, f"uni-{verb}.1 lacks {name}"
            assert name in shells["uni.bash"] and name in shells["_uni"], f"{name} of {verb}"
            fish = f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
            assert re.search(rf"seen_subcommand_from {verb}'.* {re.escape(fish)}\b", shells["uni.fish"]), f"fish: {verb} {name}"
PY
python3 check.py "$UNI" || fail "something is missing"

complete() {
  # shellcheck disable=SC2016 # for the inner shell
  bash -c '. ./uni.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _uni; echo "${COMPREPLY[*]}"' bash "$@"
}
same "a verb" "$(complete uni ins)" inspect
same "a flag" "$(complete uni pack --sysc)" --syscalls
same "a choice" "$(complete uni run --machine q)" q35
same "a choice of words" "$(complete uni pack --processes '')" "none fork exec"
touch server.img
same "a file" "$(complete uni run ser)" server.img
same "the program's own" "$(complete uni run server.img -- ser)" server.img
bash -n uni.bash
shellcheck -s bash uni.bash > shellcheck.out || fail "shellcheck: $(head -n 20 shellcheck.out)"
if command -v zsh > /dev/null; then zsh -n _uni || fail "zsh does not read it"; fi
if command -v fish > /dev/null; then fish -n uni.fish || fail "fish does not read it"; fi
if command -v groff > /dev/null; then
  for page in man1/*; do
    groff -man -ww -z "$page" 2> groff.err || fail "groff does not read $page"
    [ ! -s groff.err ] || fail "$page: $(cat groff.err)"
  done
fi

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the program executes goes in too: the interpreter of a script, what `--add-program` names, constant paths.
. "$(dirname "$0")/../lib.sh"

# reason IMAGE PATH: why the file is in the image; empty where it is not.
reason() {
  awk -v want="$2" '/^  - path: / { path = $3 }
    /^    reason: / && path == want { sub(/^ *reason: /, ""); print; exit }' "${1%.img}.yaml"
}

# A root of its own, so that nothing depends on this machine's shells.
mkdir -p root/bin root/usr/bin root/usr/lib root/lib64 root/opt/tools/lib
cp "$(cc -print-file-name=libc.so.6)" root/usr/lib/libc.so.6
cp "$(readlink -f /lib64/ld-linux-x86-64.so.2)" root/lib64/ld-linux-x86-64.so.2
echo 'int value(void) { return 1; }' > value.c
cc -shared -fPIC -o root/opt/tools/lib/libvalue.so value.c
echo '#include <unistd.h>
int main(void) { return execl("/usr/bin/other", "other", (char*)0) + execl("/bin/dash", "sh", (char*)0)
  + execl("/etc/data", "data", (char*)0); }' > main.c
cc -static -o root/bin/sh main.c
cp root/bin/sh root/bin/dash
cc -o root/usr/bin/caller main.c
cc -static -o root/usr/bin/env main.c
echo 'int value(void); int main(void) { return value(); }' > tool.c
# shellcheck disable=SC2016 # $ORIGIN is for ld.so
cc -o root/opt/tools/tool tool.c -Lroot/opt/tools/lib -lvalue -Wl,-rpath,'$ORIGIN/lib'
cp root/bin/sh root/usr/bin/helper
cp root/bin/sh root/usr/bin/other
mkdir root/etc
echo 127.0.0.1 localhost > root/etc/data
chmod 755 root/etc/data  # as some mounts and archives show every file
script() {
  printf '%s\n' "${@:2}" > "root/usr/bin/$1"
  chmod 755 "root/usr/bin/$1"
}
script run.sh '#! /bin/sh -e ' 'exit 0'
script deep '#!/usr/bin/run.sh'
script byenv '#!/usr/bin/env -S X=1 run.sh -x'
in_root() { pack "$1" --sysroot root "${@:2}"; }

# The script is the program, its interpreter comes along.
in_root script.img /usr/bin/run.sh -- a b
has "the program" "$(cat script.yaml)" "program: /usr/bin/run.sh"
has "the interpreter" "$(cat script.yaml)" "interpreter: /bin/sh"
same "the script's reason" "$(reason script.img /usr/bin/run.sh)" "the program"
same "its interpreter" "$(reason script.img /bin/sh)" "interpreter of /usr/bin/run.sh"
same "what it does not name" "$(reason script.img /opt/tools/tool)" ""
in_root deep.img /usr/bin/deep --add-program /usr/bin/byenv
same "a script's script" "$(reason deep.img /bin/sh)" "interpreter of /usr/bin/run.sh"
same "env" "$(reason deep.img /usr/bin/env)" "interpreter of /usr/bin/byenv"
same "env's command" "$(reason deep.img /usr/bin/byenv)" "named by the user"

# Another program comes with the libraries of its own search path.
in_root added.img /usr/bin/run.sh --add-program /opt/tools/tool --add-program helper --add-program /usr/bin/caller
same "an added program" "$(reason added.img /opt/tools/tool)" "named by the user"
same "its library" "$(reason added.img /opt/tools/lib/libvalue.so)" "needed by /opt/tools/tool"
same "its dynamic linker" "$(reason added.img /lib64/ld-linux-x86-64.so.2)" "dynamic linker of /opt/tools/tool"
same "a program by its name" "$(reason added.img /usr/bin/helper)" "named by the user"
# Constant paths that are executed come along; a shell only where it is asked for.
same "a constant path" "$(reason added.img /usr/bin/other)" "executed by /usr/bin/caller"
same "a shell that was not asked for" "$(reason added.img /bin/dash)" ""
has "the note" "$(cat pack.err)" "\`--add-program /bin/dash\`"
! grep -q /etc/data pack.err added.yaml || fail "a data file with an x bit is taken for a program: $(cat pack.err)"
# The manifest gives the same image again.
"$UNI" pack added.yaml -o again.img 2> err || fail "the manifest cannot be packed: $(cat err)"
cmp added.img again.img || fail "the manifest gives another image"


# A script of the user's own.
cp root/usr/bin/run.sh own.sh
pack own.img ./own.sh
same "an own script" "$(reason own.img /usr/local/bin/own.sh)" "the program"
[ -n "$(reason own.img /bin/sh)$(reason own.img /usr/bin/dash)" ] || fail "this machine's shell is not in the image"

refused() {
  same "the status of $2" "$(status_of "$UNI" pack --sysroot root "/usr/bin/$2" -o refused.img)" 1
  has "the error of $2" "$(cat err)" "$1"
  [ ! -e refused.img ] || fail "$2 left an image"
}
script none '#!/usr/bin/none'
refused "too many scripts" none
script lost '#!/usr/bin/not-there'
refused "root/usr/bin/lost: missing interpreter \`/usr/bin/not-there\`" lost
script bare '#!'
refused "without an interpreter" bare
script relative '#!bin/sh'
refused "a relative interpreter" relative
script noenv '#!/usr/bin/env not-there'
refused "missing interpreter \`not-there\`" noenv
same "a missing program" "$(status_of "$UNI" pack --sysroot root /usr/bin/run.sh --add-program /none/x -o refused.img)" 1
has "a missing program" "$(cat err)" "/none/x: no such file"

# What only looks like an object in a directory that is taken along, or is another system's, is data.
mkdir -p data
cc -o data/whole -Wl,--dynamic-linker=/lib/ld-of-another-system.so.1 main.c
cp data/whole data/damaged
at=$(grep -abo /lib/ld-of-another-system data/damaged | head -n 1 | cut -d: -f1)
printf x | dd of=data/damaged bs=1 seek="$at" conv=notrunc status=none
in_root data.img /usr/bin/caller -a data:/srv
same "a damaged object" "$(reason data.img /srv/damaged)" "named by the user"
same "an object of another system" "$(reason data.img /srv/whole)" "named by the user"
has "a note" "$(cat pack.err)" "/srv/damaged is taken as data: damaged ELF file, its interpreter is not an absolute path"
has "another note" "$(cat pack.err)" "/srv/whole is taken as data: there is no \`/lib/ld-of-another-system.so.1\` here"

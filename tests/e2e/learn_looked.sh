#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files that were only looked at (stat, access, readlink): a shell that finds no program says which one with the flag that
# adds it, in one line however many directories $PATH has; what is nowhere on this machine stays unsaid.
. "$(dirname "$0")/../lib.sh"
mkdir -p first second "odd dir"
cat > greet.c <<'C'
#include <stdio.h>
int main(void) { return puts("greeted") < 0; }
C
cc -o first/greet greet.c
cp first/greet second/greet
echo "not a program" > second/settings
chmod +x second/settings  # a mode that a careless hand gave
echo data > "odd dir/a b"
cat > look.c <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char text[300];
  struct stat st;
  int absent = 0;
  for (int i = 0; i < 300; ++i) {  // harmless ones, more than the guest keeps
    snprintf(text, sizeof text, "/nowhere/%d", i);
    absent += stat(text, &st) != 0;
  }
  if (stat("settings", &st) != 0) puts("no settings");
  if (access(argv[1], R_OK) != 0) puts("no data");
  if (readlink(argv[2], text, sizeof text) < 0) puts("no link");
  return absent == 300 && argc == 3 ? 7 : 1;
}
C
cc -o look look.c
cat > run.sh <<S
#!/bin/sh
greet || exit 5
S
chmod +x run.sh
path=$PWD/none:$PWD/first:$PWD/second
pack script.img ./run.sh --processes exec -e PATH="$path"
same "a script without its program" "$(status_of "$UNI" run --log run.log script.img)" 5
has "the shell's own words" "$(cat err)" "greet: not found"
has "the hint" "$(cat err)" "the program looked for \`$PWD/first/greet\`, which is not in the image"
has "the hint" "$(cat err)" "\`uni pack --add-program $PWD/first/greet\` adds it"
same "the hints about greet" "$(grep -c -e "hint.*greet" err)" 1
grep -qF "missing-path $PWD/none/greet" run.log || fail "the log lacks a place that was tried: $(cat run.log)"
pack learned.img ./run.sh --processes exec -e PATH="$path" --learn run.log
same "the script with what was learned" "$(status_of "$UNI" run learned.img)" 0
same "its output" "$(cat out)" greeted
! grep -q second/greet learned.yaml || fail "the second program of the name was added too"

# What the search finds later is not lacking: this machine has the program in two places, the image in the second.
cat > run.sh <<S
#!/bin/sh
greet
exit 5
S
pack found.img ./run.sh --processes exec -e PATH="$path" -a "second/greet:$PWD/second/greet"
same "a script with its program" "$(status_of "$UNI" run --log run.log found.img)" 5
same "its output" "$(cat out)" greeted
grep -qF "missing-path $PWD/first/greet" run.log || fail "the log lacks the first place: $(cat run.log)"
! grep "hint.*greet" err >&2 || fail "a hint about a program that was found"

ln -s elsewhere link
pack look.img ./look -w "$PWD/second" -- "$PWD/odd dir/a b" "$PWD/link"
same "a program that looks" "$(status_of "$UNI" run --log look.log look.img)" 7
same "its output" "$(tr '\n' ,  < out)" "no settings,no data,no link,"
has "a file by a relative path" "$(cat err)" "\`uni pack -a $PWD/second/settings:$PWD/second/settings\` adds it"
has "a file with a space" "$(cat err)" "\`uni pack -a '$PWD/odd dir/a b:$PWD/odd dir/a b'\` adds it"
! grep -q "/nowhere" err || fail "a file that is nowhere is hinted at"
grep -qF "missing-path $PWD/odd%20dir/a%20b" look.log || fail "the log lacks the escaped path: $(cat look.log)"
pack looked.img ./look --learn look.log -w "$PWD/second" -- "$PWD/odd dir/a b" "$PWD/link"
same "the second run" "$(status_of "$UNI" run looked.img)" 7
same "its output" "$(tr '\n' ,  < out)" "no link,"

# What was opened comes before what was looked at, and is not crowded out by it.
cat > both.c <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
  struct stat st;
  const int fd = open(argv[1], O_RDONLY);
  for (int i = 0; i < 1000; ++i) {
    char text[300];
    snprintf(text, sizeof text, "%s/%d", argv[2], i);
    stat(text, &st);
  }
  return argc + fd + 2;
}
C
cc -o both both.c
mkdir many
for i in $(seq 990 999); do echo "$i" > "many/$i"; done
pack both.img ./both -- "$PWD/second/settings" "$PWD/many"
same "a program that opens and looks" "$(status_of "$UNI" run both.img)" 4
same "the first hint" "$(grep -m 1 hint: err)" \
  "hint: the program opened \`$PWD/second/settings\`, which is not in the image; \`uni pack -a $PWD/second/settings:$PWD/second/settings\` adds it"
same "hints about what was looked at" "$(grep -c "looked for" err)" 5
has "the last one" "$(cat err)" "many/999"

# Where the user has ended it, nothing was lacking.
cat > serve.c <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
  open(argv[1], O_RDONLY);
  puts("up");
  fflush(stdout);
  if (argc > 2) return 9;
  for (;;) pause();
}
C
cc -o serve serve.c
pack serve.img ./serve -- "$PWD/second/settings"
for name in INT TERM; do
  guest serve.img
  await 30 grep -q up guest.out
  signal_guest $name
  ended $((128 + $(kill -l $name))) 20
  same "what is said after SIG$name" "$(cat guest.err)" ""
done
same "its own end" "$(status_of "$UNI" run serve.img -- "$PWD/second/settings" end)" 9
has "the hint" "$(cat err)" "the program opened \`$PWD/second/settings\`"

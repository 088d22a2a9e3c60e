#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A failed run tells what the program lacked and the command that adds it; `uni pack --learn` adds it and the next run
# succeeds.
. "$(dirname "$0")/../lib.sh"
cat > server.c <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  char path[300];
  snprintf(path, sizeof path, "%s/wanted file", getenv("DATA"));
  const int fd = open(path, O_RDONLY);
  snprintf(path, sizeof path, "%s/nowhere", getenv("DATA"));
  open(path, O_RDONLY);
  snprintf(path, sizeof path, "%s/made", getenv("DATA"));
  open(path, O_RDWR | O_CREAT, 0600);
  if (vfork() == 0) {
    execl(getenv("TOOL"), "tool", (char *)NULL);
    _exit(9);
  }
  int status = 0;
  wait(&status);
  return (fd < 0) + 2 * (WEXITSTATUS(status) != 0);
}
C
cc -o server server.c
mkdir -p data opt
echo wanted > "data/wanted file"
echo 'int main(void) { return 0; }' > tool.c
cc -o opt/tool tool.c
export DATA=$PWD/data TOOL=$PWD/opt/tool
pack server.img ./server -e DATA="$DATA" -e TOOL="$TOOL" --processes exec
same "the first run" "$(status_of "$UNI" run --log run.log server.img)" 3
has "its hint" "$(cat err)" "the program opened \`$DATA/wanted file\`, which is not in the image"
has "its hint" "$(cat err)" "\`uni pack --add-program $TOOL\` adds it"
! grep -q ld.so.cache err || fail "what every dynamic program does without is hinted at: $(cat err)"
! grep -q nowhere err || fail "a file that is nowhere is hinted at"
grep -qF "missing-file $DATA/wanted%20file" run.log || fail "the log lacks the file: $(cat run.log)"
grep -qF "missing-program $TOOL" run.log || fail "the log lacks the program: $(cat run.log)"
grep -qx "exit 3" run.log || fail "the log lacks the end: $(cat run.log)"
! grep -q "/made" run.log || fail "a file that was made is called missing"

pack learned.img ./server -e DATA="$DATA" -e TOOL="$TOOL" --processes exec --learn run.log
has "the reason" "$(cat learned.yaml)" "reason: learned from a run"
same "the second run" "$(status_of "$UNI" run --log again.log learned.img)" 0
! grep -q missing again.log || fail "a run that succeeds reports: $(cat again.log)"
status=0
"$UNI" run learned.img <&- > out 2> err || status=$?
same "the status without a standard input" $status 0
same "another file" "$(status_of "$UNI" pack ./server --learn server.c -o bad.img)" 1
has "another file" "$(cat err)" "server.c: neither a trace nor the log of a run"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The image's list of system calls: what is not in it answers ENOSYS or ends the program, and `uni run` says so.
. "$(dirname "$0")/../lib.sh"
cat > number.c <<'C'
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void handler(int number) { _exit(number); }
int main(int argc, char** argv) {
  signal(SIGSYS, handler);
  long result = syscall(argc > 1 ? atol(argv[1]) : 39);
  int error = errno;
  printf("%s %d\n", result < 0 ? "failed" : "done", result < 0 ? error : 0);
  fflush(stdout);
  return 0;
}
C
cat > known.c <<'C'
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  printf("%d %d\n", getppid() >= 0, syscall(SYS_getpgid, 0) >= 0);
  return 0;
}
C
cc -O2 -o number number.c
cc -O2 -static -o known known.c

# getppid is 110. A computed number leaves the list open.
pack open.img ./number -- 110
has "the manifest" "$(cat open.yaml)" "syscalls: all"
has "what is not decided" "$(cat open.yaml)" "number: main+0x"
same "a call without a list" "$("$UNI" run open.img)" "done 0"

pack audit.img ./number --syscalls audit -- 110
same "a call outside the list" "$("$UNI" run audit.img 2> err)" "failed 38"
has "what is said of it" "$("$UNI" run --verbose audit.img 2>&1)" "denied-syscall getppid refused"

pack enforce.img ./number --syscalls enforce -- 110
same "the status of a call that is not allowed" "$(status_of "$UNI" run enforce.img)" 159
same "the output before its end" "$(cat out)" ""
has "what is said of its end" "$(cat err)" getppid
same "an allowed call" "$("$UNI" run enforce.img -- 39)" "done 0"

pack known.img ./known
has "the manifest" "$(cat known.yaml)" "syscalls: audit"
has "the manifest" "$(cat known.yaml)" "undecided: []"
same "calls that were found" "$("$UNI" run known.img)" "1 1"
pack strict.img ./known --syscalls enforce
same "calls that were found, enforced" "$("$UNI" run strict.img)" "1 1"

same "another word" "$(status_of "$UNI" pack ./known --syscalls some)" 2

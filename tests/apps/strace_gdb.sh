#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian's strace and gdb, within an image, on programs beside them: children and threads followed, counts, attaching; break-
# and watchpoints, steps, variables, threads, system calls caught, forks followed, core files written and read.
# shellcheck disable=SC2016  # the dollars are gdb's and the inner shell's
. "$(dirname "$0")/../lib.sh"

cat > prog.c << 'EOF2'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
volatile int watched = 1;
int global = 5;
static void* worker(void* unused) {
  for (;;) pause();
  return unused;
}
int add(int a, int b) {
  int c = a + b;
  watched = c;
  return c;
}
static void crash(int depth) {
  if (depth == 0) abort();
  crash(depth - 1);
}
int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  pthread_t thread;
  if (strcmp(mode, "sleep") == 0) {
    printf("sleeping %d\n", getpid());
    fflush(stdout);
    sleep(argc > 2 ? atoi(argv[2]) : 1);
    return 0;
  }
  if (strcmp(mode, "fork") == 0) {
    int status;
    pid_t child = fork();
    if (child == 0) _exit(add(1, 1));
    waitpid(child, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    return 0;
  }
  pthread_create(&thread, NULL, worker, NULL);
  sleep(1);
  if (strcmp(mode, "crash") == 0) crash(3);
  printf("sum %d\n", add(global, argc));
  fflush(stdout);
  sleep(1);  // gdb lets threads go on one after the other: nobody should end meanwhile
  return global;
}
EOF2
cc -g -O0 -pthread -o prog prog.c
cat > attach << 'EOF2'
#!/bin/sh
prog sleep 3 > sleeper &
until grep -q prog /proc/$!/comm && grep -q sleeping /proc/$!/status; do sleep 0.05; done
strace -o trace -p $!
grep -c 'exited with 0' trace
EOF2
chmod +x attach

pack strace.img /usr/bin/strace --processes exec --add-program ls --add-program sh --add-program sleep \
  --add-program grep --add-program ./prog --add-program ./attach
run_strace() { "$UNI" run -m 256M strace.img -- "$@" > out 2> err || true; }

run_strace -f -e trace=execve,openat ls -l /
has "strace -f" "$(cat err)" 'openat(AT_FDCWD, "/", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3'
has "strace -f" "$(cat err)" '+++ exited with 0 +++'
has "ls" "$(cat out)" ' usr'
run_strace -c ls /
has "strace -c" "$(cat err)" 'getdents64'
run_strace -f -e trace=process sh -c 'ls /proc/self; (exit 3)'
has "strace of a shell" "$(cat err)" '+++ exited with 3 +++'
has "strace of a shell" "$(cat err)" 'WEXITSTATUS(s) == 3'
run_strace -f -e trace=write prog
has "strace of threads" "$(cat err)" 'write(1, "sum 6\n", 6'
run_strace -f -e trace=none -e signal=all sh -c 'kill -USR1 $$'
has "strace of signals" "$(cat err)" '+++ killed by SIGUSR1 +++'
run_strace -qq -o /dev/null attach
has "strace -p" "$(cat out)" '1'

pack gdb.img /usr/bin/gdb --processes exec --add-program ./prog --add-program sh --add-program sleep --add-program grep --add "$PWD/prog.c:$PWD/prog.c" \
  --add /usr/lib/python3.11:/usr/lib/python3.11 --add /usr/share/gdb:/usr/share/gdb \
  --add /lib/x86_64-linux-gnu/libthread_db.so.1:/lib/x86_64-linux-gnu/libthread_db.so.1
# run_gdb ARGUMENT... -- COMMAND...: gdb's output in out.
run_gdb() {
  local arguments=() commands=()
  while [ "$1" != -- ]; do arguments+=("$1"); shift; done
  shift
  for command; do commands+=(-ex "$command"); done
  "$UNI" run -m 512M gdb.img -- -nx -q -batch -ex 'set debuginfod enabled off' -ex 'set pagination off' \
    -ex 'set startup-with-shell off' "${commands[@]}" "${arguments[@]}" > out 2> err || true
}
program=(--args /usr/local/bin/prog)

run_gdb "${program[@]}" -- 'break add' run bt 'info registers rip' 'print a' 'set var a = 40' 'watch watched' continue \
  continue 'info threads' stepi 'x/i $pc' finish 'catch syscall exit_group' continue continue
for part in 'Breakpoint 1, add (a=5, b=1)' '#1 ' 'in main (argc=1' '$1 = 5' 'Old value = 1' 'New value = 41' 'sum 41' \
  'Catchpoint' 'exited with code 05'; do
  has "gdb" "$(cat out)" "$part"
done
run_gdb "${program[@]}" crash -- run 'thread apply all bt' 'generate-core-file /tmp/core.gdb' kill \
  'core-file /tmp/core.gdb' bt 'info threads'
for part in 'received signal SIGABRT' 'crash (depth=0)' 'crash (depth=3)' 'worker (unused=' 'Saved corefile /tmp/core.gdb' \
  "Program terminated with signal SIGABRT"; do
  has "gdb on a crash" "$(cat out)" "$part"
done
run_gdb "${program[@]}" fork -- 'set follow-fork-mode child' 'break add' run 'print a' continue
has "gdb on a child" "$(cat out)" '$1 = 1'
has "gdb on a child" "$(cat out)" 'exited with code 02'
run_gdb -- 'shell prog sleep 30 & until grep -q prog /proc/$!/comm && grep -q sleeping /proc/$!/status; do sleep 0.05; done;
  echo attach $! > /tmp/commands' 'file /usr/local/bin/prog' \
  'source /tmp/commands' bt detach
has "gdb attached" "$(cat out)" 'main (argc=3'
has "gdb attached" "$(cat out)" 'detached'

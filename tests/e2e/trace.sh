#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `uni trace`: what a program used is in the trace and then in the image; descriptors, signals and the status are the
# program's own.
. "$(dirname "$0")/../lib.sh"
cat > server.c <<'C'
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
static void *thread(void *name) { return fopen(name, "r"); }
static void caught(int n) { (void)n; _exit(7); }
int main(int n, char **v) {
  char path[300], line[100] = "";
  struct stat st;
  if (n > 1 && !strcmp(v[1], "wait")) {
    signal(SIGTERM, caught);
    puts("waiting"), fflush(stdout);
    for (;;) pause();
  }
  if (n > 1 && !strcmp(v[1], "die")) raise(SIGKILL);
  // Paths that no constant tells.
  snprintf(path, sizeof path, "%s/opened", getenv("DATA"));
  open(path, O_RDONLY);
  snprintf(path, sizeof path, "%s/looked", getenv("DATA"));
  stat(path, &st);
  snprintf(path, sizeof path, "%s/absent", getenv("DATA"));
  open(path, O_RDONLY);
  snprintf(path, sizeof path, "%s/made", getenv("DATA"));
  close(open(path, O_CREAT | O_WRONLY, 0600));
  snprintf(path, sizeof path, "%s/by-thread", getenv("DATA"));
  pthread_t t;
  pthread_create(&t, NULL, thread, path);
  pthread_join(t, NULL);
  open("beside", O_RDONLY);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(getenv("PORT"))), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof a);
  if (fork() == 0) execl(getenv("TOOL"), "tool", (char *)NULL);
  int status;
  wait(&status);
  fgets(line, sizeof line, stdin);
  printf("got %s", line);
  fprintf(stderr, "on stderr\n");
  return 42;
}
C
cc -pthread -o server server.c
echo 'int main(void) { return 0; }' > tool.c
mkdir -p opt data
cc -o opt/tool tool.c
for f in opened looked by-thread; do echo $f > data/$f; done
echo beside > beside
PORT=$(free_port)
export PORT DATA=$PWD/data TOOL=$PWD/opt/tool

status=0
echo input | "$UNI" trace -o server.trace -- ./server > out 2> err || status=$?
same "the status" $status 42
same "its output" "$(cat out)" "got input"
same "its errors" "$(cat err)" "on stderr"
for line in "file $DATA/opened" "file $DATA/looked" "file $DATA/by-thread" "absent $DATA/absent" "here beside $PWD/beside" \
  "program $TOOL" "port $PORT" "permission processes=exec" "syscall bind" "forks 1" "status 42"; do
  grep -qxF "$line" server.trace || fail "the trace has no \`$line\`: $(cat server.trace)"
done
! grep -q "^file.*/made$" server.trace || fail "a file that the program made is in the trace"

same "a signal" "$(status_of "$UNI" trace -o die.trace -- ./server die)" 137
same "no program" "$(status_of "$UNI" trace -o x.trace -- ./none)" 125
has "no program" "$(cat err)" "./none: cannot be started: no such file or directory"
same "nothing" "$(status_of "$UNI" trace)" 125
"$UNI" trace -o wait.trace -- ./server wait > waiting &
guest_pid=$!
await 20 grep -q waiting waiting
kill -TERM $guest_pid
ended 7 20
# An interrupt that is sent to uni alone; and one that a terminal sends to both, once.
same "an interrupt" "$(status_of timeout -s INT 2 "$UNI" trace -o int.trace -- sh -c 'trap "exit 6" INT; while :; do sleep 0.1; done')" 124
grep -qx "status 6" int.trace || fail "the interrupt did not arrive: $(tail -n 3 int.trace)"
cat > both.py <<'PY'
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "trace", "-o", "tty.trace", "--", "python3", "-c",
             "import signal, time\ngot = []\nsignal.signal(signal.SIGINT, lambda *a: got.append(1))\nprint('up', flush=True)\n"
             "end = time.time() + 3\nwhile time.time() < end: time.sleep(0.05)\nraise SystemExit(40 + len(got))"])
while b"up" not in os.read(terminal, 100):
    pass
os.write(terminal, b"\x03")
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
same "^C from a terminal" "$(status_of python3 both.py "$UNI")" 41
# A shell that stops itself and is continued: a stop is a stop.
status=0
"$UNI" trace -o stop.trace -- sh -c '(sleep 1; kill -CONT $$) & kill -STOP $$; exit 5' || status=$?
same "after a stop" $status 5

# strace sees no call that the trace lacks.
echo input | strace -f -qq -o calls ./server > out 2> err || true
sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' calls | sort -u > seen
sed -n 's/^syscall //p' server.trace | sort -u > traced
same "calls that only strace sees" "$(comm -23 seen traced)" ""

# What is traced is in the image, with the reason.
pack server.img ./server --learn server.trace
"$UNI" inspect --json server.img > report || [ $? = 3 ]
python3 - "$PORT" <<'PY' || fail "the image lacks what was traced"
import json, os, sys
d = json.load(open("report"))
files = {f["path"]: f for f in d["files"]}
data = os.environ["DATA"]
for name in ("opened", "looked", "by-thread"):
    assert files[f"{data}/{name}"]["reason"] == "traced", name
assert files["/beside"]["reason"] == "traced"
assert files[os.environ["TOOL"]]["reason"] == "traced"
assert {"number": int(sys.argv[1]), "evidence": "traced"} in d["ports"], d["ports"]
assert d["permissions"]["processes"] == "exec"
assert sum(f["size"] == os.path.getsize("server") for f in d["files"]) == 1, "the program is there twice"
PY

# Into a manifest that is there.
rm -f data/made
pack plain.img ./server
echo input | "$UNI" trace --manifest plain.yaml -- ./server > out 2> err || [ $? = 42 ] || fail "trace --manifest: $(cat err)"
grep -q "reason: traced" plain.yaml || fail "the manifest has nothing that was traced"
"$UNI" pack plain.yaml -o again.img 2> err || fail "the manifest cannot be packed: $(cat err)"
"$UNI" inspect --diff server.img again.img > differences
! grep -qE "^ *[-+] */" differences || fail "a trace and a manifest differ: $(cat differences)"

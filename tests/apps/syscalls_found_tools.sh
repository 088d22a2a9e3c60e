#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `uni inspect` finds against what Linux sees, for the tools among the tests' programs: git, bash, make, gdb, strace,
# openssl, iconv, getent, ping and mono. A command's few runs use a small part of it, so more than 2.5 times as many calls may be
# found.
. "$(dirname "$0")/syscalls.bash"
export FACTOR=5

# traced NAME COMMAND...: adds the calls of a further run to those of NAME.
traced() {
  local name=$1
  shift
  trace "$name.part" "$@" || true
  cat "trace.$name.part" >> "trace.$name"
}

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME=$PWD
mkdir repository
echo "a file" > repository/file
in_repository=(git -C repository)
traced git git init -q -b main repository
for line in "add -A" "commit -q -m one" "checkout -q -b side" "commit -q --allow-empty -m two" "checkout -q main" \
  "merge -q side" "tag -a -m tag v1" "gc -q" "fsck" "log -p --stat" "status" "stash" "diff HEAD~1" "repack -a -d -q" \
  "archive -o ../a.tar HEAD" "bundle create ../b.bundle main" "grep file" "blame file"; do
  # shellcheck disable=SC2086 # words
  traced git "${in_repository[@]}" $line
done
traced git git clone -q repository copy
traced git git -C copy pull -q
compare git /usr/bin/git

cat > load.bash << 'SCRIPT'
set -m
x=$(echo a | cat); y=`date`; for i in 1 2 3; do echo $i; done | while read -r n; do :; done
cat << HERE
$x $y
HERE
cat <(echo a) > /dev/null; coproc cat; kill %1; wait; (exit 3); trap 'echo t' USR1; kill -USR1 $$; ulimit -n 100; umask 022
cd /; pwd -P; cd - > /dev/null; sleep 0.1 & jobs; wait $!; read -r -t 0.1 z < /dev/zero; echo > /dev/tcp/127.0.0.1/1
[ -r /etc/passwd ] && [ -t 0 ]; printf '%(%s)T\n' -1; time true; exec 5<> file; echo a >&5; exec 5>&-; declare -A m; m[a]=b
mapfile -t l < /etc/passwd; echo ~root ~; echo /etc/*; set -C; echo a > file2; times; hash -r; sleep 0.2 & fg %+; history
kill -0 $$; sh -c 'exit 2'; command -v ls; test file -nt file2; exec true
SCRIPT
trace bash bash load.bash || true
compare bash /usr/bin/bash

mkdir made
cat > made/Makefile << 'MAKEFILE'
all: a b c

%:
	echo $@ > $@; sleep 0.1

c: a b
	cat a b > c

include extra.mk
extra.mk:
	echo X=1 > $@
MAKEFILE
traced make make -j2 -C made
traced make make -C made -n -d
compare make /usr/bin/make

printf '#include <stdio.h>\nint main(void) { puts("x"); return 3; }\n' > small.c
cc -g -o small small.c
# A tracer's own calls: Linux lets nobody trace what is traced, so each looks at what it can.
trace strace strace -o inner.trace true || true
compare strace /usr/bin/strace
trace gdb gdb -q -batch -ex 'info functions' -ex 'list main' -ex 'disassemble main' -ex 'shell true' -ex 'python print(1)' ./small || true
compare gdb /usr/bin/gdb

head -c 100000 /dev/urandom > random
for line in "dgst -sha256 random" "enc -aes-256-cbc -pbkdf2 -k x -in random -out encrypted" "genrsa -out key.pem 2048" \
  "rand -hex 8" "req -x509 -new -key key.pem -subj /CN=x -out cert.pem" "x509 -in cert.pem -noout -text" \
  "speed -seconds 1 -bytes 64 sha256" "list -providers -provider legacy" "s_client -connect 127.0.0.1:1" "version -a"; do
  # shellcheck disable=SC2086 # words
  traced openssl openssl $line
done
compare openssl /usr/bin/openssl

trace iconv iconv -f EUC-JP -t UTF-8 -o out.txt small.c || true
compare iconv /usr/bin/iconv
for line in "passwd root" "hosts localhost" "services http" "group" "protocols tcp" "ahostsv4 localhost"; do
  # shellcheck disable=SC2086 # words
  traced getent getent $line
done
compare getent /usr/bin/getent
trace ping ping -c 2 -i 0.2 127.0.0.1 || true
compare ping "$(command -v ping)"

cat > load.cs << 'SOURCE'
using System; using System.IO; using System.Net; using System.Net.Sockets; using System.Threading;
class Load {
  static void Main() {
    var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    var port = ((IPEndPoint)listener.LocalEndpoint).Port;
    var thread = new Thread(() => { using (var c = listener.AcceptTcpClient()) { var s = c.GetStream(); s.WriteByte(65); } });
    thread.Start();
    using (var client = new TcpClient("127.0.0.1", port)) Console.WriteLine(client.GetStream().ReadByte());
    thread.Join();
    File.WriteAllText("mono.txt", "text"); Console.WriteLine(File.ReadAllText("mono.txt")); File.Delete("mono.txt");
    Directory.CreateDirectory("mono.d"); foreach (var f in Directory.GetFiles(".")) f.ToString(); Directory.Delete("mono.d");
    for (int i = 0; i < 200; i++) { var a = new byte[1000000]; a[0] = 1; } GC.Collect();
    ThreadPool.QueueUserWorkItem(_ => Thread.Sleep(10)); Thread.Sleep(50);
    Console.WriteLine(DateTime.Now.Year > 2000); Console.WriteLine(Environment.GetEnvironmentVariable("HOME") != null);
  }
}
SOURCE
mcs -out:load.exe load.cs
trace mono mono load.exe || true
compare mono "$(readlink -f "$(command -v mono)")"

verdict

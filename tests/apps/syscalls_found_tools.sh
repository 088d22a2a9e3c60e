#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `uni inspect` finds against what Linux sees, for the tools among the tests' programs: git, bash, make, iconv, getent, ping
# and mono.
. "$(dirname "$0")/syscalls.bash"

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

head -c 1000 /dev/zero > small.txt
head -c 3000000 /dev/zero > big.txt
mkdir made
echo 'all: ; true' > made/Others.mk
cat > made/Makefile << 'MAKEFILE'
all: a b c

%:
	echo $@ > $@; sleep 0.1

c: a b
	cat a b > c

include extra.mk
extra.mk:
	echo X=1 > $@

library.a: library.a(x.o)

%.o:
	echo $@ > $@

others: library.a link ~root $(wildcard ~root/*) $(realpath a)
	$(file > text,some text)$(shell cat text)
	cat $(file < text) || true

link:
	ln -s a link
MAKEFILE
traced make make -j2 -C made
traced make make -C made -n -d
traced make make -C made -O -j2 -L -l 100 others
traced make bash -c 'exec make -f - all < made/Others.mk'
traced make make -C made -t all
compare make /usr/bin/make

# What the C library does only where the environment asks for it: profiles, messages of the linker, huge pages for malloc.
library=(env GLIBC_TUNABLES=glibc.malloc.hugetlb=2097152 LD_DEBUG=libs LD_PROFILE=libc.so.6 "LD_PROFILE_OUTPUT=$PWD")
traced iconv "${library[@]}" iconv -f EUC-JP -t UTF-8 -o out.txt small.txt
traced iconv iconv -f UTF-16 -t UTF-8//TRANSLIT big.txt
traced iconv bash -c 'exec iconv -f LATIN1 -t UTF-8 -c < small.txt'
traced iconv bash -c 'cat big.txt | exec iconv -f LATIN1 -t ISO-2022-JP'
traced iconv env GLIBC_TUNABLES=glibc.malloc.hugetlb=1 iconv -l
traced iconv iconv -f /usr/share/i18n/charmaps/ISO-8859-15.gz -t /usr/share/i18n/charmaps/UTF-8.gz small.txt
traced iconv env LC_ALL=C.UTF-8 iconv -f no-such -t UTF-8 small.txt nothing
compare iconv /usr/bin/iconv
for line in "-s files passwd root" "-s files hosts localhost" "-s files services http" "-s files group" "-s files protocols tcp" \
  "-s files initgroups root" "-s files shadow" "-s files networks" "-s files rpc" "-s files ethers a" "-s files netgroup a" \
  "ahostsv4 localhost" "ahosts 127.0.0.1" "--help"; do
  # shellcheck disable=SC2086 # words
  traced getent getent $line
done
traced getent "${library[@]}" getent -s files group
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

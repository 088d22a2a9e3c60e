#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `uni inspect` finds against what Linux sees, for strace, gdb and openssl. Linux lets nobody trace what is traced: a tracer
# is looked at without the processes that it makes.
. "$(dirname "$0")/syscalls.bash"
export HOME=$PWD

# tracer NAME COMMAND...: adds the calls of a run, without those of the processes that it makes.
tracer() {
  local name=$1
  shift
  (exec strace -qq -e signal=none -o "trace.$name.part" "$@" < /dev/null > "out.$name" 2> "err.$name") || true
  # A trace of one process has no numbers.
  sed 's/^/1 /' "trace.$name.part" >> "trace.$name"
}

cat > small.c << 'SOURCE'
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  int ends[2] = {-1, -1}, n = 0;
  for (int seconds = argc > 1 ? 100 : 0; seconds > 0; --seconds) nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
  socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
  if (fork() == 0) _exit(3);
  wait(&n);
  n = socket(AF_INET, SOCK_STREAM, 0);
  printf("%d %s\n", n, argv[0]);
  return (int)strlen(argv[0]) > 1000;
}
SOURCE
cc -g -pthread -o small small.c

tracer strace strace -o inner.trace true
tracer strace strace -f -tt -T -yy -s 100 -v -o inner.trace ./small
tracer strace strace -ff -C -k -o inner.trace ./small
tracer strace strace -f --seccomp-bpf -e trace=network -e inject=socket:delay_enter=1000:error=EMFILE -o '| cat' ./small
tracer strace strace -D -u root -E A=B -e inject=socketpair:retval=1:signal=URG -o '!cat' ./small
tracer strace strace --daemonize=pgroup --absolute-timestamps=format:unix --secontext -o inner.trace ./small
tracer strace strace --daemonize=session -P /etc/passwd --syscall-limit=3 -o inner.trace cat /etc/passwd
tracer strace strace -e inject=write:poke_exit=@arg2=61 -e read=0 -e write=1 -Z -o inner.trace ./small
tracer strace strace -e trace=%desc -e status=failed --kill-on-exit -o inner.trace ls -l /etc
./small wait &
service_pid=$!
tracer strace timeout -s INT 1 strace -f -p $service_pid -o inner.trace
tracer strace bash -c "exec strace -c -p $service_pid -I 2 & sleep 0.5; kill \$!; wait"
kill $service_pid
wait $service_pid || true
service_pid=
compare strace /usr/bin/strace

# Python in gdb can make what it can make elsewhere (syscalls_found_scripts).
python=(-ex "source $UNI_TOP/tests/apps/syscalls_load.py")
trace gdb gdb -q -batch -ex 'info functions' -ex 'list main' -ex 'disassemble main' -ex 'shell true' -ex 'python print(1)' ./small || true
traced gdb gdb -q -batch "${python[@]}" ./small
tracer gdb gdb -q -batch -ex 'break main' -ex run -ex 'watch n' -ex continue -ex 'info registers' -ex 'info proc all' -ex 'print strlen(argv[0])' \
  -ex 'set var n = 5' -ex finish -ex 'generate-core-file core.small' -ex stepi -ex 'info threads' -ex 'checkpoint' -ex 'record' -ex next -ex kill ./small
tracer gdb gdb -q -batch -ex 'info threads' -ex backtrace ./small core.small
tracer gdb gdb -q -batch -ex 'set detach-on-fork off' -ex 'set follow-fork-mode child' -ex 'catch fork' -ex run -ex continue -ex 'info inferiors' ./small
tracer gdb gdb -q -batch -ex 'target remote 127.0.0.1:1' -ex 'target remote | true' -ex 'shell ls' -ex 'pipe info line main | cat' -ex 'make -v' \
  -ex 'set logging file log' -ex 'set logging enabled on' -ex 'info line main' -ex 'save breakpoints saved' -ex 'cd /' -ex pwd ./small
./small wait &
service_pid=$!
tracer gdb gdb -q -batch -p $service_pid -ex backtrace -ex 'call getpid()' -ex detach
kill $service_pid
wait $service_pid || true
service_pid=
compare gdb /usr/bin/gdb

head -c 100000 /dev/urandom > random
printf '[ca]\ndefault_ca=d\n[d]\ndir=.\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=p\n[p]\nCN=supplied\n' > ca.conf
: > index
echo 01 > serial
mkdir certificates
for line in "dgst -sha256 random" "enc -aes-256-cbc -pbkdf2 -k x -in random -out encrypted" "genrsa -out key.pem 2048" \
  "rand -hex 8" "rand -writerand seed 8" "req -x509 -new -key key.pem -subj /CN=x -out cert.pem" "x509 -in cert.pem -noout -text" \
  "req -new -key key.pem -subj /CN=y -out y.csr" "ca -batch -config ca.conf -keyfile key.pem -cert cert.pem -in y.csr -days 1 -out y.pem" \
  "ca -config ca.conf -keyfile key.pem -cert cert.pem -revoke y.pem" "rehash -v certificates" \
  "speed -seconds 1 -bytes 64 sha256" "speed -seconds 1 -multi 2 -bytes 64 sha256" "list -providers -provider legacy" "version -a" \
  "s_client -connect 127.0.0.1:1" "s_client -dtls -connect 127.0.0.1:1" "enc -aes-256-cbc -engine afalg -k x -in random -out encrypted" \
  "enc -aes-256-cbc -pbkdf2 -in random" "passwd -6 x" "ciphers -v" "dhparam -dsaparam 512" "pkcs12 -export -inkey key.pem -in cert.pem -passout pass:x -out x.p12"; do
  [ "${line%% *}" != rehash ] || cp cert.pem certificates
  # shellcheck disable=SC2086 # words
  traced openssl openssl $line
done
for kind in tls dtls; do
  options=()
  [ $kind = tls ] || options=(-dtls)
  served openssl.server 'grep -q ACCEPT out.openssl.server' openssl s_server -accept 127.0.0.1:0 "${options[@]}" -key key.pem -cert cert.pem
  port=$(sed -n 's/^ACCEPT .*:\([0-9]*\).*/\1/p' out.openssl.server | head -n 1)
  traced openssl bash -c "(sleep 0.5; echo Q) | exec openssl s_client ${options[*]} -connect 127.0.0.1:$port"
  ended_server openssl.server TERM
  cat trace.openssl.server >> trace.openssl
done
compare openssl /usr/bin/openssl

verdict

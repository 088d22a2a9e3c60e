#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What listens on the host's loopback only is out of the guest's reach, unless `--host-loopback` asks for it.
# shellcheck source=tests/lib.sh
. "$UNI_TOP/tests/lib.sh"

# A service on 127.0.0.1: a line to each connection; the datagrams that it gets are counted in the file `datagrams`.
cat > service.py << 'END'
import select, socket
tcp = socket.socket()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for s in (tcp, udp):
    s.bind(("127.0.0.1", 0))
tcp.listen(9)
open("ports.new", "w").write(f"{tcp.getsockname()[1]} {udp.getsockname()[1]}\n")
__import__("os").rename("ports.new", "ports")
while True:
    for s in select.select([tcp, udp], [], [])[0]:
        if s is tcp:
            c = s.accept()[0]
            c.sendall(b"secret\n")
            c.close()
        else:
            open("datagrams", "ab").write(s.recv(99) + b"\n")
END
python3 service.py &
service_pid=$!
until [ -e ports ]; do
  kill -0 "$service_pid" || fail "the service did not start"
  sleep 0.05
done
read -r tcp udp < ports

# The datagrams come first: when the connection has an answer, they have gone.
# shellcheck disable=SC2016
pack client.img "$(command -v bash)" -- -c '
  echo datagram > /dev/udp/10.0.2.2/$UDP
  exec 3<> /dev/tcp/10.0.2.2/$TCP || { echo refused; exit 7; }
  read -r line <&3
  echo "$line"'

reach() { status_of "$UNI" run client.img --net user -e TCP="$tcp" -e UDP="$udp" "$@"; }

same "the status without a flag" "$(reach)" 7
same "what the guest read" "$(cat out)" refused
has "the guest's error" "$(cat err)" "Connection refused"
[ ! -e datagrams ] || fail "a datagram got through"

same "the status with --host-loopback" "$(reach --host-loopback)" 0
same "what the guest read" "$(cat out)" secret
until [ -e datagrams ]; do sleep 0.05; done

# The flag is the only way: the caller's environment does not open it.
same "the status with the environment" "$(UNI_HOST_LOOPBACK=1 reach)" 7

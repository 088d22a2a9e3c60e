#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# IPv6 by router advertisements: an address that is asked about before it is used, the router for a gateway,
# from QEMU's own router, on a network without IPv4. busybox asks.
. "$(dirname "$0")/../lib.sh"
cat > qemu << 'END'
#!/bin/bash
exec qemu-system-x86_64 "${@/ipv6=off/ipv4=off,ipv6=on}"
END
chmod +x qemu
cat > ask << 'END'
busybox ping -c 2 -W 3 fec0::2 | busybox grep transmitted
busybox cut -d ' ' -f 1-5 /proc/net/if_inet6
END
pack busybox.img busybox --processes exec -a "$PWD/ask:/ask" -- sh /ask
UNI_QEMU=$PWD/qemu guest --net user busybox.img
ended 0 90
same "the output" "$(cat guest.out)" "2 packets transmitted, 2 packets received, 0% packet loss
00000000000000000000000000000001 01 80 10 80
fe80000000000000505400fffe123456 02 40 20 80
fec0000000000000505400fffe123456 02 40 00 00"

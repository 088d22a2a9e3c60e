#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# varnishd: a manager, a worker as another user's process, and gcc in the guest, which makes its configuration a library.
# table: varnish | varnish | uni pack varnishd --processes exec --add-program gcc
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cc1=$(gcc -print-prog-name=cc1)
cat > test.vcl << 'VCL'
vcl 4.1;
backend default none;
sub vcl_recv { return (synth(200, "Fine")); }
sub vcl_synth {
  set resp.http.Content-Type = "text/plain";
  synthetic("answered by " + req.url);
  return (deliver);
}
VCL
objects=()
for file in crti.o crtn.o libc.so libc_nonshared.a libpthread.a; do
  objects+=(-a "/usr/lib/x86_64-linux-gnu/$file:/usr/lib/x86_64-linux-gnu/$file")
done
pack varnish.img /usr/sbin/varnishd --processes exec --add-program /usr/bin/x86_64-linux-gnu-gcc --add-program "$cc1" --add-program /bin/sh \
  --add-program "$(gcc -print-prog-name=collect2)" --add-program /usr/bin/as --add-program /usr/bin/ld --add-program /bin/rm \
  -a "$(dirname "$cc1"):/usr/lib/gcc/x86_64-linux-gnu/$(gcc -dumpversion)" -a /usr/lib/x86_64-linux-gnu/varnish:/usr/lib/x86_64-linux-gnu/varnish \
  -a /usr/share/varnish:/usr/share/varnish -a /usr/include:/usr/include -a ./test.vcl:/etc/varnish/test.vcl \
  "${objects[@]}" \
  -- -F -a :6081 -f /etc/varnish/test.vcl -s malloc,32m -n /tmp/varnish -p thread_pools=1 -p thread_pool_min=10
guest varnish.img -m 512M -c 2 -p "$port:6081"
await 150 http "http://127.0.0.1:$port/here"
same "the answer" "$(http "http://127.0.0.1:$port/there")" "answered by /there"
has "its headers" "$(http -D - "http://127.0.0.1:$port/")" "X-Varnish"
under_load "http://127.0.0.1:$port/"
signal_guest TERM
ended 0 40

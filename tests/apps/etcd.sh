#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# etcd on two processors: keys, a transaction, a watch, under load; SIGTERM ends it with 143, as on Linux.
# table: etcd | etcd-server | uni pack etcd
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:$port
pack etcd.img etcd -- --data-dir /var/lib/etcd --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls "http://127.0.0.1:$port"
guest etcd.img -c 2 -m 256M -p "$port:2379"
await 60 etcdctl endpoint health
timeout 60 etcdctl watch uni/watched > watch.out 2>&1 &
service_pid=$!
same "put" "$(etcdctl put uni/a hello)" OK
same "get" "$(etcdctl get --print-value-only uni/a)" hello
same "a transaction" "$(printf 'value("uni/a") = "hello"\n\nput uni/b yes\n\nput uni/b no\n\n' | etcdctl txn | tr '\n' ' ')" "SUCCESS  OK "
same "its effect" "$(etcdctl get --print-value-only uni/b)" yes
watched() { etcdctl put uni/watched now && grep -q now watch.out; }
await 20 watched
same "del" "$(etcdctl del --prefix uni/)" 3
under_load "http://127.0.0.1:$port/health"
signal_guest TERM
ended 143 20

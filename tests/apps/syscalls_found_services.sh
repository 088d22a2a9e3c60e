#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Databases and programs in Go: what `uni inspect` finds against what strace sees of them under a load on Linux.
SYSCALLS_OF=${SYSCALLS_OF:-caddy prometheus etcd postgres mariadb}
. "$(dirname "$0")/syscalls_found_servers.sh"

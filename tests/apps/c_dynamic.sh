#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A C HTTP server with a thread for each connection, linked dynamic.
# table: C, glibc | - | uni pack ./httpd
. "$(dirname "$0")/c_server.bash"
c_server httpd-dynamic

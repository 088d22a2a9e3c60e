#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A C HTTP server with a thread for each connection, linked static.
# table: C, glibc, static | - | uni pack ./httpd
. "$(dirname "$0")/c_server.bash"
c_server httpd-static

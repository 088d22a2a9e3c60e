#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A C HTTP server with a thread for each connection, linked musl.
# table: C, musl | - | uni pack ./httpd
. "$(dirname "$0")/c_server.bash"
c_server httpd-musl

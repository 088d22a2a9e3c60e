#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# php's command line with the extensions that its configuration loads, found by the packer alone.
# table: php | php-cli | uni pack php
. "$(dirname "$0")/../lib.sh"
pack php.img php -- -r 'echo json_encode([6 * 7, ctype_digit("12")]), "\n"; exit(3);'
guest php.img -m 512M
ended 3 200
same "the output" "$(cat guest.out)" "[42,true]"

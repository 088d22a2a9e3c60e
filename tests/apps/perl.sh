#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# perl with modules of its library, found by the packer alone.
# table: perl | perl | uni pack perl
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2016 # perl's own variables
pack perl.img perl -- -MPOSIX=floor -MList::Util=sum -MJSON::PP -e 'print encode_json([sum(1 .. 8), floor(6.5)]), "\n"; exit 3'
guest perl.img -m 256M
ended 3 120
same "the output" "$(cat guest.out)" "[36,6]"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ruby with its standard library, found by the packer alone.
# table: ruby | ruby | uni pack ruby
. "$(dirname "$0")/../lib.sh"
pack ruby.img ruby -- -e 'require "json"; require "set"; puts JSON.generate(Set[6 * 7].to_a); exit 3'
guest ruby.img -m 512M
ended 3 200
same "the output" "$(cat guest.out)" "[42]"

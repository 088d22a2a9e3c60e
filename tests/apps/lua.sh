#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lua, and a module beside the script.
# table: lua | lua5.4 | uni pack lua5.4
. "$(dirname "$0")/../lib.sh"
mkdir site
echo 'return {answer = 6 * 7}' > site/numbers.lua
echo 'print(require("numbers").answer) os.exit(3)' > site/main.lua
pack lua.img lua5.4 -a site:/srv -w /srv -- main.lua
guest lua.img
ended 3 60
same "the output" "$(cat guest.out)" 42

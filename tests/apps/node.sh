#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# node: a timer, a promise and a module of its own.
# table: node | nodejs | uni pack node
. "$(dirname "$0")/../lib.sh"
pack node.img node -- -e 'const crypto = require("crypto");
  setTimeout(() => { console.log(crypto.createHash("sha256").update("uni").digest("hex").slice(0, 8)); process.exit(3); }, 10);'
guest node.img -m 768M
ended 3 280
same "the output" "$(cat guest.out)" "$(printf uni | sha256sum | cut -c1-8)"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The real QEMU takes our arguments on both machines, with all devices, and leaves no file behind.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image hostname=test
mkdir -p temporary a b
export TMPDIR=$PWD/temporary
for machine in microvm q35; do
  for flags in "" "-c 2 -m 64M --rng" "-p 18998:80 -p 18998:53/udp" "-v ./a:/a -v ./b:/b:ro" "--net passt"; do
    case $flags in *passt*) command -v passt >/dev/null || continue ;; esac
    # shellcheck disable=SC2086
    status 125 timeout 30 "$UNI" run test.img --verbose --machine $machine $flags </dev/null >out 2>err
    grep -q "hello from an empty kernel" err || fail "$machine $flags: $(tail -n 3 err)"
    grep -q "the machine ended without an exit status: it was reset or powered off" err || fail "$machine $flags: $(cat err)"
  done
done
same "$(ls -A temporary)" "" "files left behind"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The CI step converts a release and boots it under TCG; what goes wrong is an annotation and the right status.
. "$(dirname "$0")/../lib.sh"
convert() { env -u GITHUB_STEP_SUMMARY UNI="$UNI" "$UNI_TOP/packaging/ci/convert" "$@"; }
cat > main.c <<'C'
#include <stdio.h>
int main(int argc, char** argv) { return printf("version %s\n", argc > 1 ? argv[1] : "none") < 0; }
C
cc -static -o server main.c

export GITHUB_ACTIONS=true
same "the status" "$(GITHUB_STEP_SUMMARY=summary status_of env UNI="$UNI" "$UNI_TOP/packaging/ci/convert" ./server \
  --report report.json --expect "version 1.2" -e PORT=80 -- 1.2)" 0
has "the annotation" "$(cat out)" "::notice title=uni::smoke test passed"
has "the summary" "$(cat summary)" "verdict"
has "the report" "$(cat report.json)" '"verdict"'
has "the flags of pack" "$(cat server.yaml)" "PORT=80"
same "a smoke test that fails" "$(status_of convert ./server --expect "version 2" -- 1.2)" 5
has "its annotation" "$(cat out)" "::error title=uni::smoke test: no \`version 2\` in the output"
same "no program" "$(status_of convert ./none)" 1
has "its annotation" "$(cat out)" "::error title=uni::uni: error: ./none: no such file"
same "no arguments" "$(status_of convert)" 2
unset GITHUB_ACTIONS
same "outside of a workflow" "$(status_of convert ./none)" 1
has "its error" "$(cat err)" "error: uni: error: ./none"

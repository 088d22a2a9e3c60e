#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Manifests follow the published schema; the reader refuses what the schema refuses, with line and column; a variable
# that is given by its name is nowhere recorded.
. "$(dirname "$0")/../lib.sh"
echo 'int main(void) { return 0; }' > main.c
cc -static -o server main.c
mkdir site
ln -s page site/link
echo page > site/page
SECRET=hidden-value pack server.img ./server -a site:/srv -e PORT=80 -e SECRET -w /srv -u 1000:1000 -- --serve ''
grep -q '^  - SECRET$' server.yaml || fail "the name of a secret is not in the manifest"
# The kernel, the configuration and the manifest; between them lies a gigabyte of holes.
{ cat server.yaml; head -c 4M server.img; tail -c 4M server.img; } | tr '\0' '\n' > recorded
grep -aq PORT=80 recorded || fail "the test does not look where the environment is"
! grep -aq hidden-value recorded || fail "a secret's value is recorded"

# Everything that a manifest can hold.
cat > more.part <<'Y'
resources:
  memory: 64M
  cpus: 2
network:
  publish: ["8080:80"]
volumes: ["data:/data:ro"]
ports:
  - {number: 80, evidence: "recipe x"}
  - {evidence: "/usr/bin/x: main -> bind: the port is computed at run time"}
Y
sed -e '/^time:/r more.part' -e 's/^  processes: .*/  processes: exec/' server.yaml > full.yaml
grep -q 'cpus: 2' full.yaml || fail "the test's own edit did not work"
"$UNI" pack full.yaml -o full.img 2> err || fail "a full manifest is refused: $(cat err)"

# refused LINE:COLUMN REASON SED-SCRIPT: the reader does not take what the edit makes (nor does the schema, see below).
count=0
refused() {
  count=$((count + 1))
  sed "$3" server.yaml > bad$count.yaml
  same "the status of \`$3\`" "$(status_of "$UNI" pack bad$count.yaml -o bad.img)" 1
  has "the error of \`$3\`" "$(cat err)" "bad$count.yaml:$1: $2"
}
at() { grep -nm1 "$1" server.yaml | cut -d: -f1; }
refused 2:1 "unknown key \`colour\`" '2i colour: red'
refused 1:1 "\`version\` is 2" 's/^version: 1/version: 2/'
refused "$(at ^name:):1" "\`name\` must be a file name" 's|^name: .*|name: a/b|'
refused "$(at ^program:):1" "\`program\` must be an absolute path" 's|^program: .*|program: usr/bin|'
refused "$(at ^user:):8" "\`user.uid\` must be a whole number" 's|^user: {uid: [0-9]*|user: {uid: root|'
refused "$(at '^  processes:'):3" "\`permissions.processes\` must be" 's|^  processes: .*|  processes: many|'
refused "$(at '    mode:'):5" "\`files.mode\` must be octal" '0,/^    mode: .*/s//    mode: "0999"/'
refused "$(at '    sha256:'):5" "\`files.sha256\` must be 64" '0,/^    sha256: ./s//    sha256: x/'
refused "$(at '    type: symlink'):5" "\`files.type\` must be" '0,/^    type: symlink/s//    type: fifo/'
refused "$(at '    target:'):5" "unknown key \`files.goal\`" '0,/^    target:/s//    goal:/'
sed 's/^name: .*/name: [/' server.yaml > broken.yml
same "broken YAML" "$(status_of "$UNI" pack broken.yml -o bad.img)" 1
has "broken YAML" "$(cat err)" "not valid YAML"
[ ! -e bad.img ] || fail "a refused manifest left an image"

python3 "$UNI_TOP/tests/e2e/schema.py" "$UNI_TOP/manifests/schema/uni-manifest-1.json" ./*.yaml > schema.out
for good in server full; do has "the schema" "$(cat schema.out)" "./$good.yaml: valid"; done
same "the bad manifests that the schema allows" "$(grep '^./bad.*: valid$' schema.out || true)" ""
same "the bad manifests" "$(grep -c '^./bad' schema.out)" "$count"

# A recipe is data too: all of them follow the reader's rules, or nothing could be packed at all.
[ "$(find "$UNI_TOP/manifests/recipes" -name '*.yaml' | wc -l)" -ge 12 ] || fail "recipes are missing"

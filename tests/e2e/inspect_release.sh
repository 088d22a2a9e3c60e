#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a release is reviewed with: the difference of two images, and bills of material.
. "$(dirname "$0")/../lib.sh"
cat > main.c <<'C'
#include <stdio.h>
#include <unistd.h>
#ifdef NEW
#include <sys/socket.h>
int main(void) { return socket(AF_INET, SOCK_STREAM, 0) + (fork() == 0); }
#else
int main(void) { return getpid() == 0; }
#endif
C
cc -o server main.c
mkdir site
echo one > site/page
echo gone > site/gone
pack old.img ./server -a site:/srv -e MODE=a --limit files=100 --limit cpu=0.5
cc -DNEW -o server main.c
rm site/gone
echo new > site/new
pack new.img ./server -a site:/srv -e MODE=b -e SECRET --limit cpu=1.25 --limit threads=9

"$UNI" inspect --diff old.img new.img > diff.txt || fail "the difference fails"
for line in "- /srv/gone 5 bytes 0644" "+ /srv/new 4 bytes 0644" "~ /usr/local/bin/server: " "+ socket " \
  "+ evidence /usr/local/bin/server: main -> fork" "~ environment MODE: a -> b" "+ environment SECRET from \`uni run\`" \
  "- limit files 100" "+ limit threads 9" "~ limit cpu: 0.5 processors -> 1.25 processors"; do
  has "the difference" "$(cat diff.txt)" "$line"
done
same "no difference" "$("$UNI" inspect --diff old.img old.yaml)" ""
same "one subject" "$(status_of "$UNI" inspect --diff old.img)" 2
same "two subjects" "$(status_of "$UNI" inspect old.img new.img)" 2
"$UNI" inspect --diff old.img new.img --json > diff.json
"$UNI" inspect new.img --sbom spdx spdx.json || fail "no SPDX document"
"$UNI" inspect new.yaml --sbom spdx spdx2.json || fail "no SPDX document of a manifest"
cmp spdx.json spdx2.json || fail "the image and its manifest have different documents"
"$UNI" inspect new.img --sbom cyclonedx - > cyclonedx.json || fail "no CycloneDX document"
same "another format" "$(status_of "$UNI" inspect new.img --sbom xml x)" 2

python3 - <<'PY' || fail "a document is wrong"
import hashlib, json, re
d = json.load(open("diff.json"))
assert set(d) == {"files", "packages", "syscalls", "permissions", "settings", "bytes"}, d.keys()
assert any(s.startswith("/srv/new ") for s in d["files"]["gained"]), d["files"]

s = json.load(open("spdx.json"))
# The fields that SPDX 2.3 requires.
assert s["spdxVersion"] == "SPDX-2.3" and s["dataLicense"] == "CC0-1.0" and s["SPDXID"] == "SPDXRef-DOCUMENT"
assert s["name"] and re.match(r"[a-z]+:", s["documentNamespace"]) and "#" not in s["documentNamespace"]
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", s["creationInfo"]["created"]) and s["creationInfo"]["creators"]
ids = [e["SPDXID"] for e in s["packages"] + s["files"]]
assert len(ids) == len(set(ids)) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
assert all(p["name"] and p["downloadLocation"] for p in s["packages"])
for f in s["files"]:
    sums = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
    assert f["fileName"].startswith("./") and len(sums["SHA1"]) == 40 and len(sums["SHA256"]) == 64, f
    if f["fileName"] == "./srv/new":
        assert sums["SHA1"] == hashlib.sha1(b"new\n").hexdigest()
known = set(ids) | {"SPDXRef-DOCUMENT"}
assert all(r["spdxElementId"] in known and r["relatedSpdxElement"] in known for r in s["relationships"])
libc = next(p for p in s["packages"] if p["name"] == "libc6")
assert libc["versionInfo"] and libc["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/")
assert libc["sourceInfo"].startswith("built from glibc ")
# What the schema does not say: only a package whose files were analysed contains any, and it has their verification code (7.8, 7.9).
image = next(p for p in s["packages"] if p["SPDXID"] == "SPDXRef-Image")
sums = sorted(c["checksumValue"] for f in s["files"] for c in f["checksums"] if c["algorithm"] == "SHA1")
assert image["filesAnalyzed"] and image["packageVerificationCode"]["packageVerificationCodeValue"] == hashlib.sha1("".join(sums).encode()).hexdigest()
assert all(not p["filesAnalyzed"] and "packageVerificationCode" not in p for p in s["packages"] if p is not image)
files = {f["SPDXID"]: f["fileName"] for f in s["files"]}
of = lambda kind: [(r["spdxElementId"], r["relatedSpdxElement"]) for r in s["relationships"] if r["relationshipType"] == kind]
assert {a for a, b in of("CONTAINS") if b in files} == {"SPDXRef-Image"} and {b for a, b in of("CONTAINS")} >= set(files)
assert {files[a] for a, b in of("EXPANDED_FROM_ARCHIVE") if b == libc["SPDXID"]} >= {"./usr/lib/x86_64-linux-gnu/libc.so.6"}
assert all(a in files and b in ids for a, b in of("EXPANDED_FROM_ARCHIVE"))
# Expressions (annex D): operators between terms, brackets in pairs.
TERM = r"(?:[A-Za-z0-9.-]+)"
for p in s["packages"]:
    text = p["licenseDeclared"]
    while (less := re.sub(rf"\({TERM}(?: (?:AND|OR) {TERM})*\)", "X", text)) != text:
        text = less
    assert re.fullmatch(rf"{TERM}(?: AND {TERM})*", text), p["licenseDeclared"]
refs = {i["licenseId"] for i in s.get("hasExtractedLicensingInfos", [])}
for p in s["packages"]:
    assert set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", p["licenseDeclared"])) <= refs, p

c = json.load(open("cyclonedx.json"))
assert c["bomFormat"] == "CycloneDX" and c["specVersion"] == "1.5" and c["version"] == 1
assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", c["serialNumber"])
seen = []
def walk(components):
    for x in components:
        assert x["type"] in ("library", "file", "application") and x["name"]
        seen.append(x["bom-ref"])
        walk(x.get("components", []))
walk(c["components"])
assert len(seen) == len(set(seen)) and "file:/srv/new" in seen
assert set(c["dependencies"][0]["dependsOn"]) <= set(seen)
PY

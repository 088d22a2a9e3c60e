#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The page of `uni inspect --html` in a browser: the tree-map is drawn, each box with its size and reason, its areas are
# in proportion; nothing is loaded from elsewhere; the table has every file; names that look like markup stay text.
. "$(dirname "$0")/../lib.sh"
browser=$(command -v chromium || command -v chromium-browser) || fail "chromium is missing: see packaging/packages.txt"
echo 'int main(void) { return 0; }' > main.c
cc -o server main.c
mkdir site
head -c 2000000 /dev/urandom > site/big
head -c 1000000 /dev/urandom > site/half
# shellcheck disable=SC2016 # markup, not a command
echo x > 'site/<b>"&<!--<script>alert(1)'
pack server.img ./server -a site:/srv
"$UNI" inspect --html page.html server.img > out || fail "no page"
[ ! -s out ] || fail "the page is not all that is written"
! grep -qE '(src|href)=|@import|url\(|https?://' page.html || fail "the page refers to something else"

look() {
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1200,900 --virtual-time-budget=3000 \
    --user-data-dir="$(mktemp -d "$PWD/profile.XXXX")" "$@" 2> browser.err
}
look --dump-dom "file://$PWD/page.html" > dom || fail "the browser: $(tail -n 3 browser.err)"
look --dump-dom "file://$PWD/page.html#directory" > dom.directory || fail "the browser: $(tail -n 3 browser.err)"
cat > check.py <<'PY'
import re, sys
from html.parser import HTMLParser

class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.boxes, self.cells, self.in_cell, self.tags = [], [], False, set()
    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.tags.add(tag)
        if tag == "div" and "data-size" in a:
            place = {k: float(v) for k, v in re.findall(r"(left|top|width|height): ?([\d.e-]+)px", a["style"])}
            self.boxes.append((a["title"], int(a["data-size"]), place))
        if tag == "td":
            self.cells.append("")
            self.in_cell = True
    def handle_endtag(self, tag):
        if tag == "td":
            self.in_cell = False
    def handle_data(self, data):
        if self.in_cell:
            self.cells[-1] += data

page = Page()
page.feed(open(sys.argv[1], encoding="utf-8").read())
assert "b" not in page.tags, "a file's name became markup"
assert '/srv/<b>"&<!--<script>alert(1)' in page.cells, "the table lacks a file"
boxes = {t.split("\n")[0]: (t, s, p) for t, s, p in page.boxes}
area = lambda name: boxes[name][2]["width"] * boxes[name][2]["height"]
if sys.argv[2] == "package":
    # The user's files have no package: their group is their reason.
    assert abs(area("/srv/big") / area("/srv/half") - 2) < 0.1, (area("/srv/big"), area("/srv/half"))
    title = boxes["/srv/big"][0]
    assert "named by the user" in title and "MiB" in title, title
    assert any(t.startswith("libc6 ") for t in boxes), list(boxes)[:5]
    outer = [p for t, s, p in page.boxes if t.endswith(" below")]
    assert 0.97 < sum(p["width"] * p["height"] for p in outer) / (max(p["left"] + p["width"] for p in outer) *
                                                                  max(p["top"] + p["height"] for p in outer)) < 1.03
else:
    assert "srv" in boxes and "usr" in boxes, list(boxes)[:5]
PY
python3 check.py dom package || fail "the map by package"
python3 check.py dom.directory directory || fail "the map by directory"
look --screenshot="$PWD/page.png" "file://$PWD/page.html" > /dev/null || fail "the browser: $(tail -n 3 browser.err)"
[ "$(stat -c %s page.png)" -gt 20000 ] || fail "the picture is empty"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# iconv of glibc: charsets that are modules of their own (gconv), from and to, one through another.
# table: iconv | libc-bin | uni pack iconv
. "$(dirname "$0")/../lib.sh"
text='Россия, 日本'
pack iconv.img iconv
convert() {
  "$UNI" run iconv.img -- "$@" 2> err || fail "iconv $* failed: $(cat err)"
}
for charset in UTF-16BE UTF-7 EUC-JP GB18030; do
  iconv -f UTF-8 -t "$charset" <<< "$text" > wanted
  convert -f UTF-8 -t "$charset" <<< "$text" > got
  cmp got wanted || fail "$charset differs from Linux"
  same "back from $charset" "$(convert -f "$charset" -t UTF-8 < got)" "$text"
done
same "from one module to another" "$(printf '\xf2\xcf\xd3\xd3\xc9\xd1' | convert -f KOI8-R -t CP1251 | od -An -tx1)" " d0 ee f1 f1 e8 ff"
same "approximations" "$(convert -f UTF-8 -t US-ASCII//TRANSLIT <<< "$text")" "$(iconv -f UTF-8 -t US-ASCII//TRANSLIT <<< "$text")"
same "a charset that is none" "$(status_of "$UNI" run iconv.img -- -f NONE -t UTF-8)" "$(status_of iconv -f NONE -t UTF-8)"

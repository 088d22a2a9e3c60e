#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `make -j2` with gcc in the guest: two objects at a time, through cc1, as, collect2 and ld, and what they make runs there.
. "$(dirname "$0")/../lib.sh"
cc1=$(gcc -print-prog-name=cc1)
version=$(gcc -dumpversion)
mkdir src
printf '#include <stdio.h>\nint twice(int);\nint main(void) { return printf("twice 21 is %%d\\n", twice(21)) < 0; }\n' > src/main.c
printf 'int twice(int x) { return 2 * x; }\n' > src/twice.c
# shellcheck disable=SC2016 # for make
printf 'twice: main.o twice.o\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O2 -c -o $@ $<\ncheck: twice\n\t./twice\n.PHONY: check\n' > src/Makefile
objects=()
for file in Scrt1.o crti.o crtn.o libc.so libc_nonshared.a; do
  objects+=(-a "/usr/lib/x86_64-linux-gnu/$file:/usr/lib/x86_64-linux-gnu/$file")
done
pack make.img /usr/bin/make --processes exec --add-program /usr/bin/gcc --add-program "$cc1" --add-program /bin/sh \
  --add-program "$(gcc -print-prog-name=collect2)" --add-program /usr/bin/as --add-program /usr/bin/ld \
  -a "$(dirname "$cc1"):/usr/lib/gcc/x86_64-linux-gnu/$version" -a /usr/include:/usr/include \
  "${objects[@]}" \
  -a ./src:/src -w /src -- -j2 check
"$UNI" run -m 512M -c 2 make.img > out 2> err || fail "make failed with status $?: $(tail -n 3 err)"
same "what was made" "$(tail -n 1 out)" "twice 21 is 42"
same "the commands" "$(grep -c '^gcc' out)" 3

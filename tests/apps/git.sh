#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# git from a shell: init, commits, a branch, a merge, garbage collection, fsck. It starts its own helpers, some of them
# in the background.
# table: git | git | uni pack ./script --processes exec --add-program git
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2016 # for the guest's shell
pack git.img /bin/bash --processes exec --add-program /usr/bin/git --add-program /bin/cat --add-program /bin/mkdir \
  -a /usr/lib/git-core:/usr/lib/git-core -a /usr/share/git-core:/usr/share/git-core -e HOME=/tmp -e GIT_AUTHOR_NAME=a \
  -e GIT_AUTHOR_EMAIL=a@b -e GIT_COMMITTER_NAME=a -e GIT_COMMITTER_EMAIL=a@b -- -ec '
mkdir /tmp/r
cd /tmp/r
git init -q .
echo one > f
git add f
git commit -qm first
echo two >> f
git commit -qam second
git checkout -qb side HEAD~1
echo three > g
git add g
git commit -qm third
git merge -q --no-edit master
git gc -q
git fsck --strict
git log --oneline --format=%s
cat f g'
"$UNI" run -m 256M git.img > out 2> err || fail "git failed with status $?: $(tail -n 3 err)"
same "what git did" "$(cat out)" "Merge branch 'master' into side
third
second
first
one
two
three"

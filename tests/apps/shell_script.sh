#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A shell script as the program: pipes, here-documents, command substitution, background jobs, traps, statuses.
. "$(dirname "$0")/../lib.sh"
cat > script <<'EOF2'
#!/bin/bash
set -e
for i in 1 2 3; do echo $i; done | while read -r x; do echo "got $x"; done
cat <<E | tr a-z A-Z
here document $(echo sub)
E
sleep 60 & p=$!
kill $p
wait $p || echo "status $?"
(exit 4) || echo "sub $?"
seq 1 100000 | tail -n 1
printf '%s\n' b a c | sort | head -n 1
diff <(echo same) <(echo same) && echo alike
trap 'echo bye; exit 5' TERM
kill -TERM $$
EOF2
chmod +x script
pack script.img ./script --processes exec --add-program cat --add-program tr --add-program sleep --add-program seq \
  --add-program tail --add-program sort --add-program head --add-program diff
same "the status" "$(status_of "$UNI" run script.img < /dev/null)" 5
same "the output" "$(cat out)" "$(./script 2> /dev/null || true)"

# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Run by tests/kvm/nest, inside, by busybox's sh: boots images on KVM, uses them, and counts the exits from guest to KVM.
# Prints a line `name value` for each thing that tests/apps/kvm.sh looks at.
all_exits=/sys/kernel/debug/kvm/exits

note() { echo "@ $1 $2"; }

exits() { cat $all_exits; }

# serve IMAGE PORT: a guest in the background that publishes the port; its id in $guest.
serve() {
  /uni/bin/uni run --accel kvm -p "$2:$2" "$1" < /dev/null > /guest.out 2>&1 &
  guest=$!
}

# await COMMAND: until it succeeds; a minute at most, half a minute without an answer.
await() {
  tries=0
  until timeout 30 "$@" > /await.out 2>&1; do
    status=$?
    tries=$((tries + 1))
    if [ $tries -gt 240 ] || [ $status = 143 ] || ! kill -0 $guest 2> /dev/null; then
      echo "\`$*\`: status $status after $tries tries"
      cat /await.out /guest.out
      return 1
    fi
    sleep 0.25
  done
}

# finish NAME: notes the status that the guest ends with; it must end by itself within a minute.
finish() {
  tries=0
  while kill -0 $guest 2> /dev/null && [ $tries -lt 240 ]; do
    tries=$((tries + 1))
    sleep 0.25
  done
  if [ $tries = 240 ]; then
    echo "the guest has not ended: $(cat /guest.out)"
    kill -9 $guest
  fi
  wait $guest
  note "$1.status" $?
}

# The count goes with its machine, so it is read until the machine has gone.
hello() {
  timeout 60 /uni/bin/uni run --accel kvm /hello.img > /hello.out 2> /hello.err &
  guest=$!
  most=0
  while kill -0 $guest 2> /dev/null; do
    now=$(exits)
    [ "$now" -le "$most" ] || most=$now
  done
  wait $guest
  note hello.status $?
  note hello.output "$(cat /hello.out)"
  note hello.exits "$most"
  cat /hello.err
}

http() {
  serve /httpd.img 8080
  if await wget -q -O /answer http://127.0.0.1:8080/; then
    note httpd.answer "$(cat /answer)"
    before=$(exits)
    timeout 60 wrk -t1 -c1 -d"$SECONDS_OF_LOAD" http://127.0.0.1:8080/ > /wrk.out
    after=$(exits)
    requests=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' /wrk.out)
    note httpd.requests "$requests"
    note httpd.errors "$(grep -c -E 'Socket errors|Non-2xx' /wrk.out)"
    note httpd.exits $((after - before))
    before=$(exits)
    timeout 60 wrk -t1 -c32 -d"$SECONDS_OF_LOAD" http://127.0.0.1:8080/ > /wrk.out
    after=$(exits)
    note httpd.requests32 "$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' /wrk.out)"
    note httpd.errors32 "$(grep -c -E 'Socket errors|Non-2xx' /wrk.out)"
    note httpd.exits32 $((after - before))
    timeout 30 wget -q -O - http://127.0.0.1:8080/quit > /dev/null
  fi
  finish httpd
}

redis() {
  serve /redis.img 6379
  if await redis-cli ping; then
    note redis.ping "$(timeout 30 redis-cli ping)"
    timeout 60 redis-benchmark -q -n 2000 -c 10 -t set,get --csv > /redis.csv
    note redis.lines "$(grep -c -E '^"(SET|GET)"' /redis.csv)"
    note redis.keys "$(timeout 30 redis-cli set greeting hello > /dev/null; timeout 30 redis-cli get greeting)"
    timeout 30 redis-cli shutdown nosave > /dev/null
  fi
  finish redis
}

SECONDS_OF_LOAD=5s
hello
http
redis

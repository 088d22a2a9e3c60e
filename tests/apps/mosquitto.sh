#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mosquitto: subscribers and publishers of this machine, a retained message, a thousand messages of each quality of
# service; SIGTERM ends it with 0.
# table: mosquitto | mosquitto | uni pack mosquitto
. "$(dirname "$0")/../lib.sh"
port=$(free_port)
cat > mosquitto.conf <<'CONF'
listener 1883
allow_anonymous true
max_queued_messages 0
log_dest stderr
log_type subscribe
log_type information
log_type notice
CONF
pack mosquitto.img "$(PATH=$PATH:/usr/sbin command -v mosquitto)" -a ./mosquitto.conf:/etc/mosquitto/mosquitto.conf \
  -- -c /etc/mosquitto/mosquitto.conf
guest mosquitto.img -p "$port:1883"
publish() { mosquitto_pub -p "$port" "$@"; }
subscribe() { timeout 60 mosquitto_sub -p "$port" "$@"; }
await 60 publish -t uni/kept -r -m hello
same "the retained message" "$(subscribe -t uni/kept -C 1)" hello
thousand() {
  local qos=$1 topic=uni/many/$RANDOM reader
  subscribe -t "$topic" -q "$qos" -C 1000 > "got.$qos" &
  reader=$!
  await 20 grep -q "$qos $topic" guest.err
  # This client, once in thousands of runs, has published all and waits for its own thread for ever: ended, then.
  seq 1000 | timeout 30 mosquitto_pub -p "$port" -t "$topic" -q "$qos" -l || [ $? = 124 ] || fail "publishing with quality $qos failed"
  wait $reader || fail "a thousand messages with quality $qos did not arrive"
  same "the messages of quality $qos" "$(sort -n "got.$qos")" "$(seq 1000)"
}
each_quality() { thousand 0 && thousand 1 && thousand 2; }
repeated each_quality
signal_guest TERM
ended 0 20
has "the log" "$(cat guest.err)" "terminating"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The legacy provider and an engine, both opened at run time; keys, a signature, a cipher.
# table: openssl | openssl | uni pack openssl
. "$(dirname "$0")/../lib.sh"
mkdir data
echo text > data/text
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out data/key.pem
openssl pkey -in data/key.pem -pubout -out public.pem
pack openssl.img openssl -a data:/data
in_guest() {
  "$UNI" run openssl.img -- "$@" 2> err || fail "openssl $* gives status $?: $(cat err)"
}
both() {
  same "$*" "$(in_guest "$@" < data/text | od -c)" "$(openssl "$@" < data/text | od -c)"
}
both dgst -sha256
both dgst -provider legacy -provider default -md4
both enc -provider legacy -provider default -des-cbc -K 0123456789abcdef -iv 0123456789abcdef
both enc -aes-256-cbc -pbkdf2 -S 0123456789abcdef -pass pass:secret
same "without the provider" "$(status_of "$UNI" run openssl.img -- dgst -md4 /data/text)" 1
both engine -t -c loader_attic
same "a key through the engine" "$(in_guest storeutl -noout -engine loader_attic /data/key.pem)" $'0: Pkey\nTotal found: 1'
in_guest dgst -sha256 -sign /data/key.pem /data/text > signature
openssl dgst -sha256 -verify public.pem -signature signature data/text > out || fail "the signature: $(cat out)"
same "numbers" "$(in_guest rand -hex 16 | wc -c)" 33

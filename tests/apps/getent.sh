#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The C library's name services (NSS): from files and through a module that nsswitch.conf names.
# table: getent (glibc NSS) | libc-bin | uni pack getent
. "$(dirname "$0")/../lib.sh"
cat > module.c <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <string.h>

enum nss_status _nss_unitest_getservbyname_r(const char* name, const char* protocol, struct servent* out, char* buffer, size_t size,
                                             int* error) {
  static char the_name[] = "unitest", the_protocol[] = "tcp";
  *error = ENOENT;
  if (strcmp(name, the_name) != 0) return NSS_STATUS_NOTFOUND;
  *error = ERANGE;
  if (size < sizeof(char*)) return NSS_STATUS_TRYAGAIN;
  memset(buffer, 0, sizeof(char*));
  *out = (struct servent){the_name, (char**)buffer, htons(4711), the_protocol};
  return protocol == NULL || strcmp(protocol, the_protocol) == 0 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}
C
cc -shared -fPIC -o libnss_unitest.so.2 module.c
printf 'passwd: files\ngroup: files\nhosts: files dns\nprotocols: files\nservices: unitest files\n' > nsswitch.conf
pack getent.img getent -a ./nsswitch.conf:/etc/nsswitch.conf -a ./libnss_unitest.so.2:/usr/lib/x86_64-linux-gnu/libnss_unitest.so.2
look() {
  "$UNI" run getent.img -- "$@" 2> err || fail "getent $* gives status $?: $(cat err)"
}
same "a user" "$(look passwd daemon)" "$(getent passwd daemon)"
same "a user by number" "$(look passwd 1)" "$(getent passwd 1)"
same "a group" "$(look group daemon)" "$(getent group daemon)"
same "a protocol" "$(look protocols udp)" "$(getent protocols udp)"
same "a host" "$(look hosts localhost)" "::1             localhost uni"
same "a service that only the module has" "$(look services unitest/tcp)" "unitest               4711/tcp"
same "a service of the file" "$(look services https/tcp)" "$(getent -s files services https/tcp)"
same "nobody" "$(status_of "$UNI" run getent.img -- passwd no-such-user)" 2

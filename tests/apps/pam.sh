#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program with libpam: the system's own configuration with pam_unix, and services that permit and deny.
# table: PAM | libpam-modules | uni pack ./login
. "$(dirname "$0")/../lib.sh"
cat > login.c <<'C'
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int answer(int count, const struct pam_message** asked, struct pam_response** out, void* password) {
  struct pam_response* all = calloc((size_t)count, sizeof *all);
  for (int i = 0; i < count; ++i)
    if (asked[i]->msg_style == PAM_PROMPT_ECHO_OFF) all[i].resp = strdup(password);
  *out = all;
  return PAM_SUCCESS;
}

/* login SERVICE USER PASSWORD */
int main(int argc, char** argv) {
  if (argc != 4) return 2;
  struct pam_conv conversation = {answer, argv[3]};
  pam_handle_t* pam = NULL;
  int result = pam_start(argv[1], argv[2], &conversation, &pam);
  if (result == PAM_SUCCESS) result = pam_authenticate(pam, 0);
  printf("authenticate: %s\n", pam_strerror(pam, result));
  if (result == PAM_SUCCESS) {
    result = pam_acct_mgmt(pam, 0);
    printf("account: %s\n", pam_strerror(pam, result));
  }
  if (result == PAM_SUCCESS) {
    result = pam_open_session(pam, 0);
    printf("session: %s\n", pam_strerror(pam, result));
    pam_close_session(pam, 0);
  }
  pam_end(pam, result);
  return result == PAM_SUCCESS ? 0 : 1;
}
C
cc -o login login.c -lpam
printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/tmp:/bin/sh\n' > passwd
printf 'root:*:19000::::::\nalice:%s:19000:0:99999:7:::\n' "$(openssl passwd -6 -salt salt wonderland)" > shadow
printf '%s required pam_permit.so\n' auth account session > permit
printf '%s required pam_deny.so\n' auth account session > deny
pack login.img ./login -a ./passwd:/etc/passwd -a ./shadow:/etc/shadow -a ./permit:/etc/pam.d/permit -a ./deny:/etc/pam.d/deny
attempt() {
  local status
  status=$(status_of "$UNI" run login.img -- "$@")
  echo "$(tr '\n' ' ' < out)$status"
}
all="authenticate: Success account: Success session: Success 0"
same "the right password" "$(attempt login-server alice wonderland)" "$all"
same "a wrong password" "$(attempt login-server alice looking-glass)" "authenticate: Authentication failure 1"
same "no such user" "$(attempt login-server bob wonderland)" "authenticate: Authentication failure 1"
same "a locked account" "$(attempt login-server root wonderland)" "authenticate: Authentication failure 1"
same "pam_permit" "$(attempt permit alice anything)" "$all"
same "pam_deny" "$(attempt deny alice wonderland)" "authenticate: Authentication failure 1"

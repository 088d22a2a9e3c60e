#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# reboot(2) ends the machine with status 0, whoever calls it, and what was written is on the host's disk.
. "$(dirname "$0")/../lib.sh"
cat > off.c << 'C'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char** argv) {
  const unsigned command = (unsigned)strtoul(argv[1], NULL, 0);
  const int fd = open("/data/file", O_CREAT | O_TRUNC | O_WRONLY, 0600);
  if (fd < 0 || write(fd, "written\n", 8) != 8) return 3;
  puts("before");
  fflush(stdout);
  if (argc > 2 && fork() > 0) return wait(NULL) < 0 ? 4 : 5;
  reboot((int)command);
  perror("reboot");
  return 6;
}
C
cc -o off off.c
pack off.img ./off --processes fork
for command in 0x4321fedc 0xcdef0123 0x01234567; do
  for child in "" child; do
    rm -rf data
    mkdir data
    # shellcheck disable=SC2086 # no argument where there is no child
    status=$(status_of "$UNI" run -v ./data:/data off.img -- "$command" $child)
    same "the status of $command $child" "$status" 0
    same "the file of $command $child" "$(cat data/file)" written
  done
done

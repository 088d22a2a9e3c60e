#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Java virtual machine runs a class of ours; where there is no compiler, it tells its version.
# table: Java | openjdk-17-jre-headless | uni pack java
. "$(dirname "$0")/../lib.sh"
mkdir site
arguments=(-version)
if command -v javac > /dev/null; then
  cat > Answer.java <<'J'
import java.util.stream.IntStream;
public class Answer {
  public static void main(String[] a) {
    System.out.println(IntStream.rangeClosed(1, 8).sum());
    System.exit(3);
  }
}
J
  javac -d site Answer.java
  arguments=(-cp /srv Answer)
fi
pack java.img java -a site:/srv -- -XX:+UseSerialGC -Xmx64m "${arguments[@]}"
guest java.img -m 768M
if [ "${arguments[0]}" = -version ]; then
  ended 0 280
  has "the version" "$(cat guest.err)" "Runtime Environment"
else
  ended 3 280
  same "the output" "$(cat guest.out)" 36
fi

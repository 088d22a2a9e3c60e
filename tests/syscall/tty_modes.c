// SPDX-License-Identifier: Apache-2.0
// termios(3): what the line discipline makes of what is typed and written.
#include "pty.h"

static int terminal, master;

// Types, and shows the echo (`echo` bytes) and, where `line` is not 0, what a read gives.
static void try(const char* what, const char* keys, long echo, size_t line) {
  type(master, keys);
  expect(what, master, echo);
  if (line) take("  read", terminal, line);
}

static void canonical(void) {
  try("plain", "ab\r", 4, 100);
  try("erase", "ab\177c\n", 8, 100);
  try("erase at the start", "\177x\n", 3, 100);
  try("kill", "abc\025d\n", 15, 100);
  try("word", "one two\027x\n", 19, 100);
  try("literal", "\026\003\n", 6, 100);
  try("control", "\001\n", 4, 100);
  try("erased control", "\001\177\n", 10, 100);
  try("reprint", "ab\022\n", 10, 100);
  try("tab", "a\tb\177\177c\n", 16, 100);
  try("end of file", "\004", 0, 100);
  try("end behind text", "ab\004", 2, 100);
  try("two lines", "1\n2\n", 6, 1);
  take("  read", terminal, 100);
  take("  read", terminal, 100);
  set_modes(terminal, 0, IUTF8, 0, 0);
  try("utf-8", "\303\244\177x\n", 8, 100);
  set_modes(terminal, IUTF8, 0, 0, 0);
}

static void modes(void) {
  struct termios t, old;
  tcgetattr(terminal, &old);
  set_modes(terminal, 0, 0, ECHO, 0);
  try("no echo", "ab\n", 0, 100);
  set_modes(terminal, 0, 0, 0, ECHONL);
  try("echonl", "ab\n", 2, 100);
  tcsetattr(terminal, TCSANOW, &old);
  set_modes(terminal, 0, 0, ECHOE | ECHOK | ECHOKE | ECHOCTL, 0);
  try("no echoe", "ab\177\n", 5, 100);
  try("no echok", "ab\025c\n", 6, 100);
  try("no echoctl", "\001\n", 3, 100);
  tcsetattr(terminal, TCSANOW, &old);
  set_modes(terminal, ICRNL, 0, 0, 0);
  try("no icrnl", "a\r\n", 5, 100);
  set_modes(terminal, 0, IGNCR, 0, 0);
  try("igncr", "a\rb\n", 4, 100);
  set_modes(terminal, IGNCR | ICRNL, ISTRIP, 0, 0);
  try("istrip", "\341\n", 3, 100);
  set_modes(terminal, ISTRIP, IUCLC, 0, 0);
  try("iuclc", "AbC\n", 5, 100);
  tcsetattr(terminal, TCSANOW, &old);
  t = old;
  t.c_cc[VEOL] = ';';
  tcsetattr(terminal, TCSANOW, &t);
  try("veol", "ab;", 3, 100);
  t.c_cc[VERASE] = 'x';
  t.c_cc[VKILL] = 0;
  tcsetattr(terminal, TCSANOW, &t);
  try("other keys", "abx\025\n", 9, 100);
  tcsetattr(terminal, TCSANOW, &old);
}

static void output(const char* what, unsigned clear, unsigned set, const char* text, long count) {
  struct termios old, t;
  tcgetattr(terminal, &old);
  t = old;
  t.c_oflag = (t.c_oflag & ~clear) | set;
  tcsetattr(terminal, TCSANOW, &t);
  write(terminal, text, strlen(text));
  expect(what, master, count);
  tcsetattr(terminal, TCSANOW, &old);
}

static void raw(void) {
  struct termios t;
  tcgetattr(terminal, &t);
  cfmakeraw(&t);
  tcsetattr(terminal, TCSANOW, &t);
  type(master, "\003\r\n\004x");
  char bytes[8];
  t.c_cc[VMIN] = 5;
  tcsetattr(terminal, TCSANOW, &t);
  take("raw", terminal, 100);
  t.c_cc[VMIN] = 0;
  t.c_cc[VTIME] = 0;
  tcsetattr(terminal, TCSANOW, &t);
  take("nothing", terminal, 100);
  t.c_cc[VTIME] = 1;
  tcsetattr(terminal, TCSANOW, &t);
  double before = seconds_now();
  RET(read(terminal, bytes, 8));
  IS(seconds_now() - before > 0.09);
  type(master, "q");
  t.c_cc[VTIME] = 100;
  tcsetattr(terminal, TCSANOW, &t);
  take("one", terminal, 100);
  t.c_cc[VMIN] = 3;
  t.c_cc[VTIME] = 1;
  tcsetattr(terminal, TCSANOW, &t);
  type(master, "z");
  take("pause between", terminal, 100);
  t.c_cc[VTIME] = 0;
  tcsetattr(terminal, TCSANOW, &t);
  fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  take("none", terminal, 8);
  fcntl(terminal, F_SETFL, O_RDWR);
  type(master, "abcd");
  take("four", terminal, 8);
  t.c_iflag |= PARMRK;
  t.c_cc[VMIN] = 2;
  tcsetattr(terminal, TCSANOW, &t);
  type(master, "\377");
  take("parmrk", terminal, 8);
}

static void flow(void) {
  type(master, "\023");
  // The stop has been worked off when the line behind it has.
  type(master, "x\n");
  take("line", terminal, 10);
  fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  RET(write(terminal, "held", 4));
  type(master, "\021");
  struct pollfd p = {terminal, POLLOUT, 0};
  RET(poll(&p, 1, 10000));
  fcntl(terminal, F_SETFL, O_RDWR);
  RET(write(terminal, "free", 4));
  expect("after", master, 7);
  RET(tcflow(terminal, TCIOFF));
  RET(tcflow(terminal, TCION));
  expect("asked", master, 2);
}

int main(void) {
  master = open_pty(&terminal);
  canonical();
  modes();
  output("onlcr", 0, 0, "a\nb", 4);
  output("no opost", OPOST, 0, "a\nb", 3);
  output("ocrnl", ONLCR, OCRNL, "a\rb", 3);
  output("onocr", 0, ONOCR, "\n\rb\r", 4);
  output("xtabs", 0, XTABS, "\r\tb", 10);
  output("olcuc", 0, OLCUC, "aBc1", 4);
  flow();
  raw();
  return done();
}

// SPDX-License-Identifier: Apache-2.0
// The control channel's lines and the kernel's log: what the guest says, in pieces of any size, hostile or not.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/vmm/control.hpp"
#include "cli/vmm/kernel_log.hpp"

namespace uni::vmm {
namespace {

GuestReport told(std::string_view text) {
  GuestReport report;
  report.feed(text);
  return report;
}

TEST_CASE("control words are split at spaces and unescaped") {
  CHECK(control_words("refused ENOENT /a%20b%0A") == std::vector<std::string>{"refused", "ENOENT", "/a b\n"});
  CHECK(control_words("") == std::vector<std::string>{""});
  CHECK(control_words("a%2") == std::vector<std::string>{"a%2"});
  CHECK(control_words("a%zz") == std::vector<std::string>{"a%zz"});
}

TEST_CASE("an exit status arrives in pieces") {
  GuestReport report;
  for (const char c : std::string("ready\nexit 7\n")) {
    CHECK_FALSE(report.status().has_value());
    report.feed(std::string_view(&c, 1));
  }
  CHECK(report.ready());
  CHECK(report.status() == 7);
}

TEST_CASE("a signal's number becomes a shell's status") {
  CHECK(told("killed 11\n").status() == 139);
}

TEST_CASE("statuses out of range or without a number are ignored") {
  for (const char* line : {"exit 256\n", "exit -1\n", "exit\n", "exit x\n", "exit 1x\n", "killed 65\n", "exit  1\n"}) {
    CAPTURE(line);
    CHECK_FALSE(told(line).status().has_value());
  }
}

TEST_CASE("a line without its end is not acted on") {
  CHECK_FALSE(told("exit 1").status().has_value());
}

TEST_CASE("an endless line is dropped, and the next one is read") {
  const GuestReport report = told(std::string(1'000'000, 'x') + "\nexit 3\n");
  CHECK(report.status() == 3);
}

TEST_CASE("what the program lacked becomes hints, once each and printable") {
  const GuestReport report =
      told("missing-syscall io_uring_setup\nmissing-syscall io_uring_setup\nmissing-syscall a%1b[1m\n");
  REQUIRE(report.hints().size() == 2);
  CHECK(report.hints()[0].find("`io_uring_setup`") != std::string::npos);
  CHECK(report.hints()[1].find('\x1b') == std::string::npos);
}

TEST_CASE("hints are bounded") {
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += "missing-syscall " + std::to_string(i) + "\n";
  CHECK(told(many).hints().size() == 20);
}

TEST_CASE("of absent files only those of this machine are hinted at, the log has all") {
  const GuestReport report = told("ready\nmissing-file /etc/passwd\nmissing-file /no%20where\nexit 1\n");
  REQUIRE(report.hints().size() == 1);
  CHECK(report.hints()[0].find("`/etc/passwd`") != std::string::npos);
  CHECK(report.log_lines() ==
        std::vector<std::string>{"missing-file /etc/passwd", "missing-file /no%20where", "exit 1"});
}

TEST_CASE("what goes on in the background is told, with its name as text") {
  CHECK(told("ready\nexit 0\n").left_running().empty());
  const GuestReport report = told("ready\nleft-running 3 a%20b%1B\nexit 0\n");
  CHECK(report.left_running().find("3 of its processes still ran (`a b") != std::string::npos);
  CHECK(report.left_running().find('\x1b') == std::string::npos);
  CHECK(report.hints().empty());
}

TEST_CASE("files that were opened are hinted at before those that were looked at, a program once") {
  const GuestReport report = told(
      "missing-path /nowhere/ls\nmissing-path /usr/bin/ls\nmissing-path /bin/ls\nmissing-path /etc/passwd\n"
      "missing-path /proc/self/stat\nmissing-path etc/group\nmissing-file /etc/group\n");
  REQUIRE(report.hints().size() == 3);
  CHECK(report.hints()[0].find("opened `/etc/group`") != std::string::npos);
  CHECK(report.hints()[1].find("`uni pack --add-program /usr/bin/ls` adds it") != std::string::npos);
  CHECK(report.hints()[2].find("looked for `/etc/passwd`") != std::string::npos);
}

TEST_CASE("a program that the search has found elsewhere is not told") {
  const GuestReport report = told("missing-program /bin/ls\nmissing-path /bin/cat\nmissing-file /etc/passwd\n");
  const auto hints = report.hints([](const std::string& path) { return path == "/bin/ls"; });
  REQUIRE(hints.size() == 2);
  CHECK(hints[0].find("/etc/passwd") != std::string::npos);
  CHECK(hints[1].find("/bin/cat") != std::string::npos);
}

TEST_CASE("what is executed and looked for is told once") {
  const GuestReport report = told("missing-program /bin/ls\nmissing-program /usr/bin/ls\nmissing-path /bin/ls\n");
  REQUIRE(report.hints().size() == 1);
  CHECK(report.hints()[0].find("tried to execute `/bin/ls`") != std::string::npos);
}

TEST_CASE("a refusal names the file and the reason") {
  const GuestReport report = told("refused ENOENT /bin/x\n");
  REQUIRE(report.refused().has_value());
  CHECK(report.refused()->where == "/bin/x");
  CHECK(report.refused()->code == ExitCode::kRunFailed);
}

std::string shown(LogLevel level, Trace trace, std::string_view text) {
  std::string out;
  KernelLog log(level, trace, [&out](std::string_view line) { out += line; });
  for (const char c : text)
    log.feed(std::string_view(&c, 1));
  log.end();
  return out;
}

constexpr const char* kLog =
    "[0.1] info: hello\r\nstrace: read(0) = 0\nuni-kernel: panic: oops\n  at f\nuni-kernel: panic end\nrest";

TEST_CASE("a quiet log shows the panic alone") {
  CHECK(shown(LogLevel::kQuiet, Trace::kOff, kLog) == "uni-kernel: panic: oops\n  at f\nuni-kernel: panic end\n");
}

TEST_CASE("a trace is shown without its prefix") {
  CHECK(shown(LogLevel::kQuiet, Trace::kStrace, "strace: read(0) = 0\nother\n") == "read(0) = 0\n");
}

TEST_CASE("a verbose log shows all") {
  CHECK(shown(LogLevel::kVerbose, Trace::kOff, "a\r\nstrace: b\nc") == "a\nb\nc\n");
}

TEST_CASE("a panic is known, and its end") {
  KernelLog log(LogLevel::kQuiet, Trace::kOff, [](std::string_view) {});
  log.feed("uni-kernel: panic: x\n");
  CHECK(log.panicked());
  CHECK_FALSE(log.panic_ended());
  log.feed("uni-kernel: panic end\n");
  CHECK(log.panic_ended());
}

}  // namespace
}  // namespace uni::vmm

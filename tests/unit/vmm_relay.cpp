// SPDX-License-Identifier: Apache-2.0
// The event loop, pumps and children.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "cli/vmm/loop.hpp"
#include "cli/vmm/preload.hpp"
#include "cli/vmm/process.hpp"
#include "cli/vmm/stream.hpp"

namespace uni::vmm {
namespace {

using std::chrono::milliseconds;

TEST_CASE("timers fire in order and cancelled ones do not") {
  Loop loop;
  std::string order;
  loop.after(milliseconds(20), [&] { order += 'b'; });
  const auto never = loop.after(milliseconds(1), [&] { order += 'x'; });
  loop.after(milliseconds(2), [&] { order += 'a'; });
  loop.after(milliseconds(30), [&] { loop.stop(); });
  loop.cancel(never);
  loop.run();
  CHECK(order == "ab");
}

TEST_CASE("a pump carries every byte through a slow reader and passes the end on") {
  Loop loop;
  auto source = socket_pair().value();
  auto sink = socket_pair().value();
  Stream from(loop, std::move(source.ours));
  Stream to(loop, std::move(sink.ours));
  Pump pump(from, to);
  bool ended = false;
  pump.on_end([&] {
    ended = true;
    to.shut_writing();
  });
  pump.start();

  std::string sent;
  for (unsigned i = 0; i < 3'000'000; ++i)
    sent += static_cast<char>(i * 7919 >> 5);
  const pid_t writer = ::fork();
  if (writer == 0) {
    write_all(source.theirs.get(), sent);
    ::_exit(0);
  }
  source.theirs.reset();
  ::fcntl(sink.theirs.get(), F_SETFL, O_NONBLOCK);
  std::string got;
  std::function<void()> read_some = [&] {
    std::string piece(100'000, '\0');
    const ssize_t n = ::read(sink.theirs.get(), piece.data(), piece.size());
    if (n == 0) return loop.stop();
    if (n > 0) got.append(piece, 0, static_cast<std::size_t>(n));
    loop.after(milliseconds(1), read_some);
  };
  read_some();
  loop.run();
  ::waitpid(writer, nullptr, 0);
  CHECK(ended);
  CHECK(got == sent);
}

TEST_CASE("a closed reader is told and does not kill") {
  ::signal(SIGPIPE, SIG_IGN);
  Loop loop;
  auto source = socket_pair().value();
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  ::close(pipe[0]);
  Stream from(loop, std::move(source.ours));
  Stream to(loop, Fd(pipe[1]));
  Pump pump(from, to);
  bool refused = false;
  pump.on_refused([&] {
    refused = true;
    loop.stop();
  });
  pump.start();
  write_all(source.theirs.get(), "x");
  loop.run();
  CHECK(refused);
}

TEST_CASE("a regular file, which epoll refuses, is pumped to its end") {
  Loop loop;
  Fd file = memory_file("input", std::string(200'000, 'z')).value();
  ::lseek(file.get(), 0, SEEK_SET);
  auto sink = socket_pair().value();
  Stream from(loop, Fd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)));
  Stream to(loop, std::move(sink.ours));
  Pump pump(from, to);
  std::size_t seen = 0;
  pump.on_bytes([&](std::string_view bytes) { seen += bytes.size(); });
  pump.on_end([&] { loop.stop(); });
  pump.on_refused([&] { loop.stop(); });
  loop.after(milliseconds(50), [&] { sink.theirs.reset(); });  // nobody reads: the pump must wait, then be refused
  pump.start();
  loop.run();
  CHECK(seen > 0);
}

TEST_CASE("a program that cannot be started is a diagnostic") {
  const auto result = Process::start({"/no/such/program"}, {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().where == "/no/such/program");
  CHECK(result.error().code == ExitCode::kRunFailed);
}

TEST_CASE("a child gets the descriptors and the environment that it was given, and no others") {
  auto pair = socket_pair().value();
  const Fd leak(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::string script = "[ \"$UNI_TEST\" = yes ] && [ ! -e /proc/self/fd/" + std::to_string(leak.get()) +
                             " ] && printf ok >&" + std::to_string(pair.theirs.get());
  {
    auto child = Process::start({find_program("sh"), "-c", script},
                                {.keep = {pair.theirs.get()}, .standard_error = -1, .environment = {"UNI_TEST=yes"}});
    REQUIRE(child.has_value());
    while (child->running())
      ::usleep(1000);
    CHECK(WEXITSTATUS(child->wait_status().value()) == 0);
  }
  char text[3] = {};
  CHECK(::read(pair.ours.get(), text, 2) == 2);
  CHECK(std::string(text) == "ok");
}

TEST_CASE("a child does not outlive its handle") {
  pid_t pid = 0;
  {
    auto child = Process::start({find_program("sleep"), "100"}, {});
    REQUIRE(child.has_value());
    pid = child->pid();
    CHECK(child->running());
  }
  CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("the preloaded library loads and its listen works") {
  auto library = preload_library().value();
  auto child = Process::start({find_program("python3"), "-c",
                               "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1)\n"
                               "c = [socket.create_connection(s.getsockname(), 0.5) for i in range(50)]"},
                              {.keep = {library.get()},
                               .standard_error = -1,
                               .environment = preload_environment(library.get(), HostLoopback::kOpen)});
  REQUIRE(child.has_value());
  while (child->running())
    ::usleep(1000);
  CHECK(WEXITSTATUS(child->wait_status().value()) == 0);
}

TEST_CASE("the preloaded library keeps its program from the host's loopback") {
  // Gives a bit for each way that was refused.
  constexpr const char* kScript =
      "import os, socket, sys\n"
      "tcp = socket.socket(); tcp.bind(('127.0.0.1', 0)); tcp.listen(9); port = tcp.getsockname()[1]\n"
      "udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('127.0.0.1', 0)); to = udp.getsockname()\n"
      "ways = [lambda: socket.create_connection(('127.0.0.1', port), 9), lambda: socket.create_connection(('0.0.0.0', "
      "port), 9), lambda: udp.sendto(b'x', to), lambda: udp.sendmsg([b'x'], [], 0, to)]\n"
      "refused = 0\n"
      "for bit, way in enumerate(ways):\n"
      "  try: way()\n"
      "  except ConnectionRefusedError: refused |= 1 << bit\n"
      "if not refused: udp.recvfrom(9)\n"
      "sys.exit(refused)\n";
  auto library = preload_library().value();
  for (const HostLoopback loopback : {HostLoopback::kClosed, HostLoopback::kOpen}) {
    auto child = Process::start(
        {find_program("python3"), "-c", kScript},
        {.keep = {library.get()}, .standard_error = -1, .environment = preload_environment(library.get(), loopback)});
    REQUIRE(child.has_value());
    while (child->running())
      ::usleep(1000);
    CHECK(WEXITSTATUS(child->wait_status().value()) == (loopback == HostLoopback::kClosed ? 15 : 0));
  }
}

}  // namespace
}  // namespace uni::vmm

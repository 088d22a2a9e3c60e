// SPDX-License-Identifier: Apache-2.0
// The line discipline: what a terminal's user types, and what the program and the screen see of it.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "kernel/dev/tty/line_discipline.hpp"

using namespace uni;
using dev::LineDiscipline;

namespace {

class Terminal final : public LineDiscipline::Effects {
  std::unique_ptr<LineDiscipline> owned_ = std::make_unique<LineDiscipline>();

 public:
  void type(const std::string& keys) {
    for (const char c : keys)
      line.input(static_cast<u8>(c), *this);
  }
  std::string read(usize most = 100) {
    std::string out(most, '\0');
    out.resize(line.read({reinterpret_cast<u8*>(out.data()), most}));
    return out;
  }
  void local(u32 clear, u32 set = 0) {
    dev::Termios t = line.termios();
    t.local = (t.local & ~clear) | set;
    line.set_termios(t);
  }
  void echo(Span<const u8> bytes) override { screen.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void signal(LineDiscipline::Signal which) override { signals += static_cast<char>('0' + static_cast<int>(which)); }

  LineDiscipline& line = *owned_;
  std::string screen, signals;
};

}  // namespace

TEST_CASE("a line is readable when it is finished") {
  Terminal t;
  t.type("hello");
  CHECK_FALSE(t.line.read_ready());
  t.type("\rmore");
  CHECK(t.line.read_ready());
  CHECK(t.line.readable() == 6);
  CHECK(t.read() == "hello\n");
  CHECK_FALSE(t.line.read_ready());
  CHECK(t.screen == "hello\r\nmore");
}

TEST_CASE("a read gives one line, in pieces where it must") {
  Terminal t;
  t.type("one\ntwo\n");
  CHECK(t.read(2) == "on");
  CHECK(t.read() == "e\n");
  CHECK(t.read() == "two\n");
}

TEST_CASE("erase, word erase and kill edit the line") {
  Terminal t;
  t.type(
      "abx\x7f"
      "c\n");
  CHECK(t.read() == "abc\n");
  CHECK(t.screen == "abx\b \bc\r\n");
  t.type("say  word\x17there\n");
  CHECK(t.read() == "say  there\n");
  t.type("nothing\x15kept\n");
  CHECK(t.read() == "kept\n");
  t.type(
      "\x7f\x7f\x17\x15"
      "a\n");
  CHECK(t.read() == "a\n");
  t.screen.clear();
  t.type("\x01\x7f");
  CHECK(t.screen == "^A\b \b\b \b");
}

TEST_CASE("end-of-file ends a read without a byte of its own") {
  Terminal t;
  t.type("\x04");
  CHECK(t.line.read_ready());
  CHECK(t.line.readable() == 0);
  CHECK(t.read().empty());
  CHECK_FALSE(t.line.read_ready());
  t.type("part\x04");
  CHECK(t.read(4) == "part");
  CHECK_FALSE(t.line.read_ready());
  t.type("next\n");
  CHECK(t.read() == "next\n");
}

TEST_CASE("signals flush what was typed") {
  Terminal t;
  t.type("half\x03whole\n\x1a\x1c");
  CHECK(t.signals == "021");
  CHECK_FALSE(t.line.read_ready());
  t.local(0, dev::kNoFlsh);
  t.type("kept\x03\n");
  CHECK(t.read() == "kept\n");
  t.local(dev::kISig);
  t.type("\x03\n");
  CHECK(t.read() == "\x03\n");
}

TEST_CASE("raw mode gives bytes as they come") {
  Terminal t;
  t.local(dev::kICanon | dev::kEcho | dev::kISig);
  t.type("a\x04\x7f");
  CHECK(t.line.read_ready(3));
  CHECK_FALSE(t.line.read_ready(4));
  CHECK(t.read() == "a\x04\x7f");
  CHECK(t.screen.empty());
}

TEST_CASE("switching modes keeps what was typed") {
  Terminal t;
  t.type("typed");
  t.local(dev::kICanon);
  CHECK(t.read() == "typed");
  t.type("again");
  t.local(0, dev::kICanon);
  CHECK(t.line.read_ready());
  CHECK(t.read() == "again");
}

TEST_CASE("the literal key takes away a key's meaning") {
  Terminal t;
  t.type("\x16\x03\x16\x7f\n");
  CHECK(t.signals.empty());
  CHECK(t.read() == "\x03\x7f\n");
}

TEST_CASE("^S holds output and ^Q lets it go") {
  Terminal t;
  t.type("\x13");
  CHECK(t.line.stopped());
  t.type("\x11");
  CHECK_FALSE(t.line.stopped());
}

TEST_CASE("output gets its carriage returns") {
  LineDiscipline line;
  u8 out[8];
  CHECK(line.output('\n', out) == 2);
  CHECK(out[0] == '\r');
  dev::Termios t;
  t.output = 0;
  line.set_termios(t);
  CHECK(line.output('\n', out) == 1);
  t.output = dev::kOPost | dev::kTabs;
  line.set_termios(t);
  (void)line.output('a', out);
  CHECK(line.output('\t', out) == 7);
}

TEST_CASE("a full line can still be finished, and nothing is overrun") {
  Terminal t;
  t.type(std::string(3 * LineDiscipline::kCapacity, 'x') + "\n");
  CHECK(t.read(5000).size() == LineDiscipline::kCapacity);
  t.type("next\n");
  CHECK(t.read() == "next\n");
}

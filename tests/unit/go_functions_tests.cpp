// SPDX-License-Identifier: Apache-2.0
#include "loader/analyze/go_functions.hpp"

#include <elf.h>
#include <catch2/catch.hpp>

#include <cstring>
#include <string>

namespace {

constexpr std::uint64_t kText = 0x1000;
constexpr std::uint64_t kTable = 0x2000;

// Bytes that are written in the order of a little-endian machine.
struct Bytes {
  std::string data;
  template <typename T>
  void put(T value) {
    data.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
};

// An image whose code is 256 bytes at kText, with the table's bytes at kTable.
struct Program {
  std::string bytes;
  uni::ElfImage image;
  explicit Program(const std::string& table) : bytes(std::string(256, '\x90') + table) {
    image.bytes = bytes;
    image.header.segments.push_back({0, kText, 256, 256, PF_R | PF_X});
    image.header.segments.push_back({256, kTable, table.size(), table.size(), PF_R});
    image.code.push_back({kText, kText + 256});
  }
};

Bytes header(std::uint32_t magic) {
  Bytes b;
  b.put(magic);
  b.put(std::uint16_t{0});
  b.put(std::uint8_t{1});
  b.put(std::uint8_t{8});
  b.put(std::uint64_t{2});  // functions
  return b;
}

// Of Go 1.18 and later: main.a at the beginning of the text, main.b 32 bytes behind it.
std::string new_table(std::uint32_t magic, std::uint64_t text) {
  Bytes b = header(magic);
  const std::uint64_t names = 8 + 8 * 8, records = names + 16;
  for (const std::uint64_t word : {std::uint64_t{0}, text, names, names, names, names, records})
    b.put(word);
  b.data += std::string("main.a\0main.b\0\0\0", 16);
  for (const std::uint32_t half : {0u, 20u, 32u, 28u, 64u, 0u, 0u, 32u, 7u})
    b.put(half);
  return b.data;
}

std::string old_table(std::uint32_t magic) {
  const bool ancient = magic == 0xfffffffb;
  Bytes b = header(magic);
  const std::uint64_t names = ancient ? 16 : 8 + 7 * 8, records = ancient ? 0 : names + 16,
                      pairs = ancient ? 16 : records;
  if (!ancient) {
    for (const std::uint64_t word : {std::uint64_t{0}, names, names, names, names, records})
      b.put(word);
    b.data += std::string("main.a\0main.b\0\0\0", 16);
  }
  const std::uint64_t first = pairs + 5 * 8 - records;
  for (const std::uint64_t word : {kText, first, kText + 32, first + 12, kText + 64})
    b.put(word);
  std::uint32_t name = ancient ? static_cast<std::uint32_t>(pairs + 5 * 8 + 24) : 0;
  for (const std::uint64_t begin : {kText, kText + 32}) {
    b.put(begin);
    b.put(name);
    name += 7;
  }
  if (ancient) b.data += std::string("main.a\0main.b\0", 14);
  return b.data;
}

void check_both(const uni::ElfImage& image, std::uint64_t text = 0) {
  const auto found = uni::go_functions(image, kTable, text);
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "main.a");
  CHECK(found[0].address == kText);
  CHECK(found[0].function);
  CHECK(found[1].name == "main.b");
  CHECK(found[1].address == kText + 32);
}

}  // namespace

TEST_CASE("Go's table names functions in each of its formats") {
  for (const std::uint32_t magic : {0xfffffff0u, 0xfffffff1u}) {
    const Program program(new_table(magic, kText));
    check_both(program.image);
  }
  for (const std::uint32_t magic : {0xfffffffau, 0xfffffffbu}) {
    const Program program(old_table(magic));
    check_both(program.image);
  }
}

TEST_CASE("where Go's code begins comes from a relocation or from the section where the table does not state it") {
  Program program(new_table(0xfffffff1, 0));
  check_both(program.image, kText);
  program.image.relocations.push_back({kTable + 24, R_X86_64_RELATIVE, 0, kText});
  check_both(program.image);
}

TEST_CASE("a damaged or unknown table names less") {
  const std::string good = new_table(0xfffffff1, kText);
  CHECK(uni::go_functions(Program(new_table(0xfffffff7, kText)).image, kTable, 0).empty());
  CHECK(uni::go_functions(Program(good).image, 0x9000, 0).empty());
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Program program(good.substr(0, size));
    CHECK(uni::go_functions(program.image, kTable, 0).size() <= 2);
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(~flipped[at]);
    const Program program(flipped);
    for (const uni::ImageSymbol& s : uni::go_functions(program.image, kTable, 0))
      CHECK(program.image.is_code(s.address));
  }
}

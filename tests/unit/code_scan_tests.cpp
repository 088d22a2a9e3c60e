// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "loader/analyze/code_scan.hpp"

namespace {

// The numbers found in a piece of code at address 0x1000.
std::vector<int> numbers(std::string_view code) {
  uni::ElfHeader header;
  header.segments.push_back({0, 0x1000, code.size(), code.size(), PF_R | PF_X});
  std::vector<int> out;
  for (const auto& site : uni::scan_code(code, header, uni::WantEdges::No).sites)
    out.push_back(site.number);
  std::ranges::sort(out);
  return out;
}

using namespace std::string_view_literals;

}  // namespace

TEST_CASE("a constant in eax before syscall is its number") {
  CHECK(numbers("\xb8\x01\x00\x00\x00\x0f\x05"sv) == std::vector{1});            // mov eax, 1
  CHECK(numbers("\x31\xc0\x0f\x05"sv) == std::vector{0});                        // xor eax, eax
  CHECK(numbers("\x48\xc7\xc0\xe7\x00\x00\x00\x0f\x05"sv) == std::vector{231});  // mov rax, 231
  CHECK(numbers("\xbe\x3c\x00\x00\x00\x89\xf0\x0f\x05"sv) == std::vector{60});   // mov esi, 60; mov eax, esi
}

TEST_CASE("a computed number is undecided") {
  CHECK(numbers("\x89\xf8\x0f\x05"sv) == std::vector{-1});                      // mov eax, edi
  CHECK(numbers("\xb8\x01\x00\x00\x00\xff\xc0\x0f\x05"sv) == std::vector{-1});  // inc eax
  CHECK(numbers("\xb8\x01\x00\x00\x00\xc3\x0f\x05"sv) == std::vector{-1});      // ret between
}

TEST_CASE("a jump between the number and its syscall leaves both possible") {
  // mov eax, 1; L: syscall; jmp L
  CHECK(numbers("\xb8\x01\x00\x00\x00\x0f\x05\xeb\xfc"sv) == std::vector{-1, 1});
}

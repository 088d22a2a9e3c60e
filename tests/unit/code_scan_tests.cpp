// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "loader/analyze/call_graph.hpp"
#include "loader/analyze/number_search.hpp"
#include "tests/unit/scratch.hpp"

namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kText = 0x1000;

// The calls of a static position-independent program whose code lies at kText, entered at its first byte.
struct Found {
  std::vector<unsigned> numbers;
  std::size_t undecided = 0;
  std::size_t forks = 0;
  bool operator==(const Found&) const = default;
};

Found search(std::string_view code) {
  uni::test::Scratch scratch;
  uni::Closure closure;
  closure.program = "/program";
  closure.objects.push_back({"/program", scratch.write("program", std::string(code)), {}});
  uni::ElfHeader& header = closure.objects[0].facts.header;
  header.position_independent = true;
  header.entry = kText;
  header.segments.push_back({0, kText, code.size(), code.size(), PF_R | PF_X});
  auto graph = uni::CallGraph::build(closure, 1);
  REQUIRE(graph.has_value());
  graph->walk();
  uni::NumberSearch search(*graph);
  search.run();
  Found found;
  for (const auto& [number, where] : search.numbers())
    found.numbers.push_back(number);
  found.undecided = search.undecided().size();
  found.forks = search.forks().size();
  return found;
}

}  // namespace

TEST_CASE("a constant in eax before syscall is its number") {
  CHECK(search("\xb8\x01\x00\x00\x00\x0f\x05\xc3"sv) == Found{{1}});            // mov eax, 1
  CHECK(search("\x31\xc0\x0f\x05\xc3"sv) == Found{{0}});                        // xor eax, eax
  CHECK(search("\x48\xc7\xc0\xe7\x00\x00\x00\x0f\x05\xc3"sv) == Found{{231}});  // mov rax, 231
  CHECK(search("\xbe\x3c\x00\x00\x00\x89\xf0\x0f\x05\xc3"sv) == Found{{60}});   // mov esi, 60; mov eax, esi
  CHECK(search("\x6a\x3b\x58\x0f\x05\xc3"sv) == Found{{59}});                   // push 59; pop rax
  CHECK(search("\x31\xc0\xb0\x3c\x0f\x05\xc3"sv) == Found{{60}});               // xor eax, eax; mov al, 60
  CHECK(search("\xb8\x01\x00\x00\x00\xff\xc0\x0f\x05\xc3"sv) == Found{{2}});    // mov eax, 1; inc eax
  CHECK(search("\x31\xc9\x8d\x41\x27\x0f\x05\xc3"sv) == Found{{39}});           // xor ecx, ecx; lea eax, [rcx + 39]
}

TEST_CASE("a number is followed through the stack") {
  // sub rsp, 16; mov dword [rsp + 8], 39; mov eax, [rsp + 8]; syscall
  CHECK(search("\x48\x83\xec\x10\xc7\x44\x24\x08\x27\x00\x00\x00\x8b\x44\x24\x08\x0f\x05\xc3"sv) == Found{{39}});
}

TEST_CASE("both ways into a block count") {
  // mov eax, 1; test edi, edi; je L; mov eax, 2; L: syscall
  CHECK(search("\xb8\x01\x00\x00\x00\x85\xff\x74\x05\xb8\x02\x00\x00\x00\x0f\x05\xc3"sv) == Found{{1, 2}});
  // mov eax, 1; mov ecx, 2; test edi, edi; cmove eax, ecx; syscall
  CHECK(search("\xb8\x01\x00\x00\x00\xb9\x02\x00\x00\x00\x85\xff\x0f\x44\xc1\x0f\x05\xc3"sv) == Found{{1, 2}});
  // mov edx, 1; L: mov eax, edx; syscall; mov edx, 3; jmp L
  CHECK(search("\xba\x01\x00\x00\x00\x89\xd0\x0f\x05\xba\x03\x00\x00\x00\xeb\xf5"sv) == Found{{1, 3}});
}

TEST_CASE("what is computed is undecided") {
  // mov eax, [rdi]; syscall: from memory
  CHECK(search("\x8b\x07\x0f\x05\xc3"sv) == Found{{}, 1});
  // mov eax, 39; call f; syscall: the call has changed eax. f: ret
  CHECK(search("\xb8\x27\x00\x00\x00\xe8\x03\x00\x00\x00\x0f\x05\xc3\xc3"sv) == Found{{}, 1});
}

TEST_CASE("a wrapper's callers state the number") {
  // mov edi, 39; call f; mov edi, 102; jmp f; f: mov eax, edi; syscall; ret
  CHECK(search("\xbf\x27\x00\x00\x00\xe8\x07\x00\x00\x00\xbf\x66\x00\x00\x00\xeb\x00\x89\xf8\x0f\x05\xc3"sv) ==
        Found{{39, 102}});
  // push 39; call f; pop rcx; ret; f: mov eax, [rsp + 8]; syscall; ret
  CHECK(search("\x6a\x27\xe8\x02\x00\x00\x00\x59\xc3\x8b\x44\x24\x08\x0f\x05\xc3"sv) == Found{{39}});
}

TEST_CASE("functions that nothing reaches do not count") {
  // ret; then mov eax, 1; syscall
  CHECK(search("\xc3\xb8\x01\x00\x00\x00\x0f\x05\xc3"sv).numbers ==
        std::vector<unsigned>{1});  // no symbols: one function
  // call f; ret; f: mov eax, 39; syscall; ret
  CHECK(search("\xe8\x01\x00\x00\x00\xc3\xb8\x27\x00\x00\x00\x0f\x05\xc3"sv) == Found{{39}});
}

TEST_CASE("code behind a call that does not return is not reached from it") {
  // mov edx, 39; jmp L; M: call f; nop (4); L: mov eax, edx; syscall; test eax, eax; js M; ret
  // f: mov eax, 231; syscall; hlt
  const Found found = search(
      "\xba\x27\x00\x00\x00\xeb\x09\xe8\x0e\x00\x00\x00\x0f\x1f\x40\x00\x89\xd0\x0f\x05\x85\xc0\x78\xef\xc3\x90"
      "\xb8\xe7\x00\x00\x00\x0f\x05\xf4"sv);
  CHECK(found == Found{{39, 231}});
}

TEST_CASE("clone's flags tell a process from a thread") {
  // mov edi, 0x1200011; mov eax, 56; syscall
  CHECK(search("\xbf\x11\x00\x20\x01\xb8\x38\x00\x00\x00\x0f\x05\xc3"sv) == Found{{56}, 0, 1});
  // mov edi, 0x3d0f00 (CLONE_VM and CLONE_THREAD among them)
  CHECK(search("\xbf\x00\x0f\x3d\x00\xb8\x38\x00\x00\x00\x0f\x05\xc3"sv) == Found{{56}, 0, 0});
}

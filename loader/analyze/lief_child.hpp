// SPDX-License-Identifier: Apache-2.0
// The only use of LIEF. Called in the child process of ElfReader alone.
#pragma once

#include <cstdint>
#include <string>

namespace uni {

constexpr std::uint64_t kFactParsed = 1;
constexpr std::uint64_t kFactRunpath = 2;
constexpr std::uint64_t kFactNoDefaultLibs = 4;

// LIEF logs to stderr on its own; it must not.
void silence_lief();

// Parses a file and packs what ElfFacts needs: flags, needed, rpath, runpath, soname, imports, exports,
// as 64-bit numbers and length-prefixed strings. Without kFactParsed the rest is empty.
std::string lief_facts(const std::string& path);

}  // namespace uni

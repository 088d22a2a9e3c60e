// SPDX-License-Identifier: Apache-2.0
// Reads the dynamic section and the dynamic symbols with LIEF. A separate file, so that LIEF's headers, which are large
// and not warning-clean, are seen once.
#include "loader/analyze/lief_child.hpp"

#include <LIEF/ELF.hpp>
#include <LIEF/logging.hpp>
#include <exception>

namespace uni {
namespace {

void put(std::string& out, std::uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put(std::string& out, const std::string& text) {
  put(out, text.size());
  out.append(text);
}

void put(std::string& out, const std::vector<std::string>& texts) {
  put(out, texts.size());
  for (const std::string& t : texts)
    put(out, t);
}

constexpr std::uint64_t kNoDefLib = 0x800;  // DF_1_NODEFLIB

std::string facts_of(LIEF::ELF::Binary& binary) {
  using LIEF::ELF::DYNAMIC_TAGS;
  std::uint64_t flags = kFactParsed;
  std::vector<std::string> needed;
  std::string rpath;
  std::string runpath;
  std::string soname;
  for (const LIEF::ELF::DynamicEntry& entry : binary.dynamic_entries()) {
    switch (entry.tag()) {
      case DYNAMIC_TAGS::DT_NEEDED:
        needed.push_back(dynamic_cast<const LIEF::ELF::DynamicEntryLibrary&>(entry).name());
        break;
      case DYNAMIC_TAGS::DT_RPATH:
        rpath = dynamic_cast<const LIEF::ELF::DynamicEntryRpath&>(entry).rpath();
        break;
      case DYNAMIC_TAGS::DT_RUNPATH:
        runpath = dynamic_cast<const LIEF::ELF::DynamicEntryRunPath&>(entry).runpath();
        flags |= kFactRunpath;
        break;
      case DYNAMIC_TAGS::DT_SONAME:
        soname = dynamic_cast<const LIEF::ELF::DynamicSharedObject&>(entry).name();
        break;
      case DYNAMIC_TAGS::DT_FLAGS_1:
        if ((entry.value() & kNoDefLib) != 0) flags |= kFactNoDefaultLibs;
        break;
      default:
        break;
    }
  }
  std::vector<std::string> imports;
  std::string exports;
  std::uint64_t count = 0;
  for (const LIEF::ELF::Symbol& symbol : binary.dynamic_symbols()) {
    if (symbol.name().empty()) continue;
    if (symbol.shndx() == 0) {
      imports.push_back(symbol.name());
      continue;
    }
    const auto type = symbol.type();
    if (type != LIEF::ELF::ELF_SYMBOL_TYPES::STT_FUNC && type != LIEF::ELF::ELF_SYMBOL_TYPES::STT_GNU_IFUNC) continue;
    put(exports, symbol.name());
    put(exports, symbol.value());
    put(exports, symbol.size());
    ++count;
  }
  std::string out;
  put(out, flags);
  put(out, needed);
  put(out, rpath);
  put(out, runpath);
  put(out, soname);
  put(out, imports);
  put(out, count);
  out += exports;
  return out;
}

}  // namespace

void silence_lief() {
  LIEF::Logger::disable();
}

std::string lief_facts(const std::string& path) {
  std::string empty;
  for (int i = 0; i < 7; ++i)
    put(empty, std::uint64_t{0});
  try {
    const auto binary = LIEF::ELF::Parser::parse(path);
    return binary == nullptr ? empty : facts_of(*binary);
  } catch (const std::exception&) {
    return empty;
  }
}

}  // namespace uni

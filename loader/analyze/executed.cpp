// SPDX-License-Identifier: Apache-2.0
// String constants in objects. A constant is bytes between two NULs; which instruction uses it is not looked at, so
// only objects that execute something at all are searched.
#include "loader/analyze/executed.hpp"

#include <algorithm>
#include <set>

#include "loader/analyze/c_library.hpp"
#include "loader/analyze/file.hpp"
#include "loader/analyze/program_file.hpp"

namespace uni {
namespace {

constexpr std::string_view kExecutes[] = {"execve",      "execv",        "execl",  "execle", "execvp", "execvpe",
                                          "posix_spawn", "posix_spawnp", "execlp", "system", "popen"};
constexpr std::string_view kShells[] = {"sh", "dash", "bash", "ash", "zsh", "ksh", "csh", "tcsh", "busybox", "fish"};

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Absolute paths among the NUL-terminated strings.
std::set<std::string> path_constants(std::string_view bytes) {
  std::set<std::string> out;
  for (std::size_t at = bytes.find(std::string_view("\0/", 2)); at != std::string_view::npos;
       at = bytes.find(std::string_view("\0/", 2), at + 1)) {
    const std::size_t end = bytes.find('\0', at + 1);
    if (end == std::string_view::npos) break;
    const std::string_view text = bytes.substr(at + 1, end - at - 1);
    const bool plain = std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (text.size() >= 4 && text.size() < 256 && plain && text.find('%') == std::string_view::npos) out.emplace(text);
  }
  return out;
}

// A path that means another file in the guest than here, or none.
bool of_the_machine(std::string_view path) {
  return path.starts_with("/proc/") || path.starts_with("/sys/") || path.starts_with("/dev/");
}

bool imports(const ClosureObject& object, std::string_view name) {
  return std::ranges::binary_search(object.facts.imports, name);
}

bool executes(const ClosureObject& object) {
  return !is_c_library(base_name(object.path)) &&
         std::ranges::any_of(kExecutes, [&](std::string_view name) { return imports(object, name); });
}

// Names that only ld.so's search gives a meaning: libNAME.so, libNAME.so.N.
std::set<std::string> library_constants(std::string_view bytes) {
  std::set<std::string> out;
  for (std::size_t at = bytes.find(std::string_view("\0lib", 4)); at != std::string_view::npos;
       at = bytes.find(std::string_view("\0lib", 4), at + 1)) {
    const std::size_t end = bytes.find('\0', at + 1);
    if (end == std::string_view::npos) break;
    const std::string_view text = bytes.substr(at + 1, end - at - 1);
    const std::size_t so = text.find(".so");
    const bool plain =
        std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f && c != '%' && c != '/'; });
    if (so == std::string_view::npos || so == 3 || text.size() > 255 || !plain) continue;
    const std::string_view rest = text.substr(so + 3);
    if (rest.empty() || (rest.size() > 1 && rest[0] == '.' && rest.find_first_not_of(".0123456789") == rest.npos))
      out.emplace(text);
  }
  return out;
}

}  // namespace

Expected<void> add_opened_libraries(ClosureBuilder& builder) {
  const auto& closure = builder.closure();
  for (std::size_t i = 0; i < closure.objects.size(); ++i) {
    const ClosureObject& object = closure.objects[i];
    if (is_c_library(base_name(object.path)) || !(imports(object, "dlopen") || imports(object, "dlmopen"))) continue;
    const std::string path = object.path;
    const auto bytes = read_text(object.host, std::uint64_t{1} << 30);
    if (!bytes) return std::unexpected(bytes.error());
    for (const std::string& name : library_constants(*bytes)) {
      // What a needed library's own name is was satisfied long ago; what is not installed is an option not taken.
      auto added = builder.add_by_name(name, "opened by " + path);
      if (!added) builder.add_note(path + " can open `" + name + "`, which cannot be loaded: " + added.error().what);
    }
  }
  return {};
}

Expected<void> add_executed_programs(ClosureBuilder& builder) {
  const auto& closure = builder.closure();
  // The list grows while programs are added.
  for (std::size_t i = 0; i < closure.objects.size(); ++i) {
    if (!executes(closure.objects[i])) continue;
    const std::string path = closure.objects[i].path;
    const auto bytes = read_text(closure.objects[i].host, std::uint64_t{1} << 30);
    if (!bytes) return std::unexpected(bytes.error());
    for (const std::string& named : path_constants(*bytes)) {
      if (of_the_machine(named) || builder.has(named)) continue;
      const auto found = builder.sysroot().resolve(named);
      if (!found || found->kind != Resolved::Kind::File || !is_program_file(found->host)) continue;
      // The dynamic linker is executable too, but here it is the word in the program's header.
      if (base_name(named).starts_with("ld-") || named == closure.interpreter) continue;
      if (std::ranges::find(kShells, base_name(named)) != std::end(kShells)) {
        if (!builder.has(found->path))
          builder.add_note(path + " can execute `" + named + "`; `--add-program " + named + "` takes it along");
        continue;
      }
      auto added = builder.add_executed(named, "executed by " + path);
      if (!added) builder.add_note(path + " can execute `" + named + "`, which cannot run: " + added.error().what);
    }
  }
  return {};
}

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// Programs in the closure: where they are found, what their `#!` lines name, which dynamic linker loads them.
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "loader/analyze/closure_builder.hpp"
#include "loader/analyze/script.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

// A program outside of these is the user's own: it goes to /usr/local/bin, so that the image does not depend on the
// directory in which it was built.
constexpr std::string_view kSystemDirs[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/nix/", "/gnu/"};
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr unsigned kMostScripts = 4;  // one script may be the interpreter of another: execve(2)

// Each directory of a PATH until `visit` gives true.
template <typename Visit>
void each_directory(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    if (colon != 0 && visit(std::string(list.substr(0, colon)))) return;
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
  }
}

// `PROGRAM` without a slash that is no file here is looked for in PATH, as a shell does; a script there (a wrapper)
// gives way to a program further on.
fs::path find_on_host(const std::string& program) {
  std::error_code error;
  if (program.empty() || program.find('/') != std::string::npos || fs::exists(program, error)) return program;
  const char* path = std::getenv("PATH");
  fs::path first;
  fs::path found;
  each_directory(path != nullptr ? path : "", [&](const std::string& dir) {
    const fs::path candidate = fs::path(dir) / program;
    if (!fs::is_regular_file(candidate, error)) return false;
    if (first.empty()) first = candidate;
    if (is_elf_object(candidate)) found = candidate;
    return !found.empty();
  });
  if (!found.empty()) return found;
  return first.empty() ? fs::path(program) : first;
}

}  // namespace

bool is_elf_object(const fs::path& host) {
  const auto file = InputFile::open(host);
  char start[18] = {};  // e_ident and e_type
  constexpr char kRelocatable = 1, kCore = 4;
  return file && file->read_exact(0, start).has_value() && std::string_view(start, 4) == "\177ELF" &&
         start[16] != kRelocatable && start[16] != kCore && !is_foreign_elf(*file);
}

std::string ClosureBuilder::environment_value(std::string_view name) const {
  for (const std::string& e : out_.environment) {
    if (e.starts_with(name) && e.size() > name.size() && e[name.size()] == '=') return e.substr(name.size() + 1);
  }
  return {};
}

std::optional<std::string> ClosureBuilder::find_in_path(const std::string& name) const {
  const std::string path = environment_value("PATH");
  std::optional<std::string> found;
  each_directory(path.empty() ? kDefaultPath : std::string_view(path), [&](const std::string& dir) {
    const std::string candidate = normalise(dir + "/" + name);
    const auto where = sysroot_.resolve(candidate);
    if (where && where->kind == Resolved::Kind::File) found = candidate;
    return found.has_value();
  });
  return found;
}

// The guest path of a program that the user named.
Expected<std::string> ClosureBuilder::locate(const std::string& named) {
  const bool host_is_root = sysroot_.root() == "/";
  if (!host_is_root) {
    if (named.starts_with('/') && sysroot_.resolve(named)) return normalise(named);
    if (named.find('/') == std::string::npos) {
      if (const auto found = find_in_path(named)) return *found;
    }
  }
  const fs::path found = find_on_host(named);
  if (auto file = InputFile::open(found); !file) return std::unexpected(file.error());
  const std::string absolute = fs::absolute(found).lexically_normal().string();
  if (!host_is_root) {
    const std::string root = sysroot_.root().string();
    if (absolute.starts_with(root)) return normalise(absolute.substr(root.size()));
  } else if (std::ranges::any_of(kSystemDirs, [&](std::string_view d) { return absolute.starts_with(d); })) {
    return absolute;
  }
  const std::string guest = "/usr/local/bin/" + found.filename().string();
  sysroot_.place(guest, fs::canonical(found));
  return guest;
}

Expected<void> ClosureBuilder::add_program() {
  auto guest = locate(request_.program);
  if (!guest) return std::unexpected(guest.error());
  out_.program = std::move(*guest);
  return add_runnable(out_.program, "the program", 0);
}

Expected<void> ClosureBuilder::add_other_program(const std::string& named, const std::string& reason) {
  auto guest = locate(named);
  if (!guest) return std::unexpected(guest.error());
  return add_runnable(*guest, reason, 0);
}

Expected<bool> ClosureBuilder::add_executed(const std::string& guest, const std::string& reason) {
  const auto where = sysroot_.resolve(guest);
  struct stat st {};
  if (!where || where->kind != Resolved::Kind::File) return false;
  if (::stat(where->host.c_str(), &st) != 0 || (st.st_mode & 0111) == 0) return false;
  auto ok = add_runnable(normalise(guest), reason, 0);
  return ok ? Expected<bool>(true) : std::unexpected(ok.error());
}

Expected<void> ClosureBuilder::add_runnable(const std::string& guest, const std::string& reason, unsigned depth) {
  const auto where = sysroot_.resolve(guest);
  if (!where || where->kind != Resolved::Kind::File) {
    return fail({.what = "no such program", .where = guest, .why = {}, .hint = "check the path"});
  }
  const auto file = InputFile::open(where->host);
  if (!file) return std::unexpected(file.error());
  auto line = read_script_line(*file);
  if (!line) return std::unexpected(line.error());
  if (auto ok = *line ? add_script(guest, *where, **line, reason, depth) : add_elf(guest, *where, reason); !ok)
    return ok;
  // What is meant to be executed is executable, however it was copied here.
  out_.files.at(where->path).mode = 0755;
  return {};
}

Expected<void> ClosureBuilder::add_script(const std::string& guest, const Resolved& where, const ScriptLine& line,
                                          const std::string& reason, unsigned depth) {
  const auto wrong = [&](std::string what, std::string hint) {
    return fail({.what = std::move(what),
                 .where = where.host.string(),
                 .why = "its first line is `#!" + line.interpreter + "`",
                 .hint = std::move(hint)});
  };
  if (depth == kMostScripts) return wrong("too many scripts that interpret each other", "name a program there");
  if (!line.interpreter.starts_with('/')) return wrong("a relative interpreter", "name an absolute path there");
  put_links(where, reason);
  if (auto ok = put_file(where.path, where.host, reason); !ok) return ok;
  const std::string interpreter = normalise(line.interpreter);
  const auto found = sysroot_.resolve(interpreter);
  if (!found || found->kind != Resolved::Kind::File) {
    return wrong("missing interpreter `" + line.interpreter + "`", "install the package that has it");
  }
  if (out_.interpreter.empty() && guest == out_.program) out_.interpreter = interpreter;
  out_.programs.push_back(guest);
  if (auto ok = add_runnable(interpreter, "interpreter of " + guest, depth + 1); !ok) return ok;
  if (interpreter.substr(interpreter.rfind('/') + 1) != "env") return {};
  const std::string command = env_command(line.argument);
  if (command.empty()) return {};
  const auto path = command.starts_with('/') ? std::optional(normalise(command)) : find_in_path(command);
  if (!path) return wrong("missing interpreter `" + command + "`", "install the package that has it");
  return add_runnable(*path, "interpreter of " + guest, depth + 1);
}

Expected<void> ClosureBuilder::add_elf(const std::string& guest, const Resolved& where, const std::string& reason) {
  for (const std::string& name : {guest, where.path}) {
    if (std::ranges::find(out_.programs, name) == out_.programs.end()) out_.programs.push_back(name);
  }
  put_links(where, reason);
  if (auto ok = put_file(where.path, where.host, reason); !ok) return ok;
  if (std::ranges::any_of(maps_, [&](const auto& m) { return m->program == where.path; })) return {};
  auto facts = reader_.read(where.host);
  if (!facts) return std::unexpected(facts.error());
  LinkMap& map = *maps_.emplace_back(std::make_unique<LinkMap>());
  map.program = where.path;
  map.interpreter = facts->header.interpreter;
  map.first_object = out_.objects.size();
  if (guest == out_.program) out_.interpreter = map.interpreter;
  // A static PIE has a dynamic section too, but nothing of a library's.
  const bool library = !facts->needed.empty() || !facts->soname.empty() || facts->header.entry == 0;
  if (map.interpreter.empty() && facts->header.dynamic && library) {
    return fail({.what = "is a shared library, not a program",
                 .where = where.host.string(),
                 .why = "it names no dynamic linker",
                 .hint = "name the program that uses it"});
  }
  map.search.emplace(sysroot_, map.interpreter, environment_value("LD_LIBRARY_PATH"), request_.cwd);
  if (!map.interpreter.empty()) {
    if (auto ok = add_interpreter(map, where.host.string()); !ok) return ok;
  }
  auto object = load(map, where.path, where, nullptr);
  if (!object) return std::unexpected(object.error());
  return load_needed(map);
}

Expected<void> ClosureBuilder::add_interpreter(LinkMap& map, const std::string& program_host) {
  const auto where = sysroot_.resolve(map.interpreter);
  if (!where || where->kind != Resolved::Kind::File) {
    const std::string hint =
        request_.sysroot == "/" ? "install the C library that it was built for, or name its system with `--sysroot DIR`"
                                : "check `--sysroot " + request_.sysroot.string() + "`";
    return fail({.what = "missing dynamic linker `" + map.interpreter + "`",
                 .where = program_host,
                 .why = "the program names it as its interpreter",
                 .hint = hint});
  }
  const std::string reason = "dynamic linker of " + map.program;
  put_links(*where, reason);
  if (auto ok = put_file(where->path, where->host, reason); !ok) return ok;
  // ld.so is in the list of loaded objects from the start, under its own name.
  map.by_name.insert(map.interpreter.substr(map.interpreter.rfind('/') + 1));
  auto object = load(map, where->path, *where, nullptr);
  if (!object) return std::unexpected(object.error());
  return {};
}

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// When a recipe holds, and what it adds. What a recipe names and the source system lacks is left out; where a
// module of it needs a library that is not installed, that is noted: the module is one that cannot be used here.
#include "loader/analyze/rules.hpp"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "loader/analyze/c_library.hpp"
#include "loader/analyze/executed.hpp"
#include "loader/analyze/package_files.hpp"

namespace uni {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns,
                             [&](const std::string& p) { return ::fnmatch(p.c_str(), name.c_str(), 0) == 0; });
}

// The directory of the program for which the recipe holds, symlinks followed; empty where it holds for another reason,
// nothing where it does not hold.
std::optional<std::string> holds(const Recipe& recipe, const Closure& closure, const std::string& program_text) {
  std::optional<std::string> here;
  for (const std::string& program : closure.programs) {
    if (!matches(recipe.programs, base_name(program))) continue;
    // A link in /usr/bin may lead to the place where the program's files are.
    const auto file = closure.files.find(program);
    if (!here || (file != closure.files.end() && file->second.kind == FileEntry::Kind::File))
      here = program.substr(0, program.rfind('/'));
  }
  if (here) return here;
  if (recipe.always) return "";
  for (const ClosureObject& object : closure.objects) {
    const std::string name = base_name(object.path);
    if (matches(recipe.libraries, name)) return "";
    // libc imports from ld.so and has code for everything; what counts is what others take from it.
    if (is_c_library(name)) continue;
    for (const std::string& symbol : recipe.imports) {
      if (std::ranges::binary_search(object.facts.imports, symbol)) return "";
    }
  }
  const bool texts = std::ranges::any_of(
      recipe.texts, [&](const std::string& t) { return program_text.find(t) != std::string::npos; });
  return texts ? std::optional<std::string>("") : std::nullopt;
}

// Accounts of people stay at home: an image is given away.
std::string system_accounts(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name;
    std::string password;
    std::string id;
    if (!std::getline(fields, name, ':') || !std::getline(fields, password, ':') || !std::getline(fields, id, ':'))
      continue;
    const unsigned long number = std::strtoul(id.c_str(), nullptr, 10);
    if (number < 1000 || number >= 65534) out += line + "\n";
  }
  return out;
}

void add_accounts(ClosureBuilder& builder, const std::string& reason) {
  for (const auto& [path, fallback] :
       {std::pair<std::string, std::string>{"/etc/passwd", "root:x:0:0:root:/:/bin/sh\n"},
        {"/etc/group", "root:x:0:\n"}}) {
    std::string content = fallback;
    if (const auto where = builder.sysroot().resolve(path)) {
      if (const auto text = read_text(where->host, 16U << 20)) content = system_accounts(*text);
    }
    builder.add_written(path, std::move(content), reason);
  }
}

// nsswitch.conf(5): `database: service [action] service ...`. The services `files` and `dns` are in libc since
// glibc 2.34. Those that only ask a daemon of systemd's, which an image has not, stay out; the C library goes on with
// the next service.
Expected<void> add_name_services(ClosureBuilder& builder, const std::string& reason) {
  static const std::set<std::string> kDatabases = {
      "passwd:", "group:", "hosts:", "services:", "protocols:", "networks:"};
  static const std::set<std::string> kNeedDaemon = {"systemd", "mymachines", "resolve"};
  const auto where = builder.sysroot().resolve("/etc/nsswitch.conf");
  if (!where) return {};
  if (auto ok = builder.add_path("/etc/nsswitch.conf", reason); !ok) return std::unexpected(ok.error());
  const auto text = read_text(where->host, 1U << 20);
  if (!text) return std::unexpected(text.error());
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word) || !kDatabases.contains(word)) continue;
    while (words >> word) {
      if (word.starts_with('[') || word.ends_with(']') || kNeedDaemon.contains(word)) continue;
      auto ok = builder.add_by_name("libnss_" + word + ".so.2", "name service `" + word + "` of /etc/nsswitch.conf");
      if (!ok) return std::unexpected(ok.error());
    }
  }
  return {};
}

std::vector<std::string> expand_pattern(const Sysroot& sysroot, const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  std::vector<std::string> out;
  glob_t found{};
  const std::string root = sysroot.host_path("/").string();
  if (::glob(sysroot.host_path(pattern).c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      out.push_back(normalise(std::string(found.gl_pathv[i]).substr(root.size())));
    }
  }
  ::globfree(&found);
  return out;
}

// `{here}` is the directory of the program. A program of the system's own directories has nothing around it.
std::vector<std::string> expand_place(const Sysroot& sysroot, const std::string& pattern, const std::string& here) {
  static const std::set<std::string> kShared = {"/",    "/usr",   "/usr/lib", "/usr/share",
                                                "/lib", "/lib64", "/etc",     "/opt"};
  constexpr std::string_view kMark = "{here}";
  if (!pattern.starts_with(kMark)) return expand_pattern(sysroot, pattern);
  if (here.empty()) return {};
  const std::string path = normalise(here + pattern.substr(kMark.size()));
  if (kShared.contains(path)) return {};
  return expand_pattern(sysroot, path);
}

Expected<void> apply(ClosureBuilder& builder, const Recipe& recipe, const std::string& here) {
  const std::string reason = "recipe " + recipe.name;
  for (const Recipe::Directory& d : recipe.directories)
    builder.add_directory(d.path, d.mode, reason);
  for (const std::string& pattern : recipe.files) {
    for (const std::string& path : expand_place(builder.sysroot(), pattern, here)) {
      if (auto ok = builder.add_path(path, reason); !ok) return std::unexpected(ok.error());
    }
  }
  for (const std::string& pattern : recipe.trees) {
    for (const std::string& path : expand_place(builder.sysroot(), pattern, here)) {
      if (auto ok = builder.add_tree(path, reason, &recipe); !ok) return ok;
    }
  }
  for (const std::string& name : recipe.load) {
    if (auto ok = builder.add_by_name(name, reason); !ok) return std::unexpected(ok.error());
  }
  for (const Recipe::Written& w : recipe.write)
    builder.add_written(w.path, w.content, reason);
  for (const unsigned port : recipe.ports)
    builder.add_port(port, reason);
  for (const std::string& e : recipe.environment)
    builder.add_environment(e);
  if (recipe.accounts) add_accounts(builder, reason);
  return recipe.name_services ? add_name_services(builder, reason) : Expected<void>{};
}

}  // namespace

Expected<void> apply_recipes(ClosureBuilder& builder, const std::vector<Recipe>& recipes) {
  std::string text;
  if (std::ranges::any_of(recipes, [](const Recipe& r) { return !r.texts.empty(); })) {
    for (const ClosureObject& object : builder.closure().objects) {
      if (std::ranges::find(builder.closure().programs, object.path) == builder.closure().programs.end()) continue;
      if (auto bytes = read_text(object.host, std::uint64_t{1} << 30)) text += *bytes;
    }
  }
  std::set<const Recipe*> done;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Recipe& recipe : recipes) {
      if (done.contains(&recipe)) continue;
      const auto here = holds(recipe, builder.closure(), text);
      if (!here) continue;
      done.insert(&recipe);
      changed = true;
      if (auto ok = apply(builder, recipe, *here); !ok) return ok;
    }
  }
  return {};
}

namespace {

// The rules in their order. What the user adds is there first: a library that is added is found, a file that is added
// wins.
Expected<void> fill(ClosureBuilder& builder, const ClosureRequest& request, const PackageDatabase* packages) {
  if (auto ok = builder.add_program(); !ok) return ok;
  for (const AddedPath& added : request.added) {
    if (auto ok = builder.add_from_host(added); !ok) return ok;
  }
  for (const std::string& program : request.programs) {
    if (auto ok = builder.add_other_program(program, "named by the user"); !ok) return ok;
  }
  if (auto ok = add_executed_programs(builder); !ok) return ok;
  builder.be_lenient();
  if (auto ok = add_opened_libraries(builder); !ok) return ok;
  if (auto ok = apply_recipes(builder, request.recipes); !ok) return ok;
  if (packages != nullptr) {
    if (auto ok = add_package_files(builder, *packages, request.package); !ok) return ok;
  }
  builder.add_directory(request.cwd, 0755, "the working directory");
  for (const LearnedPaths& learned : request.learned) {
    if (auto ok = builder.add_learned(learned); !ok) return ok;
  }
  return {};
}

}  // namespace

Expected<Closure> find_closure(const ClosureRequest& request) {
  if (request.package.empty()) {
    ClosureBuilder builder(request);
    if (auto ok = fill(builder, request, nullptr); !ok) return std::unexpected(ok.error());
    return builder.finish();
  }
  const Sysroot sysroot(std::filesystem::absolute(request.sysroot).lexically_normal());
  const PackageDatabase packages(sysroot);
  auto program = program_of_package(packages, sysroot, request.package, request.program);
  if (!program) return std::unexpected(program.error());
  ClosureRequest named = request;
  named.program = std::move(*program);
  ClosureBuilder builder(named);
  if (auto ok = fill(builder, named, &packages); !ok) return std::unexpected(ok.error());
  return builder.finish();
}

}  // namespace uni

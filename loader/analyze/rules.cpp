// SPDX-License-Identifier: Apache-2.0
// When a recipe holds, and what it adds. What a recipe names and the source system lacks is left out; what an existing
// file of it needs is an error like any other missing library.
#include "loader/analyze/rules.hpp"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "loader/analyze/c_library.hpp"
#include "loader/analyze/executed.hpp"

namespace uni {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::ranges::any_of(patterns,
                             [&](const std::string& p) { return ::fnmatch(p.c_str(), name.c_str(), 0) == 0; });
}

bool holds(const Recipe& recipe, const Closure& closure, const std::string& program_text) {
  if (recipe.always) return true;
  for (const std::string& program : closure.programs) {
    if (matches(recipe.programs, base_name(program))) return true;
  }
  for (const ClosureObject& object : closure.objects) {
    const std::string name = base_name(object.path);
    if (matches(recipe.libraries, name)) return true;
    // libc imports from ld.so and has code for everything; what counts is what others take from it.
    if (is_c_library(name)) continue;
    for (const std::string& symbol : recipe.imports) {
      if (std::ranges::binary_search(object.facts.imports, symbol)) return true;
    }
  }
  return std::ranges::any_of(recipe.texts,
                             [&](const std::string& t) { return program_text.find(t) != std::string::npos; });
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

Expected<void> apply(ClosureBuilder& builder, const Recipe& recipe) {
  const std::string reason = "recipe " + recipe.name;
  for (const Recipe::Directory& d : recipe.directories)
    builder.add_directory(d.path, d.mode, reason);
  for (const std::string& pattern : recipe.files) {
    for (const std::string& path : expand_pattern(builder.sysroot(), pattern)) {
      if (auto ok = builder.add_path(path, reason); !ok) return std::unexpected(ok.error());
    }
  }
  for (const std::string& pattern : recipe.trees) {
    for (const std::string& path : expand_pattern(builder.sysroot(), pattern)) {
      if (auto ok = builder.add_tree(path, reason, &recipe); !ok) return ok;
    }
  }
  for (const std::string& name : recipe.load) {
    if (auto ok = builder.add_by_name(name, reason); !ok) return std::unexpected(ok.error());
  }
  for (const Recipe::Written& w : recipe.write)
    builder.add_written(w.path, w.content, reason);
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
      if (done.contains(&recipe) || !holds(recipe, builder.closure(), text)) continue;
      done.insert(&recipe);
      changed = true;
      if (auto ok = apply(builder, recipe); !ok) return ok;
    }
  }
  return {};
}

Expected<Closure> find_closure(const ClosureRequest& request) {
  ClosureBuilder builder(request);
  // What the user adds is there first: a library that is added is found, a file that is added wins.
  if (auto ok = builder.add_program(); !ok) return std::unexpected(ok.error());
  for (const AddedPath& added : request.added) {
    if (auto ok = builder.add_from_host(added); !ok) return std::unexpected(ok.error());
  }
  for (const std::string& program : request.programs) {
    if (auto ok = builder.add_other_program(program, "named by the user"); !ok) return std::unexpected(ok.error());
  }
  if (auto ok = add_executed_programs(builder); !ok) return std::unexpected(ok.error());
  if (auto ok = add_opened_libraries(builder); !ok) return std::unexpected(ok.error());
  if (auto ok = apply_recipes(builder, request.recipes); !ok) return std::unexpected(ok.error());
  builder.add_directory(request.cwd, 0755, "the working directory");
  return builder.finish();
}

}  // namespace uni

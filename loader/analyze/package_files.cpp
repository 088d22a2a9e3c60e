// SPDX-License-Identifier: Apache-2.0
// Depends (deb-control(5)) is walked breadth-first; of alternatives the first installed one counts. Ownership decides:
// the packages of libraries that the program loads bring their data, those of tools that it only could execute do not.
#include "loader/analyze/package_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <set>
#include <span>

#include "loader/analyze/packages.hpp"

namespace uni {
namespace {

constexpr std::string_view kPrograms[] = {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/games/"};
constexpr std::string_view kLeftOut[] = {"/usr/share/doc/",
                                         "/usr/share/doc-base/",
                                         "/usr/share/man/",
                                         "/usr/share/info/",
                                         "/usr/share/lintian/",
                                         "/usr/share/locale/",
                                         "/usr/share/bug/",
                                         "/usr/share/apport/",
                                         "/usr/share/bash-completion/",
                                         "/usr/share/zsh/",
                                         "/usr/share/fish/",
                                         "/usr/share/applications/",
                                         "/usr/share/menu/",
                                         "/usr/share/pixmaps/",
                                         "/usr/share/metainfo/",
                                         "/usr/share/initramfs-tools/",
                                         "/usr/include/",
                                         "/usr/lib/debug/",
                                         "/usr/lib/systemd/",
                                         "/usr/lib/tmpfiles.d/",
                                         "/usr/lib/sysusers.d/",
                                         "/usr/lib/udev/",
                                         "/lib/systemd/",
                                         "/lib/udev/",
                                         "/etc/init.d/",
                                         "/etc/cron.",
                                         "/etc/logrotate.d/",
                                         "/etc/apparmor.d/",
                                         "/etc/ufw/",
                                         "/etc/bash_completion.d/",
                                         "/etc/update-motd.d/",
                                         "/etc/apt/",
                                         "/etc/kernel/",
                                         "/etc/default/"};
// Where a program finds directories that its package made for it.
constexpr std::string_view kOwnDirectories[] = {"/var/lib/", "/var/log/", "/var/cache/", "/var/spool/",
                                                "/var/www",  "/etc/",     "/srv/"};

bool starts_with_any(const std::string& path, std::span<const std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return path.starts_with(p); });
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// A library that the dynamic linker finds by itself, or what only a compiler reads.
bool is_library_or_for_compilers(const std::string& path) {
  const std::string name = base_name(path);
  if (name.ends_with(".a") || name.ends_with(".la") || name.ends_with(".pc") || name.ends_with(".o")) return true;
  if (name.find(".so") == std::string::npos) return false;
  const std::string dir = path.substr(0, path.rfind('/'));
  return dir == "/lib" || dir == "/usr/lib" || dir == "/lib64" || dir == "/usr/lib64" ||
         dir.ends_with("/lib/x86_64-linux-gnu");
}

// Names in `Depends: a (>= 1) | b, c:any`: for each clause its alternatives.
std::vector<std::vector<std::string>> clauses(const std::string& depends) {
  std::vector<std::vector<std::string>> out(1);
  std::string name;
  bool in_name = true;
  const auto end_name = [&] {
    if (!name.empty()) out.back().push_back(std::move(name));
    name.clear();
    in_name = true;
  };
  for (const char c : depends) {
    if (c == ',' || c == '|') {
      end_name();
      if (c == ',') out.emplace_back();
    } else if (c == '(' || c == ':' || c == '[') {
      in_name = false;
    } else if (in_name && c != ' ') {
      name += c;
    }
  }
  end_name();
  return out;
}

std::vector<const InstalledPackage*> depends_of(const PackageDatabase& packages, const InstalledPackage& package) {
  std::vector<const InstalledPackage*> out;
  for (const auto& alternatives : clauses(package.depends)) {
    for (const std::string& name : alternatives) {
      if (const InstalledPackage* found = packages.find(name)) {
        out.push_back(found);
        break;
      }
    }
  }
  return out;
}

std::vector<std::string> programs_of(const PackageDatabase& packages, const Sysroot& sysroot,
                                     const InstalledPackage& package) {
  std::vector<std::string> out;
  for (const std::string& path : packages.paths(package)) {
    if (!starts_with_any(path, kPrograms)) continue;
    const auto where = sysroot.resolve(path);
    if (where && where->kind == Resolved::Kind::File && ::access(where->host.c_str(), X_OK) == 0) out.push_back(path);
  }
  std::ranges::sort(out);
  return out;
}

Expected<const InstalledPackage*> installed(const PackageDatabase& packages, const std::string& name) {
  if (const InstalledPackage* found = packages.find(name)) return found;
  return fail({.what = "no such package is installed",
               .where = name,
               .why = {},
               .hint = "install it (`apt install " + name + "`), or name the system that has it with `--sysroot DIR`"});
}

// The packages whose files the program needs; see the header.
std::vector<const InstalledPackage*> needed_packages(const ClosureBuilder& builder, const PackageDatabase& packages,
                                                     const InstalledPackage& first) {
  std::set<std::string> owners;
  std::vector<std::string> objects;
  for (const ClosureObject& o : builder.closure().objects)
    objects.push_back(o.path);
  for (const auto& [path, owner] : find_packages(builder.sysroot(), objects))
    owners.insert(owner.substr(0, owner.find(' ')));
  std::vector<const InstalledPackage*> out;
  std::set<const InstalledPackage*> seen = {&first};
  std::deque<const InstalledPackage*> todo = {&first};
  while (!todo.empty()) {
    const InstalledPackage& p = *todo.front();
    todo.pop_front();
    const bool own = &p == &first || p.source == first.source;
    const bool data = !p.required && p.architecture == "all" && programs_of(packages, builder.sysroot(), p).empty();
    if (!own && !data && !owners.contains(p.name)) continue;
    out.push_back(&p);
    for (const InstalledPackage* next : depends_of(packages, p)) {
      if (seen.insert(next).second) todo.push_back(next);
    }
  }
  return out;
}

Expected<void> add_files_of(ClosureBuilder& builder, const PackageDatabase& packages, const InstalledPackage& package) {
  const std::string reason = "package " + package.name;
  for (const std::string& path : packages.paths(package)) {
    if (starts_with_any(path, kPrograms) || starts_with_any(path, kLeftOut) || is_library_or_for_compilers(path))
      continue;
    const auto where = builder.sysroot().resolve(path);
    if (!where || builder.has(where->path)) continue;
    if (where->kind == Resolved::Kind::Directory) {
      if (starts_with_any(path, kOwnDirectories)) builder.add_directory(path, 0755, reason);
    } else if (::access(where->host.c_str(), R_OK) != 0) {
      builder.add_note(path + " of package " + package.name + " is left out: it cannot be read");
    } else if (auto ok = builder.add_path(path, reason); !ok) {
      // A plugin whose libraries are not installed is one that cannot be used here either.
      builder.add_note(path + " of package " + package.name + " cannot be loaded: " + ok.error().what);
    }
  }
  return {};
}

}  // namespace

Expected<std::string> program_of_package(const PackageDatabase& packages, const Sysroot& sysroot,
                                         const std::string& name, const std::string& chosen) {
  auto package = installed(packages, name);
  if (!package) return std::unexpected(package.error());
  std::vector<std::string> found = programs_of(packages, sysroot, **package);
  if (found.empty()) {
    for (const InstalledPackage* p : depends_of(packages, **package)) {
      if (p->required) continue;
      const auto more = programs_of(packages, sysroot, *p);
      found.insert(found.end(), more.begin(), more.end());
    }
  }
  const std::string wanted = chosen.empty() ? name : chosen;
  for (const std::string& path : found) {
    if (path == wanted || base_name(path) == wanted) return path;
  }
  if (found.size() == 1 && chosen.empty()) return found[0];
  std::string list;
  for (std::size_t i = 0; i < found.size() && i < 20; ++i)
    list += (i == 0 ? "" : ", ") + base_name(found[i]);
  if (found.size() > 20) list += " and " + std::to_string(found.size() - 20) + " more";
  return fail({.what = found.empty()    ? "the package has no program"
                       : chosen.empty() ? "the package has several programs"
                                        : "the package has no program `" + chosen + "`",
               .where = name,
               .why = list,
               .hint = found.empty() ? "name a program: `uni pack PROGRAM`"
                                     : "choose one: `uni pack --package " + name + " " + base_name(found[0]) + "`"});
}

Expected<void> add_package_files(ClosureBuilder& builder, const PackageDatabase& packages, const std::string& name) {
  auto package = installed(packages, name);
  if (!package) return std::unexpected(package.error());
  for (const InstalledPackage* p : needed_packages(builder, packages, **package)) {
    if (auto ok = add_files_of(builder, packages, *p); !ok) return ok;
  }
  return {};
}

}  // namespace uni

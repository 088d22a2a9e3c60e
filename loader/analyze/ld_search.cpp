// SPDX-License-Identifier: Apache-2.0
// The search order of both dynamic linkers. Two decisions differ from a plain copy of what this machine would do:
// - glibc-hwcaps subdirectories: the baseline library is taken, because it works on every processor and the guest's
//   ld.so falls back to it; a subdirectory (up to x86-64-v3, what QEMU's TCG has) is used only where there is no
//   baseline.
// - $PLATFORM is `x86_64`, which is what the kernel passes as AT_PLATFORM.
#include "loader/analyze/ld_search.hpp"

#include <algorithm>
#include <string_view>

#include "loader/analyze/file.hpp"

namespace uni {
namespace {

constexpr std::string_view kHwcaps[] = {"glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"};

std::vector<std::string> split(std::string_view list, std::string_view separators) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = list.find_first_of(separators);
    parts.emplace_back(list.substr(0, end));
    if (end == std::string_view::npos) return parts;
    list.remove_prefix(end + 1);
  }
}

// glibc compiles its system directories into ld.so as one run of strings, "/lib/x86_64-linux-gnu/\0/usr/lib/...".
std::vector<std::string> directories_in(const std::string& text) {
  std::vector<std::string> best;
  for (std::size_t at = text.find("/lib"); at != std::string::npos; at = text.find("/lib", at + 1)) {
    if (at == 0 || text[at - 1] != '\0') continue;
    std::vector<std::string> run;
    std::size_t begin = at;
    while (begin < text.size() && text[begin] == '/') {
      const std::size_t end = text.find('\0', begin);
      if (end == std::string::npos || text[end - 1] != '/' || end - begin < 2) break;
      run.push_back(text.substr(begin, end - begin - 1));
      begin = end + 1;
    }
    if (run.size() > best.size()) best = std::move(run);
  }
  return best;
}

std::vector<std::string> glibc_default_dirs(const Sysroot& sysroot, const std::string& interpreter) {
  if (const auto where = sysroot.resolve(interpreter)) {
    if (const auto text = read_text(where->host, 16U << 20)) {
      if (auto dirs = directories_in(*text); !dirs.empty()) return dirs;
    }
  }
  return {"/lib64", "/usr/lib64", "/lib", "/usr/lib"};
}

std::vector<std::string> musl_default_dirs(const Sysroot& sysroot, const std::string& interpreter) {
  // ld-musl-x86_64.path lies in `etc` beside the directory of the linker, one directory a line or between colons.
  const std::string config = normalise(interpreter + "/../../etc/ld-musl-x86_64.path");
  if (const auto where = sysroot.resolve(config)) {
    if (const auto text = read_text(where->host, 1U << 20)) {
      auto dirs = split(*text, ":\n");
      std::erase(dirs, std::string());
      return dirs;
    }
  }
  return {"/lib", "/usr/local/lib", "/usr/lib"};
}

}  // namespace

LibrarySearch::LibrarySearch(Sysroot& sysroot, const std::string& interpreter, std::string library_path,
                             std::string cwd)
    : sysroot_(sysroot),
      musl_(interpreter.find("/ld-musl-") != std::string::npos),
      library_path_(std::move(library_path)),
      cwd_(std::move(cwd)) {
  if (musl_) {
    default_dirs_ = musl_default_dirs(sysroot_, interpreter);
    return;
  }
  default_dirs_ = glibc_default_dirs(sysroot_, interpreter);
  if (const auto where = sysroot_.resolve("/etc/ld.so.cache")) {
    if (const auto bytes = read_text(where->host)) cache_ = parse_ld_cache(*bytes);
  }
  if (cache_.empty()) conf_dirs_ = read_ld_conf(sysroot_);
}

bool LibrarySearch::is_builtin(std::string_view name) const {
  if (!musl_) return false;
  if (name == "libc.musl-x86_64.so.1") return true;
  // load_library() in musl's dynlink.c: "lib", one of these, then a dot.
  if (!name.starts_with("lib")) return false;
  const std::string_view stem = name.substr(3, name.find('.') - 3);
  constexpr std::string_view kReserved[] = {"c", "pthread", "rt", "m", "dl", "util", "xnet"};
  return name.find('.') != std::string_view::npos && std::ranges::find(kReserved, stem) != std::end(kReserved);
}

LibrarySearch::Found LibrarySearch::candidate(const std::string& path) {
  auto resolved = sysroot_.resolve(path);
  if (!resolved || resolved->kind != Resolved::Kind::File) return std::nullopt;
  const auto file = InputFile::open(resolved->host);
  if (!file) return std::unexpected(file.error());
  if (is_foreign_elf(*file)) return std::nullopt;
  return FoundLibrary{.path = path, .resolved = std::move(*resolved), .by_cache = false};
}

LibrarySearch::Found LibrarySearch::in_directory(const std::string& dir, const std::string& name) {
  auto found = candidate(normalise(dir + "/" + name));
  if (!found || *found || musl_) return found;
  for (const std::string_view level : kHwcaps) {
    found = candidate(normalise(dir + "/" + std::string(level) + "/" + name));
    if (!found || *found) return found;
  }
  return std::nullopt;
}

std::optional<std::string> LibrarySearch::expand(std::string text, const LoadedObject& owner) const {
  const std::string lib = default_dirs_.empty() || default_dirs_[0].size() < 2 ? "lib64" : default_dirs_[0].substr(1);
  const std::pair<std::string_view, std::string> tokens[] = {
      {"ORIGIN", owner.origin}, {"LIB", lib}, {"PLATFORM", "x86_64"}};
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at)) {
    bool replaced = false;
    for (const auto& [token, value] : tokens) {
      if (musl_ && token != "ORIGIN") continue;
      const std::string braced = "${" + std::string(token) + "}";
      const std::string plain = "$" + std::string(token);
      const std::string_view rest = std::string_view(text).substr(at);
      const std::size_t length = rest.starts_with(braced) ? braced.size() : rest.starts_with(plain) ? plain.size() : 0;
      if (length == 0) continue;
      text.replace(at, length, value);
      at += value.size();
      replaced = true;
      break;
    }
    if (replaced) continue;
    if (musl_) return std::nullopt;  // fixup_rpath() drops the whole path then
    ++at;                            // glibc leaves unknown tokens as they are
  }
  return text;
}

LibrarySearch::Found LibrarySearch::in_path_list(const std::string& list, const LoadedObject& owner,
                                                 const std::string& name) {
  if (list.empty()) return std::nullopt;
  for (const std::string& raw : split(list, ":")) {
    const auto dir = expand(raw, owner);
    if (!dir) return std::nullopt;
    const std::string absolute = dir->empty() ? cwd_ : dir->starts_with('/') ? *dir : cwd_ + "/" + *dir;
    // The program lies elsewhere on the host than in the guest: look beside the host's file, and place what is found.
    const bool moved = raw.find("ORIGIN") != std::string::npos &&
                       owner.host_origin.lexically_normal() != sysroot_.host_path(owner.origin).lexically_normal();
    if (moved && absolute.starts_with(owner.origin)) {
      const auto host = owner.host_origin / ("." + absolute.substr(owner.origin.size())) / name;
      std::error_code error;
      if (std::filesystem::is_regular_file(host, error)) {
        sysroot_.place(normalise(absolute + "/" + name), std::filesystem::weakly_canonical(host, error));
      }
    }
    auto found = in_directory(absolute, name);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

LibrarySearch::Found LibrarySearch::find(const std::string& name, const LoadedObject& requester) {
  if (name.find('/') != std::string::npos) {
    const auto path = expand(name, requester);
    if (!path) return std::nullopt;
    return candidate(normalise(path->starts_with('/') ? *path : cwd_ + "/" + *path));
  }
  return musl_ ? find_musl(name, requester) : find_glibc(name, requester);
}

LibrarySearch::Found LibrarySearch::find_glibc(const std::string& name, const LoadedObject& requester) {
  Found found = std::nullopt;
  // DT_RPATH, of the requester and of all who led to it, the program last; not where the requester has a DT_RUNPATH.
  if (!requester.facts.has_runpath) {
    for (const LoadedObject* l = &requester; l != nullptr; l = l->loader) {
      if (l->facts.has_runpath) continue;
      found = in_path_list(l->facts.rpath, *l, name);
      if (!found || *found) return found;
    }
  }
  found = in_path_list(library_path_, requester, name);
  if (!found || *found) return found;
  // DT_RUNPATH, of the requester only.
  found = in_path_list(requester.facts.runpath, requester, name);
  if (!found || *found) return found;

  if (!requester.facts.no_default_libs) {
    for (const CacheEntry& entry : cache_) {
      if (entry.name != name) continue;
      found = candidate(entry.path);
      if (!found) return found;
      if (*found) {
        const std::string dir = entry.path.substr(0, entry.path.rfind('/'));
        (*found)->by_cache = std::ranges::find(default_dirs_, dir) == default_dirs_.end();
        return found;
      }
    }
    for (const std::string& dir : conf_dirs_) {
      found = in_directory(dir, name);
      if (!found) return found;
      if (*found) {
        (*found)->by_cache = std::ranges::find(default_dirs_, dir) == default_dirs_.end();
        return found;
      }
    }
    for (const std::string& dir : default_dirs_) {
      found = in_directory(dir, name);
      if (!found || *found) return found;
    }
  }
  return std::nullopt;
}

LibrarySearch::Found LibrarySearch::find_musl(const std::string& name, const LoadedObject& requester) {
  Found found = in_path_list(library_path_, requester, name);
  if (!found || *found) return found;
  for (const LoadedObject* l = &requester; l != nullptr; l = l->loader) {
    found = in_path_list(l->facts.has_runpath ? l->facts.runpath : l->facts.rpath, *l, name);
    if (!found || *found) return found;
  }
  for (const std::string& dir : default_dirs_) {
    found = in_directory(dir, name);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

}  // namespace uni

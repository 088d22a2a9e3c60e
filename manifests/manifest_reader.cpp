// SPDX-License-Identifier: Apache-2.0
// Reads manifests, strictly: whatever `uni pack` would not write is refused with line and column.
#include <algorithm>
#include <set>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/file.hpp"
#include "manifests/manifest.hpp"
#include "manifests/yaml_reader.hpp"

namespace uni {
namespace {

std::uint64_t bounded(const YamlReader& in, const char* key, std::uint64_t fallback, std::uint64_t limit) {
  const std::uint64_t value = in.number(key, fallback);
  if (value > limit) in.refuse(key, "is too large");
  return value;
}

std::vector<std::string> assignments(const YamlReader& in, const char* key) {
  auto values = in.strings(key);
  for (const std::string& v : values) {
    const std::size_t equals = v.find('=');
    if (v.empty() || equals == 0) in.refuse(key, "must hold `NAME=VALUE` or `NAME` entries");
  }
  return values;
}

FileEntry read_file_entry(const YamlReader& in, const std::filesystem::path& directory) {
  in.only({"path", "type", "target", "origin", "content", "size", "mode", "sha256", "time", "reason", "package"});
  FileEntry entry;
  entry.reason = in.string("reason", "");
  entry.package = in.string("package", "");
  const std::string type = in.string("type", "file");
  if (type == "directory") {
    entry.kind = FileEntry::Kind::Directory;
    entry.mode = in.octal("mode", 0755);
    return entry;
  }
  if (type == "symlink") {
    entry.kind = FileEntry::Kind::Symlink;
    entry.mode = 0777;
    entry.target = in.string("target");
    if (entry.target.empty() || entry.target.size() > 4095) in.refuse("target", "has no usable length");
    entry.size = entry.target.size();
    return entry;
  }
  if (type != "file") in.refuse("type", "must be `file`, `directory` or `symlink`");
  if (in.has("origin") == in.has("content")) in.refuse("a file has either `origin` or `content`");
  if (in.has("origin")) {
    const std::string origin = in.string("origin");
    if (origin.empty()) in.refuse("origin", "is empty");
    entry.origin = origin.starts_with('/') ? std::filesystem::path(origin) : directory / origin;
  } else {
    entry.content = in.binary("content");
  }
  entry.mode = in.octal("mode", 0644);
  entry.size = bounded(in, "size", 0, std::uint64_t{1} << 40);
  entry.sha256 = in.string("sha256");
  if (entry.sha256.size() != 64 || entry.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    in.refuse("sha256", "must be 64 hexadecimal digits");
  }
  entry.mtime = static_cast<std::int64_t>(bounded(in, "time", 0, UINT32_MAX));
  if (entry.origin.empty() && entry.size != entry.content.size()) in.refuse("size", "is not the content's");
  return entry;
}

void read_files(const YamlReader& root, const std::filesystem::path& directory, Manifest& m) {
  std::set<std::string> directories = {""};
  std::map<std::string, const YamlReader*> lines;
  const auto items = root.items("files");
  for (const YamlReader& item : items) {
    const std::string path = item.absolute_path("path");
    if (path == "/lost+found") item.refuse("path", "is reserved");
    FileEntry entry = read_file_entry(item, directory);
    if (entry.kind == FileEntry::Kind::Directory) directories.insert(path);
    if (!m.files.emplace(path, std::move(entry)).second) item.refuse("path", "is given twice");
    lines.emplace(path, &item);
  }
  for (const auto& [path, item] : lines) {
    const std::string parent = path.substr(0, path.rfind('/'));
    if (!directories.contains(parent)) item->refuse("path", "has no parent directory `" + parent + "` in the list");
  }
}

void read_syscalls(const YamlReader& root, Manifest& m) {
  for (const YamlReader& item : root.items("syscalls")) {
    item.only({"number", "name", "level", "origins"});
    SyscallUse use;
    use.number = static_cast<unsigned>(bounded(item, "number", 0, 65535));
    use.origins = item.strings("origins");
    m.syscalls.uses.push_back(std::move(use));
  }
  m.syscalls.undecided = root.strings("undecided");
  for (const YamlReader& item : root.items("ports")) {
    item.only({"number", "evidence"});
    PortUse port{.number = static_cast<unsigned>(bounded(item, "number", 0, 65535)),
                 .evidence = item.string("evidence")};
    if (item.has("number") && port.number == 0) item.refuse("number", "must not be 0");
    m.syscalls.ports.push_back(std::move(port));
  }
}

void read_limits(const YamlReader& limits, Manifest& m) {
  limits.only({"processes", "threads", "files", "memory", "cpu"});
  for (const char* name : kLimitNames) {
    if (!limits.has(name)) continue;
    if (limits.number(name) == 0) limits.refuse(name, "must be at least 1");
    m.limits.emplace(name, bounded(limits, name, 1, INT64_MAX));
  }
}

Manifest read_manifest(const YamlReader& root, const std::filesystem::path& directory) {
  // The version comes first: of another one nothing else is known.
  if (const std::uint64_t version = root.number("version"); version != kManifestVersion) {
    root.refuse("version", "is " + std::to_string(version) + ", this `uni` reads version 1");
  }
  root.only({"version", "name", "program", "interpreter", "arguments", "environment", "directory", "user", "time",
             "resources", "network", "volumes", "permissions", "files", "syscalls", "undecided", "ports"});
  Manifest m;
  m.name = root.string("name");
  if (m.name.empty() || m.name.find('/') != std::string::npos) root.refuse("name", "must be a file name");
  m.program = root.absolute_path("program");
  if (root.has("interpreter")) m.interpreter = root.absolute_path("interpreter");
  m.arguments = root.strings("arguments");
  m.environment = assignments(root, "environment");
  m.directory = root.string("directory", "/");
  if (!m.directory.starts_with('/')) root.refuse("directory", "must be an absolute path");
  if (root.has("user")) {
    const YamlReader user = root.map("user");
    user.only({"uid", "gid"});
    m.uid = static_cast<unsigned>(bounded(user, "uid", 0, UINT32_MAX - 1));
    m.gid = static_cast<unsigned>(bounded(user, "gid", 0, UINT32_MAX - 1));
  }
  m.time = static_cast<std::int64_t>(bounded(root, "time", 0, UINT32_MAX));
  if (root.has("resources")) {
    const YamlReader resources = root.map("resources");
    resources.only({"memory", "cpus", "limits"});
    m.memory = resources.string("memory", "");
    m.cpus = static_cast<unsigned>(bounded(resources, "cpus", 0, 1024));
    if (resources.has("limits")) read_limits(resources.map("limits"), m);
  }
  if (root.has("network")) {
    const YamlReader network = root.map("network");
    network.only({"publish"});
    m.publish = network.strings("publish");
  }
  m.volumes = root.strings("volumes");
  if (root.has("permissions")) {
    const YamlReader permissions = root.map("permissions");
    permissions.only({"processes", "syscalls", "evidence"});
    m.processes = permissions.string("processes", "none");
    if (m.processes != "none" && m.processes != "fork" && m.processes != "exec") {
      permissions.refuse("processes", "must be `none`, `fork` or `exec`");
    }
    m.call_mode = permissions.string("syscalls", "all");
    if (m.call_mode != "audit" && m.call_mode != "enforce" && m.call_mode != "all") {
      permissions.refuse("syscalls", "must be `audit`, `enforce` or `all`");
    }
    m.syscalls.processes = permissions.strings("evidence");
  }
  read_files(root, directory, m);
  read_syscalls(root, m);
  return m;
}

}  // namespace

Expected<Manifest> parse_manifest(const std::filesystem::path& file, const std::string& text) {
  const auto directory = std::filesystem::absolute(file).lexically_normal().parent_path();
  return read_yaml(file.string(), text, [&](const YamlReader& root) { return read_manifest(root, directory); });
}

Expected<void> check_files(const Manifest& manifest, const std::filesystem::path& file) {
  for (const auto& [path, entry] : manifest.files) {
    if (entry.kind != FileEntry::Kind::File) continue;
    std::string sum;
    if (entry.origin.empty()) {
      sum = sha256_of(entry.content);
    } else {
      const auto input = InputFile::open(entry.origin);
      if (!input) {
        Diagnostic d = input.error();
        d.why += (d.why.empty() ? "" : "; ") + std::string("named by ") + file.string();
        return fail(std::move(d));
      }
      auto digest = sha256_of(*input);
      if (!digest) return std::unexpected(digest.error());
      sum = std::move(*digest);
    }
    if (sum != entry.sha256) {
      return fail({.what = "has changed since the manifest was written",
                   .where = entry.origin.empty() ? path : entry.origin.string(),
                   .why = "its SHA-256 is " + sum.substr(0, 12) + "..., " + file.string() + " says " +
                          entry.sha256.substr(0, 12) + "...",
                   .hint = "restore the file, or make a new manifest with `uni pack PROGRAM`"});
    }
  }
  return {};
}

bool looks_like_manifest(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".yaml" || extension == ".yml") return true;
  const auto file = InputFile::open(path);
  char start[9] = {};
  return file && file->read_some(0, start).value_or(0) >= 8 && std::string_view(start, 8) == "version:";
}

}  // namespace uni

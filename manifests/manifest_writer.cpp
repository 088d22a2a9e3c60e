// SPDX-License-Identifier: Apache-2.0
// Writes manifests with yaml-cpp's emitter, keys in a fixed order, files by path: the same content gives the same
// bytes.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "loader/analyze/syscall_table.hpp"
#include "manifests/manifest.hpp"

namespace uni {
namespace {

using YAML::Key;
using YAML::Value;

// Brackets stand in quotes, where the reader sees that they nest nothing; so do quotes and what may be a comment,
// behind which it is not sure of that.
void put_text(YAML::Emitter& out, const std::string& text) {
  if (text.find_first_of("[]{}'\"#") != std::string::npos) out << YAML::DoubleQuoted;
  out << text;
}

void put(YAML::Emitter& out, const char* key, const std::string& value) {
  out << Key << key << Value;
  put_text(out, value);
}

void put_list(YAML::Emitter& out, const char* key, const std::vector<std::string>& values) {
  out << Key << key << Value;
  if (values.empty()) out << YAML::Flow;
  out << YAML::BeginSeq;
  for (const std::string& v : values)
    put_text(out, v);
  out << YAML::EndSeq;
}

std::string origin_text(const std::string& guest, const FileEntry& entry, const std::filesystem::path& directory,
                        Origins origins) {
  const std::string origin = entry.origin.string();
  if (origin == guest) return origin;
  if (origins == Origins::Names) return entry.origin.filename().string();
  const auto relative = entry.origin.lexically_relative(directory);
  return relative.empty() || *relative.begin() == ".." ? origin : relative.string();
}

void put_file(YAML::Emitter& out, const std::string& path, const FileEntry& entry,
              const std::filesystem::path& directory, Origins origins) {
  out << YAML::BeginMap;
  put(out, "path", path);
  switch (entry.kind) {
    case FileEntry::Kind::Directory:
      put(out, "type", "directory");
      out << Key << "mode" << Value << fmt::format("{:04o}", entry.mode);
      break;
    case FileEntry::Kind::Symlink:
      put(out, "type", "symlink");
      put(out, "target", entry.target);
      break;
    case FileEntry::Kind::File:
      if (!entry.origin.empty()) {
        put(out, "origin", origin_text(path, entry, directory, origins));
      } else {
        out << Key << "content" << Value
            << YAML::Binary(reinterpret_cast<const unsigned char*>(entry.content.data()), entry.content.size());
      }
      out << Key << "size" << Value << entry.size;
      out << Key << "mode" << Value << fmt::format("{:04o}", entry.mode);
      put(out, "sha256", entry.sha256);
      if (entry.mtime != 0) out << Key << "time" << Value << entry.mtime;
      break;
  }
  put(out, "reason", entry.reason);
  if (!entry.package.empty()) put(out, "package", entry.package);
  out << YAML::EndMap;
}

void put_syscalls(YAML::Emitter& out, const SyscallReport& report) {
  out << Key << "syscalls" << Value << YAML::BeginSeq;
  for (const SyscallUse& use : report.uses) {
    const SyscallRow* row = find_syscall(use.number);
    out << YAML::Flow << YAML::BeginMap;
    out << Key << "number" << Value << use.number;
    put(out, "name", row != nullptr ? std::string(row->name) : fmt::format("syscall_{}", use.number));
    put(out, "level", std::string(level_name(row != nullptr ? row->level : Level::Missing)));
    put_list(out, "origins", use.origins);
    out << YAML::EndMap;
  }
  out << YAML::EndSeq;
  put_list(out, "undecided", report.undecided);
  if (report.ports.empty()) return;
  out << Key << "ports" << Value << YAML::BeginSeq;
  for (const PortUse& port : report.ports) {
    out << YAML::Flow << YAML::BeginMap;
    if (port.number != 0) out << Key << "number" << Value << port.number;
    put(out, "evidence", port.evidence);
    out << YAML::EndMap;
  }
  out << YAML::EndSeq;
}

}  // namespace

std::string write_manifest(const Manifest& m, const std::filesystem::path& directory, Origins origins) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  out << Key << "version" << Value << kManifestVersion;
  put(out, "name", m.name);
  put(out, "program", m.program);
  if (!m.interpreter.empty()) put(out, "interpreter", m.interpreter);
  put_list(out, "arguments", m.arguments);
  put_list(out, "environment", m.environment);
  put(out, "directory", m.directory);
  out << Key << "user" << Value << YAML::Flow << YAML::BeginMap << Key << "uid" << Value << m.uid << Key << "gid"
      << Value << m.gid << YAML::EndMap;
  out << Key << "time" << Value << m.time;
  if (!m.memory.empty() || m.cpus != 0 || !m.limits.empty()) {
    out << Key << "resources" << Value << YAML::BeginMap;
    if (!m.memory.empty()) put(out, "memory", m.memory);
    if (m.cpus != 0) out << Key << "cpus" << Value << m.cpus;
    if (!m.limits.empty()) {
      out << Key << "limits" << Value << YAML::Flow << YAML::BeginMap;
      for (const auto& [name, most] : m.limits)
        out << Key << name << Value << most;
      out << YAML::EndMap;
    }
    out << YAML::EndMap;
  }
  if (!m.publish.empty()) {
    out << Key << "network" << Value << YAML::BeginMap;
    put_list(out, "publish", m.publish);
    out << YAML::EndMap;
  }
  if (!m.volumes.empty()) put_list(out, "volumes", m.volumes);
  out << Key << "permissions" << Value << YAML::BeginMap;
  put(out, "processes", m.processes);
  put(out, "syscalls", m.call_mode);
  put_list(out, "evidence", m.syscalls.processes);
  out << YAML::EndMap;
  out << Key << "files" << Value << YAML::BeginSeq;
  for (const auto& [path, entry] : m.files)
    put_file(out, path, entry, directory, origins);
  out << YAML::EndSeq;
  put_syscalls(out, m.syscalls);
  out << YAML::EndMap;
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// A tmpfs as the root, made once, and short names for what tests do with it.
#pragma once

#include <cstring>
#include <string>

#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"

namespace uni::test {

struct Tree {
  Credentials root;
  RefPtr<fs::FsContext> context;
  Tree() {
    static const bool made = [] {
      auto store = fs::make_tmpfs(0, 0755);
      return store.ok() && fs::init_root(store.take()).ok();
    }();
    if (made) context = fs::FsContext::create_root().take();
  }
  fs::PathStart at(const Credentials* who = nullptr) { return {*context, who != nullptr ? *who : root}; }
  Errno open(const char* path, u32 flags, u32 mode = 0644, RefPtr<fs::File>* out = nullptr,
             const Credentials* who = nullptr) {
    auto r = fs::open(at(who), path, flags, mode);
    const Errno e = r.ok() ? Errno{} : r.error();
    if (r.ok() && out != nullptr) *out = r.take();
    return e;
  }
  Errno find(const char* path, u32 flags = fs::kFollow, const Credentials* who = nullptr) {
    return error(fs::lookup(at(who), path, flags));
  }
  Errno mkdir(const char* path, u32 mode = 0755) { return error(fs::make_directory(at(), path, mode)); }
  Errno rmdir(const char* path) { return error(fs::remove_directory(at(), path)); }
  Errno unlink(const char* path) { return error(fs::unlink(at(), path)); }
  Errno symlink(const char* target, const char* path) { return error(fs::make_symlink(at(), path, target)); }
  Errno rename(const char* from, const char* to, u32 flags = 0) {
    return error(fs::rename(at(), from, at(), to, flags));
  }
  std::string path_of(const char* path) {
    auto found = fs::lookup(at(), path, fs::kFollow);
    char buffer[4096];
    if (!found.ok()) return "?";
    auto text = fs::path_of(*found.value(), nullptr, buffer);
    return text.ok() ? std::string(text.value().data(), text.value().size()) : "?";
  }
  template <typename T>
  static Errno error(const Result<T>& r) {
    return r.ok() ? Errno{} : r.error();
  }
};

inline Errno write(fs::File& file, const std::string& text, u64 offset) {
  IoCursor from = IoCursor::kernel(static_cast<const void*>(text.data()), text.size());
  auto r = file.write(from, offset);
  return !r.ok() ? r.error() : r.value() == text.size() ? Errno{} : Errno::Io;
}
inline std::string read(fs::File& file, usize size, u64 offset) {
  std::string text(size, '?');
  IoCursor to = IoCursor::kernel(static_cast<void*>(text.data()), size);
  auto r = file.read(to, offset);
  text.resize(r.ok() ? r.value() : 0);
  return text;
}

}  // namespace uni::test

// SPDX-License-Identifier: Apache-2.0
// execve(2), execveat(2): the arguments are copied in, the loader does the rest (loader/exec). Needs the image's
// permission; without it the call answers EPERM, after the checks of what the program passed.
#include "loader/exec/exec.hpp"

#include "kernel/base/crc32c.hpp"
#include "kernel/base/format.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/sched/trace.hpp"
#include "syscall-shim/linux/clone.hpp"
#include "syscall-shim/linux/fs_common.hpp"
#include "syscall-shim/linux/process.hpp"

namespace uni::shim {
namespace {

constexpr usize kMostBytes = 6 * kMiB;         // three quarters of Linux's 8 MiB stack limit
constexpr usize kMostString = 32 * kPageSize;  // MAX_ARG_STRLEN

// Copies a program's list of strings. Errors: Fault, TooBig, NoMemory.
Result<void> read_list(UserPtr<u64> list, Vector<String>& out, usize* total) {
  if (!list) return {};
  String buffer = TRY(String::filled(kPageSize));
  for (usize i = 0;; ++i) {
    const u64 at = TRY((list + i).read());
    if (at == 0) return {};
    usize length = 0;
    if (auto n = copy_string_from_user(buffer.data(), UserAddr{at}, buffer.size()); n.ok()) {
      length = n.value();
    } else {
      if (n.error() != Errno::NameTooLong) return n.error();
      buffer = TRY(String::filled(kMostString));
      auto longer = copy_string_from_user(buffer.data(), UserAddr{at}, buffer.size());
      if (!longer.ok()) return longer.error() == Errno::NameTooLong ? Errno::TooBig : longer.error();
      length = longer.value();
    }
    *total += length + 1 + sizeof(u64);
    if (*total > kMostBytes) return Errno::TooBig;
    TRY(push_copy(out, {buffer.data(), length}));
  }
}

// The host hears what was looked for and is not in the image (docs/IMAGE.md, `missing-program`), each name once: a
// shell tries one directory after the other.
constexpr usize kMostTold = 64;
Guarded<Vector<u32>, Rank::kLeaf> told_names;

bool first_time(StringView path) {
  const u32 digest = crc32c(0, path.data(), path.size());
  return told_names.with([&](Vector<u32>& told) {
    for (const u32 t : told) {
      if (t == digest) return false;
    }
    return told.size() < kMostTold && told.push(digest).ok();
  });
}

void tell_missing(StringView path) {
  if (!first_time(path)) return;
  char line[500];
  BufferWriter out(line);
  out.write("missing-program ");
  dev::write_control_word(out, path);
  if (!out.truncated()) dev::control_send(out.view());
}

void tell_missing(const PathArgument& path) {
  if (path.text().empty()) return;
  if (path.text()[0] == '/') return tell_missing(path.text());
  char buffer[160];
  const Result<StringView> directory = path.directory({buffer, sizeof buffer});
  if (!directory.ok()) return;
  char whole[320];
  BufferWriter out(whole);
  format(out, "{}/{}", directory.value(), path.text());
  if (!out.truncated()) tell_missing(out.view());
}

Result<i64> execute(i32 directory, UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment, i32 flags) {
  constexpr u32 kKnown = abi::kAtEmptyPath | abi::kAtSymlinkNoFollow;
  if ((static_cast<u32>(flags) & ~kKnown) != 0) return Errno::Invalid;
  PathArgument name;
  TRY(name.read(directory, UserText(raw(path.address()))));
  exec::Arguments args;
  usize total = 0;
  TRY(read_list(arguments, args.arguments, &total));
  TRY(read_list(environment, args.environment, &total));
  // Linux 5.18: an empty argv becomes one empty string.
  if (args.arguments.empty()) TRY(push_copy(args.arguments, ""));
  if (!may_execute()) return Errno::NotPermitted;

  const bool no_follow = (static_cast<u32>(flags) & abi::kAtSymlinkNoFollow) != 0;
  auto found = find_path(name, static_cast<u32>(flags), no_follow ? 0 : u32{fs::kFollow});
  if (!found.ok()) {
    if (found.error() == Errno::NoEntry) tell_missing(name);
    return found.error();
  }
  if (no_follow && found.value()->inode() != nullptr && found.value()->inode()->type() == fs::FileType::kSymlink)
    return Errno::Loop;
  // What a script's interpreter opens: the path itself, or a way through the descriptor (execveat(2)).
  String shown;
  if (directory != abi::kAtCwd && (name.text().empty() || name.text()[0] != '/')) {
    char text[64];
    BufferWriter out(text);
    format(out, "/dev/fd/{}", directory);
    shown = TRY(String::copy(out.view()));
    if (!name.text().empty()) {
      TRY(shown.append("/"));
      TRY(shown.append(name.text()));
    }
  } else {
    shown = TRY(String::copy(name.text()));
  }
  String failed;
  Thread& self = Thread::current();
  const u32 old_tid = raw(self.tid());
  TrapFrame frame{};
  const auto loaded = exec::load(found.take(), shown.view(), args, frame, &failed);
  if (!loaded.ok()) {
    if (loaded.error() == Errno::NoEntry) tell_missing(failed.view());
    return loaded.error();
  }
  frame.orig_rax = self.frame->orig_rax;
  *self.frame = frame;
  trace::executed(self, old_tid);
  return 0;
}

}  // namespace

Result<i64> sys_execve(UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment) {
  return execute(abi::kAtCwd, path, arguments, environment, 0);
}

Result<i64> sys_execveat(i32 directory, UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment,
                         i32 flags) {
  return execute(directory, path, arguments, environment, flags);
}

}  // namespace uni::shim

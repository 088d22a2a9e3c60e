// SPDX-License-Identifier: Apache-2.0
// The mounts as a process sees them: mounts, mountinfo, mountstats (proc_pid_mounts(5), proc_pid_mountinfo(5)). What is
// outside of the process's root is left out.
#include "kernel/fs/mount.hpp"

#include "kernel/fs/mount_text.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::fs {

namespace {
constexpr usize kPathMax = 4096;

struct FlagName {
  u32 flag;
  StringView name;
};
constexpr FlagName kMountFlags[] = {
    {kMountNoSuid, ",nosuid"},
    {kMountNoDev, ",nodev"},
    {kMountNoExec, ",noexec"},
    {kMountNoAtime, ",noatime"},
    {kMountNoDirectoryAtime, ",nodiratime"},
};
constexpr FlagName kSuperFlags[] = {{16, ",sync"}, {128, ",dirsync"}, {64, ",mand"}, {1 << 25, ",lazytime"}};

void write_names(Writer& out, Span<const FlagName> names, u32 flags) {
  for (const FlagName& f : names)
    if ((flags & f.flag) != 0) out.write(f.name);
}
}  // namespace

void write_mount_escaped(Writer& out, StringView text) {
  for (usize i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#')
      format(out, "\\{:03o}", static_cast<u32>(static_cast<u8>(c)));
    else
      out.write(text.slice(i, 1));
  }
}

void write_mount_flags(Writer& out, u32 flags) {
  write_names(out, kMountFlags, flags);
  if ((flags & (kMountNoAtime | kMountStrictAtime)) == 0) out.write(",relatime");
  if ((flags & kMountNoSymfollow) != 0) out.write(",nosymfollow");
}

void write_super_flags(Writer& out, const FileSystem& fs) {
  write_names(out, kSuperFlags, fs.super_flags.load(std::memory_order_relaxed));
}

bool is_read_only(const FileSystem& fs) {
  return fs.read_only() || (fs.super_flags.load(std::memory_order_relaxed) & kMountReadOnly) != 0;
}

namespace procfs {

namespace {
Result<RefPtr<Dentry>> root_of(const Numbers& numbers) {
  const Target target = TRY(target_of(numbers));
  const RefPtr<FsContext> context = Process::fs_of(*target.thread);
  if (!context) return Errno::NoProcess;
  return context->root();
}

// The mounts below `root`, each with its place: what `show` writes.
using ShowMount = void (*)(Writer& out, Mount& mount, u32 parent, StringView path);
Result<void> for_each(Writer& out, const Numbers& numbers, ShowMount show) {
  const RefPtr<Dentry> root = TRY(root_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(kPathMax));
  for (const RefPtr<Mount>& m : TRY(mounts())) {
    const MountPlace place = place_of(*m);
    if (!place.root) continue;
    const Result<StringView> path = path_of(*place.root, root.get(), buffer.span());
    if (!path.ok()) return path.error();
    if (path.value().starts_with("(unreachable)"_sv)) continue;
    show(out, *m, place.parent, path.value());
  }
  return {};
}
}  // namespace

Result<void> show_mounts(Writer& out, const Numbers& numbers) {
  return for_each(out, numbers, [](Writer& to, Mount& m, u32, StringView path) {
    write_mount_escaped(to, m.source.view());
    to.write(" ");
    write_mount_escaped(to, path);
    format(to, " {} {}", m.file_system().type_name(), m.read_only() ? "ro" : "rw");
    write_super_flags(to, m.file_system());
    write_mount_flags(to, m.flags.load());
    m.file_system().show_options(to);
    to.write(" 0 0\n");
  });
}

Result<void> show_mountinfo(Writer& out, const Numbers& numbers) {
  return for_each(out, numbers, [](Writer& to, Mount& m, u32 parent, StringView path) {
    const u64 device = m.file_system().device_number();
    format(to, "{} {} {}:{} ", m.id(), parent, device >> 8, device & 0xFF);
    write_mount_escaped(to, m.root_path.view());
    to.write(" ");
    write_mount_escaped(to, path);
    to.write(m.has(kMountReadOnly) ? " ro" : " rw");
    write_mount_flags(to, m.flags.load());
    if (m.peer_group != 0) format(to, " shared:{}", m.peer_group);
    if (m.master_group != 0) format(to, " master:{}", m.master_group);
    if (m.unbindable) to.write(" unbindable");
    format(to, " - {} ", m.file_system().type_name());
    write_mount_escaped(to, m.source.view());
    to.write(is_read_only(m.file_system()) ? " ro" : " rw");
    write_super_flags(to, m.file_system());
    m.file_system().show_options(to);
    to.write("\n");
  });
}

Result<void> show_mountstats(Writer& out, const Numbers& numbers) {
  return for_each(out, numbers, [](Writer& to, Mount& m, u32, StringView path) {
    to.write("device ");
    write_mount_escaped(to, m.source.view());
    to.write(" mounted on ");
    write_mount_escaped(to, path);
    format(to, " with fstype {}\n", m.file_system().type_name());
  });
}

}  // namespace procfs
}  // namespace uni::fs

// SPDX-License-Identifier: Apache-2.0
// Links to what a process has open, and the mounts.
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/fs/vfs.hpp"

namespace uni::fs::procfs {
namespace {

constexpr usize kPathMax = 4096;

Result<void> write_path(Writer& out, Dentry& dentry, Dentry* root) {
  Vector<char> buffer;
  TRY(buffer.resize(kPathMax));
  out.write(TRY(path_of(dentry, root, buffer.span())));
  return {};
}

Result<RefPtr<FsContext>> context_of(const Numbers& numbers) {
  const Target target = TRY(target_of(numbers));
  RefPtr<FsContext> context = Process::fs_of(*target.thread);
  if (!context) return Errno::NoProcess;
  return context;
}

Result<RefPtr<File>> file_of(const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  RefPtr<FileTable> files;
  {
    LockGuard guard(process->lock);
    files = process->files;
  }
  if (!files) return Errno::NoEntry;
  auto file = files->get(static_cast<int>(numbers.last()), true);
  if (!file.ok()) return Errno::NoEntry;
  return file;
}

// Octal escapes for what separates fields (proc_pid_mounts(5)).
void write_escaped(Writer& out, StringView text) {
  for (usize i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\')
      format(out, "\\{:03o}", static_cast<u32>(static_cast<u8>(c)));
    else
      out.write(text.slice(i, 1));
  }
}

void write_flags(Writer& out, const Mount& m, bool read_only) {
  out.write(read_only ? "ro" : "rw");
  if ((m.flags & kMountNoSuid) != 0) out.write(",nosuid");
  if ((m.flags & kMountNoDev) != 0) out.write(",nodev");
  if ((m.flags & kMountNoExec) != 0) out.write(",noexec");
  if ((m.flags & kMountNoAtime) != 0)
    out.write(",noatime");
  else
    out.write(",relatime");
}

Result<void> write_place(Writer& out, const Mount& m, Dentry* root) {
  RefPtr<Dentry> top;
  {
    LockGuard guard(dentry_lock());
    top = m.root;
  }
  if (!top) return Errno::NoEntry;
  Vector<char> buffer;
  TRY(buffer.resize(kPathMax));
  write_escaped(out, TRY(path_of(*top, root, buffer.span())));
  return {};
}

}  // namespace

Result<void> show_exe(Writer& out, const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  if (process->executable_file && process->executable_file->dentry() != nullptr)
    return write_path(out, *process->executable_file->dentry(), nullptr);
  if (process->executable.empty()) return Errno::NoEntry;
  out.write(process->executable.view());
  return {};
}

Result<RefPtr<Dentry>> follow_exe(const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  if (!process->executable_file) return RefPtr<Dentry>();
  return dentry_for(*process->executable_file);
}

Result<void> show_cwd(Writer& out, const Numbers& numbers) {
  auto context = TRY(context_of(numbers));
  return write_path(out, *context->cwd(), nullptr);
}

Result<RefPtr<Dentry>> follow_cwd(const Numbers& numbers) {
  return TRY(context_of(numbers))
  ->cwd();
}

Result<void> show_root(Writer& out, const Numbers& numbers) {
  auto context = TRY(context_of(numbers));
  return write_path(out, *context->root(), nullptr);
}

Result<RefPtr<Dentry>> follow_root(const Numbers& numbers) {
  return TRY(context_of(numbers))
  ->root();
}

Result<void> show_fd(Writer& out, const Numbers& numbers) {
  auto file = TRY(file_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(kPathMax));
  out.write({buffer.data(), min(file->describe(buffer.span()), buffer.size())});
  return {};
}

Result<RefPtr<Dentry>> follow_fd(const Numbers& numbers) {
  auto file = TRY(file_of(numbers));
  return dentry_for(*file);
}

Result<void> show_fdinfo(Writer& out, const Numbers& numbers) {
  auto file = TRY(file_of(numbers));
  auto process = TRY(process_of(numbers));
  u32 flags = file->flags();
  auto close_on_exec = process->files->close_on_exec(static_cast<int>(numbers.last()));
  if (close_on_exec.ok() && close_on_exec.value()) flags |= kOpenCloseOnExec;
  Dentry* dentry = file->dentry();
  const u32 mount = dentry != nullptr && dentry->mount() != nullptr ? dentry->mount()->id() : 0;
  format(out, "pos:\t{}\nflags:\t0{:o}\nmnt_id:\t{}\nino:\t{}\n", file->position, flags, mount,
         file->inode() != nullptr ? file->inode()->number() : 0);
  file->describe_info(out);
  return {};
}

Result<void> show_mounts(Writer& out, const Numbers& numbers) {
  RefPtr<FsContext> context;
  if (numbers.count > 0) context = TRY(context_of(numbers));
  RefPtr<Dentry> root;
  if (context) root = context->root();
  const auto list = TRY(mounts());
  for (const RefPtr<Mount>& m : list) {
    write_escaped(out, m->source.view());
    out.write(" ");
    if (!write_place(out, *m, root.get()).ok()) out.write("/");
    format(out, " {} ", m->file_system().type_name());
    write_flags(out, *m, m->read_only());
    out.write(" 0 0\n");
  }
  return {};
}

Result<void> show_mountinfo(Writer& out, const Numbers& numbers) {
  RefPtr<FsContext> context = TRY(context_of(numbers));
  const RefPtr<Dentry> root = context->root();
  const auto list = TRY(mounts());
  for (const RefPtr<Mount>& m : list) {
    u32 parent = 0;
    {
      LockGuard guard(dentry_lock());
      if (m->at && m->at->mount() != nullptr) parent = m->at->mount()->id();
    }
    const u64 device = m->file_system().device_number();
    format(out, "{} {} {}:{} / ", m->id(), parent, device >> 8, device & 0xFF);
    if (!write_place(out, *m, root.get()).ok()) out.write("/");
    out.write(" ");
    write_flags(out, *m, (m->flags & kMountReadOnly) != 0);
    format(out, " - {} ", m->file_system().type_name());
    write_escaped(out, m->source.view());
    format(out, " {}\n", m->file_system().read_only() ? "ro" : "rw");
  }
  return {};
}

}  // namespace uni::fs::procfs

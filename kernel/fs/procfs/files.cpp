// SPDX-License-Identifier: Apache-2.0
// Links to what a process has open.
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

}  // namespace uni::fs::procfs

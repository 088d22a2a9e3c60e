// SPDX-License-Identifier: Apache-2.0
// A thread takes the next file when it has finished one; the extents were given before, so the order does not matter
// for the bytes. Large files are first, so that none is left alone at the end.
#include "cli/image/contents.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <numeric>
#include <optional>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/digest_memory.hpp"
#include "loader/analyze/file.hpp"
#include "loader/analyze/parallel.hpp"

namespace uni {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

std::unexpected<Diagnostic> changed(const FileEntry& entry) {
  return fail({.what = "changed while it was packed", .where = entry.origin.string(), .why = {}, .hint = "pack again"});
}

Expected<void> copy_one(SparseWindow& window, const ContentJob& job, std::span<char> buffer,
                        const std::function<void(std::uint64_t)>& progress) {
  const FileEntry& entry = *job.entry;
  std::optional<InputFile> input;
  if (!entry.origin.empty()) {
    auto opened = InputFile::open(entry.origin);
    if (!opened) return std::unexpected(opened.error());
    if (opened->size() != entry.size) return changed(entry);
    input.emplace(std::move(*opened));
  }
  // What has not changed since it was digested need not be digested again.
  const auto unchanged = [&] { return input && remembered_digest(*input) == entry.sha256; };
  const bool known = unchanged();
  Sha256 sum;
  std::uint64_t done = 0;
  for (const Extent& extent : job.extents) {
    for (std::uint64_t at = 0; at < extent.size;) {
      const std::size_t size = std::min<std::uint64_t>(extent.size - at, buffer.size());
      const std::span<char> chunk = buffer.subspan(0, size);
      if (input) {
        const auto n = input->read_some(done, chunk);
        if (!n) return std::unexpected(n.error());
        if (*n != size) return changed(entry);
      } else {
        std::copy_n(entry.content.begin() + static_cast<std::ptrdiff_t>(done), size, chunk.begin());
      }
      if (!known) sum.add({chunk.data(), size});
      if (const int error = window.write_new(extent.disk + at, chunk); error != 0) return fail(write_failure(error));
      at += size, done += size;
      progress(size);
    }
  }
  const bool same = known ? unchanged() : hex(sum.finish()) == entry.sha256;
  return same ? Expected<void>{} : changed(entry);
}

}  // namespace

Diagnostic write_failure(int number) {
  return {.what = "the image cannot be written",
          .where = {},
          .why = errno_text(number),
          .hint = number == EFBIG ? "raise the limit on file sizes (`ulimit -f`)"
                                  : "free space there, or choose another place with `-o IMAGE`",
          .code = ExitCode::kEnvironment};
}

Expected<void> copy_contents(SparseWindow& window, const std::vector<ContentJob>& jobs,
                             const std::function<void(std::uint64_t, const std::string&)>& progress) {
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return jobs[i].entry->size; });
  std::mutex lock;
  std::optional<std::pair<std::size_t, Diagnostic>> failed;
  std::atomic<bool> stop{false};
  for_each_parallel(order.size(), [&](std::size_t index) {
    if (stop) return;
    thread_local std::vector<char> buffer(kChunk);
    const ContentJob& job = jobs[order[index]];
    auto ok = copy_one(window, job, buffer, [&](std::uint64_t bytes) {
      const std::lock_guard guard(lock);
      progress(bytes, *job.path);
    });
    if (ok) return;
    const std::lock_guard guard(lock);
    stop = true;
    if (!failed || order[index] < failed->first) failed.emplace(order[index], std::move(ok.error()));
  });
  if (failed) return fail(std::move(failed->second));
  return {};
}

}  // namespace uni

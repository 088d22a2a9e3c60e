// SPDX-License-Identifier: Apache-2.0
// The rule is git's for its index: a time that is too near to the reading proves nothing ("racy git").
#include "loader/analyze/digest_memory.hpp"

#include <sys/stat.h>
#include <time.h>

#include <map>
#include <mutex>

namespace uni {
namespace {

constexpr long kTooFresh = 2;  // seconds

struct Memory {
  std::mutex lock;
  std::map<FileStamp, std::string> digests;
};

Memory& memory() {
  static Memory the_memory;
  return the_memory;
}

}  // namespace

FileStamp stamp_of(const InputFile& file) {
  struct stat st {};
  if (::fstat(file.fd(), &st) != 0) return {};
  return {.device = st.st_dev,
          .inode = st.st_ino,
          .size = static_cast<unsigned long>(st.st_size),
          .changed_seconds = st.st_ctim.tv_sec,
          .changed_nanoseconds = st.st_ctim.tv_nsec};
}

void remember_digest(const InputFile& file, const FileStamp& before, const std::string& digest) {
  if (before == FileStamp{} || stamp_of(file) != before) return;
  const long age = ::time(nullptr) - before.changed_seconds;
  if (age <= kTooFresh) return;
  Memory& m = memory();
  const std::lock_guard guard(m.lock);
  m.digests.insert_or_assign(before, digest);
}

std::string remembered_digest(const InputFile& file) {
  Memory& m = memory();
  const FileStamp now = stamp_of(file);
  const std::lock_guard guard(m.lock);
  const auto found = m.digests.find(now);
  return found == m.digests.end() ? std::string() : found->second;
}

}  // namespace uni

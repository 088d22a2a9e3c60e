// SPDX-License-Identifier: Apache-2.0
// A ring of fixed size: what was looked for last is nearest to the failure.
#include "kernel/fs/lacked_files.hpp"

#include "kernel/base/crc32c.hpp"
#include "kernel/base/format.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::fs {
namespace {

constexpr usize kMostFiles = 64;
constexpr usize kLongest = 150;  // three characters for each byte must fit into a control line

struct Lacked {
  u32 digest = 0;
  u32 length = 0;
  char text[kLongest] = {};
};

struct Ring {
  Lacked files[kMostFiles];
  usize noted = 0;  // since the start
};
Guarded<Ring, Rank::kLeaf> ring;

}  // namespace

void note_lacked_file(StringView directory, StringView text) {
  char path[kLongest];
  BufferWriter out(path);
  const bool absolute = !text.empty() && text[0] == '/';
  const usize length = absolute ? text.size() : directory.size() + 1 + text.size();
  if (text.empty() || length > kLongest) return;
  if (!absolute) {
    out.write(directory);
    out.write("/");
  }
  out.write(text);
  const u32 digest = crc32c(0, path, length);
  ring.with([&](Ring& r) {
    const usize known = r.noted < kMostFiles ? r.noted : kMostFiles;
    for (usize i = 0; i < known; ++i) {
      if (r.files[i].digest == digest) return;
    }
    Lacked& entry = r.files[r.noted++ % kMostFiles];
    entry.digest = digest;
    entry.length = static_cast<u32>(length);
    for (usize i = 0; i < length; ++i)
      entry.text[i] = path[i];
  });
}

void tell_lacked_files() {
  for (usize i = 0; i < kMostFiles; ++i) {
    Lacked entry;
    const bool there = ring.with([&](Ring& r) {
      const usize first = r.noted < kMostFiles ? 0 : r.noted - kMostFiles;
      if (first + i >= r.noted) return false;
      entry = r.files[(first + i) % kMostFiles];
      return true;
    });
    if (!there) return;
    char line[16 + 3 * kLongest];
    BufferWriter out(line);
    out.write("missing-file ");
    dev::control_word(out, {entry.text, entry.length});
    dev::control_send(out.view());
    if (i % 8 == 7) dev::drain_ports();
  }
}

}  // namespace uni::fs

// SPDX-License-Identifier: Apache-2.0
// Two rings of fixed size: what was looked for last is nearest to the failure.
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
  u32 length = 0;
  char text[kLongest] = {};
};

struct Ring {
  u32 digests[kMostFiles];  // beside the texts: a search reads four cache lines
  Lacked files[kMostFiles];
  usize noted = 0;  // since the start
};
Guarded<Ring, Rank::kLeaf> opened, looked_at;

Guarded<Ring, Rank::kLeaf>& ring_of(Asked how) {
  return how == Asked::kOpened ? opened : looked_at;
}

bool of_the_machine(StringView path) {
  for (const StringView top : {StringView("/proc/"), StringView("/sys/"), StringView("/dev/")}) {
    if (path.starts_with(top)) return true;
  }
  return false;
}

void tell(Asked how, StringView verb) {
  for (usize i = 0; i < kMostFiles; ++i) {
    Lacked entry;
    const bool there = ring_of(how).with([&](Ring& r) {
      const usize first = r.noted < kMostFiles ? 0 : r.noted - kMostFiles;
      if (first + i >= r.noted) return false;
      entry = r.files[(first + i) % kMostFiles];
      return true;
    });
    if (!there) return;
    char line[16 + 3 * kLongest];
    BufferWriter out(line);
    out.write(verb);
    out.write(" ");
    dev::write_control_word(out, {entry.text, entry.length});
    dev::control_send(out.view());
    if (i % 8 == 7) dev::drain_ports();
  }
}

}  // namespace

void note_lacked_file(Asked how, StringView directory, StringView text) {
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
  if (of_the_machine(out.view())) return;
  const u32 digest = crc32c(0, path, length);
  ring_of(how).with([&](Ring& r) {
    const usize known = r.noted < kMostFiles ? r.noted : kMostFiles;
    for (usize i = 0; i < known; ++i) {
      if (r.digests[i] == digest) return;
    }
    const usize slot = r.noted++ % kMostFiles;
    r.digests[slot] = digest;
    r.files[slot].length = static_cast<u32>(length);
    for (usize i = 0; i < length; ++i)
      r.files[slot].text[i] = path[i];
  });
}

void tell_lacked_files() {
  tell(Asked::kOpened, "missing-file");
  tell(Asked::kLookedAt, "missing-path");
}

}  // namespace uni::fs

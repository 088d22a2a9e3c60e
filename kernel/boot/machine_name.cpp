// SPDX-License-Identifier: Apache-2.0
#include "kernel/boot/machine_name.hpp"

#include "kernel/base/boot_config.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::boot {

namespace {

struct Chosen {
  MachineName name;
  bool set = false;
};
struct Names {
  Chosen of[2];
};
constinit Guarded<Names, Rank::kLeaf> chosen{};

MachineName name_from(Span<const char> text) {
  MachineName name{};
  __builtin_memcpy(name.text, text.data(), min(text.size(), MachineName::kMost));
  return name;
}

}  // namespace

MachineName machine_name(NameOf which) {
  const Chosen now = chosen.with([&](Names& all) { return all.of[static_cast<usize>(which)]; });
  if (now.set) return now.name;
  const StringView first = which == NameOf::kHost ? config().get(BootKey::hostname, "uni") : StringView("(none)");
  return name_from({first.data(), first.size()});
}

void set_machine_name(NameOf which, Span<const char> text) {
  const Chosen fresh{name_from(text), true};
  chosen.with([&](Names& all) { all.of[static_cast<usize>(which)] = fresh; });
}

}  // namespace uni::boot

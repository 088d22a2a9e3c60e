// SPDX-License-Identifier: Apache-2.0
// The files that the guest was asked for and lacked, and what of it is worth telling: programs try many places, so only
// what exists on this machine can be what was meant.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace uni::vmm {

// Whether the image has what was looked for at this guest path somewhere else, where the same search finds it. May be
// empty: nothing is known.
using FoundElsewhere = std::function<bool(const std::string& path)>;

class Lacked {
 public:
  // Each takes an absolute path of the guest, in the order in which they were asked for.
  void executed(std::string path) { keep(executed_, std::move(path)); }
  void opened(std::string path) { keep(opened_, std::move(path)); }
  void looked_at(std::string path) { keep(looked_at_, std::move(path)); }

  // One printable sentence for each file with the command that adds it, what is most likely needed first: programs that
  // were executed, files that were opened, programs that were looked for (one of a name, wherever $PATH has led), and
  // the last few other files that were looked at.
  std::vector<std::string> hints(const FoundElsewhere& elsewhere) const;

 private:
  static void keep(std::vector<std::string>& list, std::string path);

  std::vector<std::string> executed_, opened_, looked_at_;
};

}  // namespace uni::vmm

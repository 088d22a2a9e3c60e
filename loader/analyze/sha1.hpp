// SPDX-License-Identifier: Apache-2.0
// SHA-1, only for formats that demand it (SPDX); nothing is trusted because of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace uni {

class Sha1 {
 public:
  Sha1();
  ~Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;
  void add(std::string_view bytes);
  // Ends the computation, in hexadecimal; the object is used up.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// SHA-256 of files and bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/file.hpp"

namespace uni {

class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  // Ends the computation; the object is used up.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hex(const Sha256::Digest& digest);
std::string sha256_of(std::string_view bytes);
// Reads the whole file, in bounded memory.
Expected<std::string> sha256_of(const InputFile& file);

}  // namespace uni

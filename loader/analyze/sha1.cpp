// SPDX-License-Identifier: Apache-2.0
// OpenSSL's implementation.
#include "loader/analyze/sha1.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace uni {

struct Sha1::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
  State() { EVP_DigestInit_ex(context, EVP_sha1(), nullptr); }
};

Sha1::Sha1() : state_(std::make_unique<State>()) {}
Sha1::~Sha1() = default;

void Sha1::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Sha1::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context, bytes.data(), &size);
  std::string out;
  for (unsigned i = 0; i < size; ++i)
    out += fmt::format("{:02x}", bytes[i]);
  return out;
}

}  // namespace uni

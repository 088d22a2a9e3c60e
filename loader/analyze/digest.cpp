// SPDX-License-Identifier: Apache-2.0
// SHA-256 through libcrypto's EVP interface, which uses the processor's instructions.
#include "loader/analyze/digest.hpp"

#include <openssl/evp.h>

#include <new>
#include <vector>

#include "loader/analyze/digest_memory.hpp"

namespace uni {

namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;  // what a processor's own cache holds

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(state_->context);
}

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

Sha256::Digest Sha256::finish() {
  Digest digest{};
  EVP_DigestFinal_ex(state_->context, digest.data(), nullptr);
  return digest;
}

std::string hex(const Sha256::Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t b : digest) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

std::string sha256_of(std::string_view bytes) {
  Sha256 sum;
  sum.add(bytes);
  return hex(sum.finish());
}

Expected<std::string> sha256_of(const InputFile& file) {
  Sha256 sum;
  const FileStamp before = stamp_of(file);
  thread_local std::vector<char> chunk(kChunk);
  for (std::uint64_t at = 0;;) {
    const auto n = file.read_some(at, chunk);
    if (!n) return std::unexpected(n.error());
    sum.add({chunk.data(), *n});
    at += *n;
    if (*n == chunk.size()) continue;
    std::string digest = hex(sum.finish());
    remember_digest(file, before, digest);
    return digest;
  }
}

}  // namespace uni

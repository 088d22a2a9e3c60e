// SPDX-License-Identifier: Apache-2.0
// Feeds a libFuzzer-style entry point without libFuzzer: first every file of the corpus as it is, then mutations of
// those files, from a fixed seed, for a given time. A crash or a sanitizer report ends the process; the input that did
// it is in `crash-input` in the working directory, written before each run and removed at the end.
//
// usage: fuzz_NAME [-seconds=N] [-seed=N] [FILE...]     with FILEs: runs just those
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;
constexpr size_t kMostBytes = 64 * 1024;
const std::filesystem::path kCrashFile = "crash-input";

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

void run(const Bytes& input) {
  std::ofstream(kCrashFile, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  Bytes mutate(const std::vector<Bytes>& corpus) {
    Bytes out = corpus[below(corpus.size())];
    for (size_t rounds = 1 + below(8); rounds > 0; rounds--)
      change(out, corpus);
    if (out.size() > kMostBytes) out.resize(kMostBytes);
    return out;
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void change(Bytes& out, const std::vector<Bytes>& corpus) {
    static constexpr uint64_t kEdges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, ~uint64_t{0}};
    if (out.empty()) out.push_back(0);
    const size_t at = below(out.size());
    switch (below(7)) {
      case 0:
        out[at] = static_cast<uint8_t>(out[at] ^ (1U << below(8)));
        break;
      case 1:
        out[at] = static_cast<uint8_t>(random_());
        break;
      case 2:
        out.resize(at);
        break;
      case 3: {  // an edge value of 1 to 8 bytes
        const uint64_t value = kEdges[below(std::size(kEdges))];
        const size_t width = size_t{1} << below(4);
        for (size_t i = 0; i < width && at + i < out.size(); i++)
          out[at + i] = static_cast<uint8_t>(value >> (8 * i));
        break;
      }
      case 4:
        out.insert(out.begin() + static_cast<ptrdiff_t>(at), below(64), static_cast<uint8_t>(random_()));
        break;
      case 5: {  // a piece of another input
        const Bytes& other = corpus[below(corpus.size())];
        const size_t from = below(other.size());
        const size_t count = std::min({below(256), other.size() - from, out.size() - at});
        std::copy_n(other.begin() + static_cast<ptrdiff_t>(from), count, out.begin() + static_cast<ptrdiff_t>(at));
        break;
      }
      default:
        out.erase(out.begin() + static_cast<ptrdiff_t>(at));
        break;
    }
  }

  std::mt19937_64 random_;
};

uint64_t number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seconds = 10;
  uint64_t seed = 1;
  std::vector<Bytes> corpus;
  bool only_files = false;
  for (int i = 1; i < argc; i++) {
    const std::string_view word = argv[i];
    if (word.starts_with("-seconds=")) {
      seconds = number(word.substr(9));
    } else if (word.starts_with("-seed=")) {
      seed = number(word.substr(6));
    } else {
      only_files = true;
      corpus.push_back(read_file(word));
    }
  }
  if (!only_files && std::filesystem::is_directory(UNI_FUZZ_CORPUS)) {
    std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(UNI_FUZZ_CORPUS), {});
    std::ranges::sort(files);
    for (const auto& file : files)
      corpus.push_back(read_file(file));
  }
  if (corpus.empty()) corpus.emplace_back();
  for (const Bytes& input : corpus)
    run(input);

  Mutator mutator(seed);
  uint64_t runs = corpus.size();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(only_files ? 0 : seconds);
  while (std::chrono::steady_clock::now() < end) {
    run(mutator.mutate(corpus));
    runs++;
  }
  std::filesystem::remove(kCrashFile);
  std::printf("%llu inputs, no fault\n", static_cast<unsigned long long>(runs));
  return 0;
}

// Kernel code under test: a false assertion is a finding.
namespace uni {
[[noreturn]] void panic(const char* message, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: panic: %s\n", file, line, message);
  std::abort();
}
}  // namespace uni

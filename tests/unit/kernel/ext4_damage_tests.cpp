// SPDX-License-Identifier: Apache-2.0
// Images with flipped bits: whatever happens, no memory error, no panic, no endless loop. ASan and UBSan watch.
#include <catch2/catch.hpp>
#include <random>

#include "fakes.hpp"
#include "image.hpp"

using namespace uni;
using test::Image;

namespace {

// Does what a program might do with all that it finds.
void use(fs::Inode& dir, int depth, int& budget) {
  test::Lister list;
  (void)dir.read_directory(0, list).ok();
  for (const auto& name : list.names) {
    if (name == "." || name == ".." || name.size() > 255 || --budget < 0) continue;
    auto found = dir.lookup(StringView(name.data(), name.size()));
    if (!found.ok()) continue;
    fs::Inode& inode = *found.value();
    fs::Stat st;
    (void)inode.stat(st).ok();
    char text[4096];
    (void)inode.list_xattr(text).ok();
    (void)inode.get_xattr("user.a", text).ok();
    switch (inode.type()) {
      case fs::FileType::kDirectory:
        if (depth < 4) use(inode, depth + 1, budget);
        break;
      case fs::FileType::kSymlink:
        (void)inode.read_link(text).ok();
        break;
      case fs::FileType::kRegular: {
        mm::Page* pages[4];
        for (auto& p : pages)
          p = mm::alloc_page(mm::Zero::kNo);
        (void)inode.read_pages(0, pages).ok();
        (void)inode.read_pages(inode.size() / kPageSize, pages).ok();
        for (u64 i = 0; i < 4; ++i)
          if (inode.prepare_write(i * 7).ok()) (void)inode.write_pages(i * 7, {pages, 1}).ok();
        (void)inode.allocate(3, 8192, 16384).ok();
        (void)inode.set_size(inode.size() / 2).ok();
        for (auto* p : pages)
          mm::put_page(*p);
        break;
      }
      default:
        break;
    }
  }
  for (int i = 0; i < 3; ++i) {
    const std::string name = "new-name-" + std::to_string(i);
    const StringView view(name.data(), name.size());
    auto made = dir.create(view, i == 2 ? fs::FileType::kDirectory : fs::FileType::kRegular, 0644, 0, 0, 0);
    if (made.ok() && i == 0) (void)dir.unlink(view, *made.value()).ok();
  }
}

void torture(const std::string& layout, unsigned seed, int rounds) {
  Image image;
  const std::string t = image.tree();
  std::filesystem::create_directories(t + "/a/b");
  for (int i = 0; i < 200; ++i)
    std::ofstream(t + "/a/a-file-with-a-long-name-" + std::to_string(i)) << std::string(i * 50u, 'x');
  std::ofstream(t + "/a/b/big") << std::string(2000000, 'x');
  std::filesystem::create_symlink(std::string(200, 'l'), t + "/a/link");
  image.make("8M", layout);
  test::run("PATH=$PATH:/sbin:/usr/sbin e2fsck -fyD " + image.path());
  image.load();
  // The blocks that hold something: damage elsewhere shows nothing.
  std::vector<size_t> used;
  for (size_t at = 0; at < image.disk.bytes.size(); at += 128) {
    const auto* p = image.disk.bytes.data() + at;
    bool data = true, zero = true;
    for (size_t i = 0; i < 128; ++i) {
      data = data && p[i] == 'x';
      zero = zero && p[i] == 0;
    }
    if (!data && !zero) used.push_back(at);
  }
  const std::vector<char> sound = image.disk.bytes;
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    image.disk.bytes = sound;
    const auto flips = 1 + random() % 30;
    for (auto i = 0u; i < flips; ++i) {
      const size_t at = used[random() % used.size()] + random() % 128;
      // The superblock only now and then: a mount that fails shows little.
      if (at < 4096 && random() % 8 != 0) continue;
      image.disk.bytes[at] = static_cast<char>(random() % 3 == 0 ? 0xFF : image.disk.bytes[at] ^ (1 << random() % 8));
    }
    auto mounted = image.mount();
    if (!mounted.ok()) continue;
    auto root = mounted.value()->root();
    int budget = 300;
    if (root.ok()) use(*root.value(), 0, budget);
    (void)mounted.value()->sync().ok();
  }
}

}  // namespace

TEST_CASE("ext4 survives damaged images without checksums") {
  torture("-b 1024 -O ^metadata_csum,^uninit_bg", 1, 400);
  torture("-b 4096 -O ^metadata_csum,^uninit_bg", 2, 300);
}

TEST_CASE("ext4 survives damaged images with checksums") {
  torture("-b 4096", 3, 200);
}

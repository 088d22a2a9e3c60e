// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <set>

#include "fakes.hpp"
#include "image.hpp"

using namespace uni;
using test::Image;

namespace {

std::string pattern(size_t size, unsigned seed) {
  std::string s(size, '\0');
  for (size_t i = 0; i < size; ++i)
    s[i] = static_cast<char>((i * 31 + i / 4096 + seed) & 0xFF);
  return s;
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

RefPtr<fs::Inode> at(fs::FileSystem& fs, const std::string& path) {
  auto found = test::walk(fs, path);
  REQUIRE(found.ok());
  return found.take();
}

const std::vector<std::string> kLayouts = {"-b 4096", "-b 1024", "-b 2048 -O ^metadata_csum,uninit_bg",
                                           "-b 4096 -O ^64bit,^flex_bg -I 128", "-b 4096 -O metadata_csum_seed"};

}  // namespace

TEST_CASE("ext4 reads files, directories and links as they were packed") {
  for (const std::string& layout : kLayouts) {
    INFO(layout);
    Image image;
    const std::string t = image.tree();
    std::filesystem::create_directories(t + "/a/b/c");
    put(t + "/hello", "hello\n");
    put(t + "/empty", "");
    put(t + "/a/big", pattern(3000000, 1));
    put(t + "/a/b/c/exact", pattern(8192, 2));
    std::filesystem::create_symlink("a/big", t + "/short");
    std::filesystem::create_symlink(std::string(200, 'x'), t + "/long");
    image.make("32M", layout);
    auto mounted = image.mount();
    REQUIRE(mounted.ok());
    auto& fs = *mounted.value();
    CHECK(test::content(*at(fs, "/hello")).value() == "hello\n");
    CHECK(test::content(*at(fs, "/empty")).value().empty());
    CHECK(test::content(*at(fs, "/a/big")).value() == pattern(3000000, 1));
    CHECK(test::content(*at(fs, "/a/b/c/exact"), 1).value() == pattern(8192, 2));
    char target[4096];
    const usize n = MUST(at(fs, "/short")->read_link(target));
    CHECK(std::string(target, n) == "a/big");
    CHECK(at(fs, "/long")->read_link(target).value_or(0) == 200);
    CHECK(test::walk(fs, "/a/none").error() == Errno::NoEntry);
    fs::Stat st;
    REQUIRE(at(fs, "/a/big")->stat(st).ok());
    struct stat host {};
    REQUIRE(::stat((t + "/a/big").c_str(), &host) == 0);
    CHECK(st.mode == host.st_mode);
    CHECK(st.size == 3000000);
    CHECK(st.modified.seconds == host.st_mtim.tv_sec);
    // The same inode is the same object.
    auto one = at(fs, "/hello"), two = at(fs, "/hello");
    CHECK(one.get() == two.get());
  }
}

TEST_CASE("ext4 finds every name of a large indexed directory, and lists each once") {
  for (const std::string hash : {"half_md4", "tea", "legacy"}) {
    Image image;
    std::set<std::string> names;
    for (int i = 0; i < 3000; ++i) {
      const std::string name = "name-of-file-\xc3\xa9-" + std::to_string(i * 7919);
      names.insert(name);
      put(image.tree() + "/" + name, "");
    }
    image.make("64M", "-b 1024");
    // mke2fs -d makes linear directories; e2fsck -D makes the index.
    test::run("PATH=$PATH:/sbin:/usr/sbin tune2fs -E hash_alg=" + hash + " " + image.path());
    test::run("PATH=$PATH:/sbin:/usr/sbin e2fsck -fyD " + image.path());
    image.load();
    REQUIRE(image.debugfs("htree_dump /").find("Root node dump") != std::string::npos);
    auto mounted = image.mount();
    REQUIRE(mounted.ok());
    auto root = MUST(mounted.value()->root());
    for (const auto& name : names)
      REQUIRE(root->lookup(StringView(name.data(), name.size())).ok());
    CHECK(root->lookup("absent").error() == Errno::NoEntry);
    test::Lister all;
    // In pieces, as getdents does.
    for (;;) {
      all.room = 100;
      const size_t before = all.names.size();
      REQUIRE(root->read_directory(all.next, all).ok());
      if (all.names.size() == before) break;
    }
    CHECK(all.names.size() == names.size() + 3);  // ., .., lost+found
    const std::set<std::string> seen(all.names.begin(), all.names.end());
    CHECK(seen.size() == all.names.size());
  }
}

TEST_CASE("ext4 needs few requests from mount to a file's first pages") {
  Image image;
  std::filesystem::create_directories(image.tree() + "/usr/bin");
  put(image.tree() + "/usr/bin/program", pattern(1000000, 3));
  image.make("64M");
  const unsigned before = image.disk.reads;
  auto mounted = image.mount();
  REQUIRE(mounted.ok());
  auto file = MUST(test::walk(*mounted.value(), "/usr/bin/program"));
  mm::Page* pages[64];
  for (auto& p : pages)
    p = mm::alloc_page(mm::Zero::kNo);
  REQUIRE(file->read_pages(0, pages).ok());
  for (auto* p : pages)
    mm::put_page(*p);
  // Superblock, descriptors, inode table, three directories, the pages (mke2fs puts them in three pieces).
  CHECK(image.disk.reads - before <= 9);
}

TEST_CASE("ext4 refuses what it cannot read with an error") {
  test::MemoryDisk disk;
  disk.bytes.resize(1 << 20);
  CHECK(fs::ext4::mount(disk, 0, disk.size()).error() == Errno::Invalid);
  CHECK(fs::ext4::mount(disk, 0, 100).error() == Errno::Invalid);
  CHECK(fs::ext4::mount(disk, 512, disk.size()).error() == Errno::Invalid);
  Image image;
  image.make("8M", "-b 4096 -O inline_data");
  CHECK(image.mount().error() == Errno::NotSupported);
}

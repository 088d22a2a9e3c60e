// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "fakes.hpp"
#include "image.hpp"

using namespace uni;
using test::Image;

namespace {

const std::vector<std::string> kLayouts = {"-b 4096", "-b 1024", "-b 2048 -O ^metadata_csum,uninit_bg",
                                           "-b 4096 -O ^64bit,^flex_bg -I 128", "-b 1024 -g 1024 -O ^resize_inode"};

RefPtr<fs::Inode> make(fs::Inode& dir, const std::string& name, fs::FileType type = fs::FileType::kRegular) {
  auto made = dir.create(StringView(name.data(), name.size()), type, 0644, 0, 0, 0);
  INFO(name << ": " << errno_name(made.error()));
  REQUIRE(made.ok());
  return made.take();
}

std::string bytes_of(size_t size, unsigned seed) {
  std::string s(size, '\0');
  std::mt19937 random(seed);
  for (auto& c : s)
    c = static_cast<char>(random());
  return s;
}

// Writes as the page cache does: prepare each page, then store them in one call, then set the size.
Result<void> store(fs::Inode& inode, u64 first_page, const std::string& content) {
  std::vector<mm::Page*> pages;
  for (size_t at = 0; at < content.size(); at += kPageSize) {
    TRY(inode.prepare_write(first_page + at / kPageSize));
    pages.push_back(mm::alloc_page(mm::Zero::kYes));
    __builtin_memcpy(mm::address_of(*pages.back()), content.data() + at, std::min(kPageSize, content.size() - at));
  }
  const u64 end = first_page * kPageSize + content.size();
  Result<void> done;
  if (end > inode.size()) done = inode.set_size(end);
  for (size_t at = 0; done.ok() && at < pages.size(); at += 64)
    if (auto w = inode.write_pages(first_page + at, {pages.data() + at, std::min<size_t>(64, pages.size() - at)});
        !w.ok())
      new (&done) Result<void>(w.error());
  for (auto* p : pages)
    mm::put_page(*p);
  return done;
}

void check_clean(Image& image, RefPtr<fs::FileSystem>& fs) {
  REQUIRE(fs->sync().ok());
  const std::string findings = image.fsck();
  INFO(findings);
  REQUIRE(findings.empty());
}

}  // namespace

TEST_CASE("ext4 writes files that e2fsck finds clean and a second mount reads back") {
  for (const std::string& layout : kLayouts) {
    INFO(layout);
    Image image;
    image.make("32M", layout);
    auto fs = image.mount().take();
    {
      auto root = MUST(fs->root());
      auto dir = make(*root, "dir", fs::FileType::kDirectory);
      REQUIRE(store(*make(*dir, "small"), 0, "hello").ok());
      REQUIRE(store(*make(*dir, "large"), 0, bytes_of(3000000, 1)).ok());
      auto sparse = make(*root, "sparse");
      REQUIRE(store(*sparse, 100, bytes_of(10000, 2)).ok());
      REQUIRE(root->symlink("short", "dir/small", 0, 0).ok());
      const std::string target(500, 'y');
      REQUIRE(root->symlink("long", StringView(target.data(), target.size()), 0, 0).ok());
      REQUIRE(root->create("null", fs::FileType::kCharacter, 0666, 1, 2, 0x103).ok());
      REQUIRE(root->create("fifo", fs::FileType::kFifo, 0666, 70000, 70001, 0).ok());
      REQUIRE(dir->link("again", *sparse).ok());
    }
    check_clean(image, fs);
    auto second = image.mount().take();
    CHECK(test::content(*test::walk(*second, "/dir/small").take()).value() == "hello");
    CHECK(test::content(*test::walk(*second, "/dir/large").take()).value() == bytes_of(3000000, 1));
    const std::string sparse = test::content(*test::walk(*second, "/dir/again").take()).take();
    CHECK(sparse == std::string(409600, '\0') + bytes_of(10000, 2));
    char target[1024];
    CHECK(test::walk(*second, "/long").take()->read_link(target).value_or(0) == 500);
    fs::Stat st;
    REQUIRE(test::walk(*second, "/null").take()->stat(st).ok());
    CHECK(st.special_device == 0x103);
    REQUIRE(test::walk(*second, "/fifo").take()->stat(st).ok());
    CHECK(st.uid == 70000);
    CHECK(image.debugfs("stat /sparse").find("Links: 2") != std::string::npos);
  }
}

TEST_CASE("ext4 frees everything that was made") {
  for (const std::string& layout : kLayouts) {
    INFO(layout);
    Image image;
    image.make("32M", layout);
    auto fs = image.mount().take();
    // The first directory block of lost+found and the like stay.
    const fs::FsStat before = fs->stat().take();
    auto root = MUST(fs->root());
    {
      auto dir = make(*root, "dir", fs::FileType::kDirectory);
      for (int i = 0; i < 500; ++i)
        REQUIRE(store(*make(*dir, "file" + std::to_string(i)), 0, bytes_of(5000, 1)).ok());
      for (int i = 0; i < 500; ++i) {
        const std::string name = "file" + std::to_string(i);
        const StringView view(name.data(), name.size());
        auto file = dir->lookup(view).take();
        REQUIRE(dir->unlink(view, *file).ok());
      }
      auto open = make(*root, "open");
      REQUIRE(store(*open, 0, bytes_of(100000, 3)).ok());
      REQUIRE(root->unlink("open", *open).ok());
      CHECK(test::content(*open).value() == bytes_of(100000, 3));
      REQUIRE(root->rmdir("dir", *dir).ok());
      CHECK(root->lookup("dir").error() == Errno::NoEntry);
    }
    const fs::FsStat after = fs->stat().take();
    CHECK(after.blocks_free == before.blocks_free);
    CHECK(after.inodes_free == before.inodes_free);
    root = nullptr;
    check_clean(image, fs);
  }
}

TEST_CASE("ext4 indexes large directories and keeps the index valid") {
  for (const std::string& layout : kLayouts) {
    INFO(layout);
    Image image;
    image.make("64M", layout + " -N 16000");
    auto fs = image.mount().take();
    {
      auto root = MUST(fs->root());
      auto dir = make(*root, "dir", fs::FileType::kDirectory);
      const auto name = [](int i) { return "some-longer-file-name-to-fill-blocks-" + std::to_string(i * 7919); };
      for (int i = 0; i < 9000; ++i)
        make(*dir, name(i));
      for (int i = 0; i < 9000; i += 3) {
        const std::string n = name(i);
        auto file = dir->lookup(StringView(n.data(), n.size())).take();
        REQUIRE(dir->unlink(StringView(n.data(), n.size()), *file).ok());
      }
      for (int i = 0; i < 9000; ++i) {
        const std::string n = name(i);
        REQUIRE(dir->lookup(StringView(n.data(), n.size())).ok() == (i % 3 != 0));
      }
      test::Lister list;
      REQUIRE(dir->read_directory(0, list).ok());
      CHECK(list.names.size() == 6002);
    }
    check_clean(image, fs);
    CHECK(image.debugfs("htree_dump /dir").find("Root node dump") != std::string::npos);
  }
}

TEST_CASE("ext4 renames in all ways") {
  Image image;
  image.make("16M");
  auto fs = image.mount().take();
  {
    auto root = MUST(fs->root());
    auto a = make(*root, "a", fs::FileType::kDirectory), b = make(*root, "b", fs::FileType::kDirectory);
    auto f = make(*a, "f"), g = make(*b, "g");
    REQUIRE(store(*f, 0, "f").ok());
    REQUIRE(store(*g, 0, "g").ok());
    REQUIRE(a->rename("f", *f, *b, "g", g.get(), false).ok());  // replaces
    g = nullptr;
    CHECK(test::content(*test::walk(*fs, "/b/g").take()).value() == "f");
    REQUIRE(b->rename("g", *f, *b, "h", nullptr, false).ok());  // within one directory
    auto sub = make(*a, "sub", fs::FileType::kDirectory);
    REQUIRE(a->rename("sub", *sub, *b, "moved", nullptr, false).ok());  // a directory elsewhere
    REQUIRE(b->rename("moved", *sub, *root, "a2", nullptr, false).ok());
    REQUIRE(root->rename("a2", *sub, *b, "h", f.get(), true).ok());  // exchange of a directory and a file
    CHECK(test::walk(*fs, "/b/h").take()->type() == fs::FileType::kDirectory);
    CHECK(test::content(*test::walk(*fs, "/a2").take()).value() == "f");
    auto empty = make(*root, "empty", fs::FileType::kDirectory);
    REQUIRE(root->rename("a", *a, *root, "empty", empty.get(), false).ok());  // over an empty directory
    make(*sub, "child");
    CHECK(root->rename("empty", *a, *b, "h", sub.get(), false).error() == Errno::NotEmpty);
  }
  check_clean(image, fs);
}

TEST_CASE("ext4 truncates, preallocates, punches and zeroes as a model in memory does") {
  for (const std::string& layout : kLayouts) {
    INFO(layout);
    Image image;
    image.make("64M", layout);
    auto fs = image.mount().take();
    std::mt19937 random(7);
    std::string model;
    {
      auto root = MUST(fs->root());
      auto file = make(*root, "file");
      constexpr u64 kPages = 600;
      for (int step = 0; step < 600; ++step) {
        const u64 page = random() % kPages, count = 1 + random() % 20;
        switch (random() % 5) {
          case 0:
          case 1: {
            const std::string bytes = bytes_of(count * kPageSize, static_cast<unsigned>(step));
            REQUIRE(store(*file, page, bytes).ok());
            if (model.size() < (page + count) * kPageSize) model.resize((page + count) * kPageSize);
            model.replace(page * kPageSize, bytes.size(), bytes);
            break;
          }
          case 2:
            REQUIRE(file->set_size(page * kPageSize).ok());
            model.resize(page * kPageSize);
            break;
          case 3:
            REQUIRE(file->allocate(1, page * kPageSize, count * kPageSize).ok());
            break;
          default: {
            const bool punch = random() % 2 == 0;
            REQUIRE(file->allocate(punch ? 3 : 0x11, page * kPageSize, count * kPageSize).ok());
            if (page * kPageSize < model.size()) {
              const u64 n = std::min<u64>(count * kPageSize, model.size() - page * kPageSize);
              model.replace(page * kPageSize, n, std::string(n, '\0'));
            }
          }
        }
        if (step % 100 == 99) {
          REQUIRE(test::content(*file).value() == model);
          check_clean(image, fs);
        }
      }
      // What SEEK_DATA skips is zero.
      for (u64 at = 0; at < model.size();) {
        auto data = file->seek_data(at, false);
        const u64 stop = data.ok() ? data.value() : model.size();
        REQUIRE(model.substr(at, stop - at).find_first_not_of('\0') == std::string::npos);
        at = stop;
        if (at < model.size()) at = MUST(file->seek_data(at, true));
      }
    }
    check_clean(image, fs);
    auto again = image.mount().take();
    CHECK(test::content(*test::walk(*again, "/file").take()).value() == model);
  }
}

TEST_CASE("ext4 survives a full disk") {
  for (const std::string layout : {"-b 4096", "-b 1024"}) {
    INFO(layout);
    Image image;
    image.make("8M", layout);
    auto fs = image.mount().take();
    {
      auto root = MUST(fs->root());
      auto file = make(*root, "file");
      // Every second page, so that the extent tree grows too.
      Errno error{};
      for (u64 page = 0; page < 4000 && error == Errno{}; ++page) {
        auto done = store(*file, page * 2, bytes_of(kPageSize, 1));
        if (!done.ok()) error = done.error();
      }
      CHECK(error == Errno::NoSpace);
      CHECK(file->allocate(0, 0, 64 << 20).error() == Errno::NoSpace);
      for (int i = 0; i < 100000; ++i) {
        const std::string name = "n" + std::to_string(i);
        auto made = root->create(StringView(name.data(), name.size()), fs::FileType::kDirectory, 0755, 0, 0, 0);
        if (made.ok()) continue;
        CHECK(made.error() == Errno::NoSpace);
        break;
      }
    }
    check_clean(image, fs);
  }
}

TEST_CASE("ext4 keeps extended attributes") {
  Image image;
  { std::ofstream(image.tree() + "/f") << "x"; }
  image.make("16M");
  test::run("PATH=$PATH:/sbin:/usr/sbin debugfs -w -R 'ea_set /f user.packed value-in-inode' " + image.path());
  image.load();
  auto fs = image.mount().take();
  {
    auto f = test::walk(*fs, "/f").take();
    char out[4096];
    const auto get = [&](const char* name) {
      auto n = f->get_xattr(name, out);
      return n.ok() ? std::string(out, n.value()) : std::string(errno_name(n.error()));
    };
    const auto set = [&](const char* name, const std::string& value, int flags = 0) {
      return f->set_xattr(name, {value.data(), value.size()}, flags);
    };
    CHECK(get("user.packed") == "value-in-inode");
    CHECK(get("user.none") == "ENODATA");
    CHECK(get("other.none") == "EOPNOTSUPP");
    REQUIRE(set("user.zebra", std::string(300, 'z')).ok());
    REQUIRE(set("user.a", "1").ok());
    REQUIRE(set("trusted.empty", "").ok());
    REQUIRE(set("user.packed", "changed").ok());
    CHECK(set("user.a", "2", 1).error() == Errno::Exists);
    CHECK(set("user.b", "2", 2).error() == Errno::NoData);
    CHECK(set("user.huge", std::string(5000, 'h')).error() == Errno::NoSpace);
    CHECK(get("user.packed") == "changed");
    CHECK(get("user.zebra") == std::string(300, 'z'));
    CHECK(get("trusted.empty").empty());
    const auto n = f->list_xattr(out);
    REQUIRE(n.ok());

    CHECK(n.value() == 44);
    REQUIRE(f->remove_xattr("user.a").ok());
    CHECK(get("user.a") == "ENODATA");
  }
  check_clean(image, fs);
  CHECK(image.debugfs("ea_get /f user.packed").find("changed") != std::string::npos);
  {
    auto f = test::walk(*fs, "/f").take();
    for (const char* name : {"user.zebra", "user.packed", "trusted.empty"})
      REQUIRE(f->remove_xattr(name).ok());
  }
  check_clean(image, fs);
}

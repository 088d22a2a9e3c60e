// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <vector>

#include "../fakes.hpp"
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/pipe.hpp"
#include "tree.hpp"

using namespace uni;
using test::Tree;

namespace {
constexpr Errno kDone{};
constexpr u32 kMake = fs::kOpenCreate | fs::kOpenReadWrite;

class StoreFs final : public fs::FileSystem {
 public:
  Result<RefPtr<fs::Inode>> root() override { return Errno::Invalid; }
  StringView type_name() const override { return "store"; }
  Result<fs::FsStat> stat() override { return fs::FsStat{}; }
  u64 device_number() const override { return 1; }
};

// A file over bytes, that counts how it is asked.
class StoreInode final : public fs::Inode {
 public:
  StoreInode(StoreFs& fs, std::string content) : Inode(fs, fs::FileType::kRegular, 1), bytes(std::move(content)) {
    length = bytes.size();
  }
  Result<void> stat(fs::Stat& out) override {
    out = {};
    return {};
  }
  u64 size() const override { return length; }
  Result<void> set_size(u64 size) override {
    length = size;
    if (size < bytes.size()) bytes.resize(size);
    return {};
  }
  Result<void> read_pages(u64 index, Span<mm::Page*> pages) override {
    reads.push_back({index, pages.size()});
    for (usize i = 0; i < pages.size(); ++i) {
      std::string page = index + i << 12 < bytes.size() ? bytes.substr((index + i) << 12, 4096) : "";
      page.resize(4096);
      std::memcpy(mm::address_of(*pages[i]), page.data(), 4096);
    }
    return {};
  }
  Result<void> write_pages(u64 index, Span<mm::Page* const> pages) override {
    if (broken) return Errno::Io;
    ++writes;
    for (usize i = 0; i < pages.size(); ++i) {
      if (bytes.size() < (index + i + 1) << 12) bytes.resize((index + i + 1) << 12);
      std::memcpy(&bytes[(index + i) << 12], mm::address_of(*pages[i]), 4096);
    }
    return {};
  }
  Result<void> prepare_write(u64) override {
    if (room == 0) return Errno::NoSpace;
    --room;
    return {};
  }
  fs::PageCache* page_cache() override { return &cache; }

  std::string bytes;
  u64 length;
  std::vector<std::pair<u64, usize>> reads;
  int writes = 0, room = 1000;
  bool broken = false;
  fs::PageCache cache{*this};
};

struct Store {
  StoreFs fs;
  RefPtr<StoreInode> inode;
  RefPtr<fs::File> file;
  explicit Store(const std::string& content) {
    inode = make_ref<StoreInode>(fs, content).take();
    auto dentry = fs::Dentry::create(nullptr, nullptr, "store", inode).take();
    file = make_ref<fs::InodeFile>(*dentry, u32{fs::kOpenReadWrite}).take();
  }
};
}  // namespace

TEST_CASE("a sequential reader gets 32 pages a read") {
  Store s(std::string(64 * 4096 + 10, 'x'));
  for (u64 page = 0; page < 65; ++page)
    CHECK(test::read(*s.file, 4096, page * 4096).size() == (page == 64 ? 10 : 4096));
  CHECK(s.inode->reads == std::vector<std::pair<u64, usize>>{{0, 32}, {32, 32}, {64, 1}});
}

TEST_CASE("a random reader gets what it asks for") {
  Store s(std::string(64 * 4096, 'x'));
  test::read(*s.file, 1, 40 * 4096);
  test::read(*s.file, 8192, 20 * 4096);
  CHECK(s.inode->reads == std::vector<std::pair<u64, usize>>{{40, 1}, {20, 2}});
}

TEST_CASE("whole pages and pages behind the end are written without reading") {
  Store s(std::string(8192, 'x'));
  CHECK(test::write(*s.file, std::string(4096, 'y'), 4096) == kDone);
  CHECK(test::write(*s.file, "z", 10000) == kDone);
  CHECK(s.inode->reads.empty());
  CHECK(test::write(*s.file, "a", 1) == kDone);
  CHECK(s.inode->reads.size() == 1);
  REQUIRE(s.file->sync(false).ok());
  CHECK(s.inode->writes == 1);
  CHECK(s.inode->bytes.substr(0, 3) == "xax");
  CHECK(s.inode->bytes.substr(4096, 2) == "yy");
  CHECK(s.inode->bytes[8192] == 0);
  CHECK(s.inode->bytes[10000] == 'z');
}

TEST_CASE("dirty pages keep their inode until they are written, unless it is unlinked") {
  Store s("");
  StoreInode* raw = s.inode.get();
  CHECK(test::write(*s.file, "abc", 0) == kDone);
  const u32 pinned = raw->ref_count();
  raw->broken = true;
  CHECK(!s.file->sync(false).ok());
  CHECK(raw->ref_count() == pinned);
  CHECK(raw->cache.dirty_pages() == 1);
  raw->broken = false;
  REQUIRE(s.file->sync(false).ok());
  CHECK(raw->ref_count() == pinned - 1);
  CHECK(test::write(*s.file, "abc", 0) == kDone);
  raw->cache.set_unlinked(true);
  CHECK(raw->ref_count() == pinned - 1);
}

TEST_CASE("a full store says so before anything is taken") {
  Store s("");
  s.inode->room = 2;
  const std::string text(3 * 4096, 'x');
  IoCursor from = IoCursor::kernel(static_cast<const void*>(text.data()), text.size());
  auto done = s.file->write(from, 0);
  REQUIRE(done.ok());
  CHECK(done.value() == 8192);
  CHECK(s.inode->length == 8192);
  CHECK(test::write(*s.file, "x", 8192) == Errno::NoSpace);
}

TEST_CASE("a mapping keeps the inode") {
  Store s(std::string(5000, 'm'));
  const u32 before = s.inode->ref_count();
  {
    auto object = s.file->vm_object().take();
    auto again = s.file->vm_object().take();
    CHECK(s.inode->ref_count() == before + 1);
    auto page = object->fault(1, mm::Access::kRead);
    REQUIRE(page.ok());
    mm::put_page(*page.value());
    CHECK(object->fault(2, mm::Access::kRead).error() == Errno::Range);
  }
  CHECK(s.inode->ref_count() == before);
}

TEST_CASE("shrinking and growing shows zeroes") {
  Tree t;
  RefPtr<fs::File> file;
  REQUIRE(t.open("/cut", kMake, 0644, &file) == kDone);
  CHECK(test::write(*file, std::string(10000, 'x'), 0) == kDone);
  REQUIRE(file->truncate(5000).ok());
  REQUIRE(file->truncate(10000).ok());
  const std::string text = test::read(*file, 20000, 0);
  CHECK(text == std::string(5000, 'x') + std::string(5000, '\0'));
  CHECK(file->allocate(3, 100, 4200).ok());
  CHECK(test::read(*file, 5000, 0) == std::string(100, 'x') + std::string(4200, '\0') + std::string(700, 'x'));
}

TEST_CASE("sparse tmpfs files find data and holes, and count their pages") {
  Tree t;
  const u64 before = test::live_pages();
  {
    RefPtr<fs::File> file;
    REQUIRE(t.open("/sparse", kMake, 0644, &file) == kDone);
    CHECK(test::write(*file, "x", 1 << 30) == kDone);
    CHECK(file->seek(0, 3).value() == 1 << 30);
    CHECK(file->seek(1 << 30, 4).value() == (1 << 30) + 1);
    CHECK(test::read(*file, 3, 12345) == std::string(3, '\0'));
    CHECK(test::live_pages() == before + 1);
    REQUIRE(t.unlink("/sparse") == kDone);
  }
  CHECK(test::live_pages() == before);
}

TEST_CASE("a pipe is a ring with atomic small writes") {
  auto ends = fs::make_pipe(fs::kOpenNonBlock).take();
  CHECK(test::read(*ends.reader, 10, 0).empty());
  std::string in, out;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(static_cast<usize>(i * 37 % 5000 + 1), static_cast<char>('a' + i % 26));
    IoCursor from = IoCursor::kernel(static_cast<const void*>(piece.data()), piece.size());
    auto done = ends.writer->write(from, 0);
    if (done.ok()) {
      if (piece.size() <= 4096) CHECK(done.value() == piece.size());
      in += piece.substr(0, done.value());
    } else {
      CHECK(done.error() == Errno::Again);
    }
    if (i % 3 == 0) out += test::read(*ends.reader, 7001, 0);
  }
  fs::Pipe* pipe = fs::pipe_of(*ends.reader);
  CHECK(pipe->resize(100 * 1024).value() == 128 * 1024);
  while (out.size() < in.size())
    out += test::read(*ends.reader, 9999, 0);
  CHECK(out == in);
  CHECK((ends.reader->poll() & fs::kPollIn) == 0);
  ends.writer = nullptr;
  CHECK((ends.reader->poll() & fs::kPollHup) != 0);
  CHECK(test::read(*ends.reader, 10, 0).empty());
}

TEST_CASE("a pipe without readers is broken, a fifo without a writer waits") {
  auto ends = fs::make_pipe(0).take();
  ends.reader = nullptr;
  CHECK((ends.writer->poll() & fs::kPollErr) != 0);
  CHECK(test::write(*ends.writer, "x", 0) == Errno::Pipe);
  Tree t;
  REQUIRE(fs::make_node(t.at(), "/fifo", fs::FileType::kFifo, 0600, 0).ok());
  CHECK(t.open("/fifo", fs::kOpenWriteOnly | fs::kOpenNonBlock) == Errno::NoDeviceOrAddress);
  CHECK(t.open("/fifo", fs::kOpenReadOnly) == Errno::RestartSys);
  RefPtr<fs::File> reader, writer;
  REQUIRE(t.open("/fifo", fs::kOpenReadOnly | fs::kOpenNonBlock, 0, &reader) == kDone);
  CHECK((reader->poll() & fs::kPollHup) == 0);
  REQUIRE(t.open("/fifo", fs::kOpenWriteOnly, 0, &writer) == kDone);
  CHECK(test::write(*writer, "x", 0) == kDone);
  writer = nullptr;
  CHECK(test::read(*reader, 5, 0) == "x");
  CHECK((reader->poll() & fs::kPollHup) != 0);
}

TEST_CASE("descriptors are the lowest that are free") {
  auto table = fs::FileTable::create().take();
  const auto file = [] { return fs::make_pipe(0).take().reader; };
  for (int i = 0; i < 200; ++i)
    REQUIRE(table->install(file(), i % 2 == 0).value() == i);
  REQUIRE(table->close(70).ok());
  REQUIRE(table->close(3).ok());
  CHECK(table->install(file(), false, 64).value() == 70);
  CHECK(table->install(file(), false).value() == 3);
  CHECK(table->close(500).error() == Errno::BadFd);
  CHECK(table->get(-1).error() == Errno::BadFd);
  auto copy = table->copy().take();
  copy->close_all_on_exec();
  CHECK(copy->next_open(0) == 1);
  table->set_limit(200);
  CHECK(table->install(file(), false).error() == Errno::TooManyFiles);
  CHECK(table->install_at(200, file(), false).error() == Errno::BadFd);
}

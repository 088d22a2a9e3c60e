// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "kernel/fs/locks.hpp"
#include "kernel/fs/mount.hpp"
#include "tree.hpp"

using namespace uni;
using test::Tree;

namespace {
constexpr Errno kDone{};
constexpr u32 kMake = fs::kOpenCreate | fs::kOpenReadWrite;
}  // namespace

TEST_CASE("path walk gives Linux's errors") {
  Tree t;
  REQUIRE(t.mkdir("/walk") == kDone);
  REQUIRE(t.mkdir("/walk/dir") == kDone);
  REQUIRE(t.open("/walk/file", kMake) == kDone);
  CHECK(t.find("") == Errno::NoEntry);
  CHECK(t.find("/walk/none") == Errno::NoEntry);
  CHECK(t.find("/walk/none/x") == Errno::NoEntry);
  CHECK(t.find("/walk/file/x") == Errno::NotDirectory);
  CHECK(t.find("/walk/file/") == Errno::NotDirectory);
  CHECK(t.find("/walk/dir/") == kDone);
  CHECK(t.find("//walk///dir/../dir/./") == kDone);
  CHECK(t.find("/../../walk") == kDone);
  CHECK(t.find(("/walk/" + std::string(256, 'a')).c_str()) == Errno::NameTooLong);
  CHECK(t.find(("/walk/" + std::string(255, 'a')).c_str()) == Errno::NoEntry);
  CHECK(t.path_of("/walk/dir/..//dir") == "/walk/dir");
}

TEST_CASE("symbolic links are followed where they should be, 40 at most") {
  Tree t;
  REQUIRE(t.mkdir("/links") == kDone);
  REQUIRE(t.mkdir("/links/d") == kDone);
  REQUIRE(t.open("/links/d/f", kMake) == kDone);
  REQUIRE(t.symlink("d", "/links/rel") == kDone);
  REQUIRE(t.symlink("/links/d/", "/links/abs") == kDone);
  REQUIRE(t.symlink("loop", "/links/loop") == kDone);
  CHECK(t.path_of("/links/rel/f") == "/links/d/f");
  CHECK(t.path_of("/links/abs/../abs/f") == "/links/d/f");
  CHECK(t.find("/links/loop") == Errno::Loop);
  CHECK(t.find("/links/loop", 0) == kDone);
  CHECK(t.open("/links/rel", fs::kOpenNoFollow) == Errno::Loop);
  CHECK(t.open("/links/rel", fs::kOpenNoFollow | fs::kOpenPath) == kDone);
  REQUIRE(t.symlink("made", "/links/dangling") == kDone);
  CHECK(t.open("/links/dangling", kMake | fs::kOpenExclusive) == Errno::Exists);
  CHECK(t.open("/links/dangling", kMake) == kDone);
  CHECK(t.find("/links/made") == kDone);
  std::string before = "d/f";
  for (int i = 0; i < 41; ++i) {
    const std::string name = "c" + std::to_string(i);
    REQUIRE(t.symlink(before.c_str(), ("/links/" + name).c_str()) == kDone);
    before = name;
  }
  CHECK(t.find("/links/c39") == kDone);
  CHECK(t.find("/links/c40") == Errno::Loop);
}

TEST_CASE("open checks kinds and flags") {
  Tree t;
  REQUIRE(t.mkdir("/open") == kDone);
  CHECK(t.open("/open", fs::kOpenReadWrite) == Errno::IsDirectory);
  CHECK(t.open("/open", kMake) == Errno::IsDirectory);
  CHECK(t.open("/open/x/", kMake) == Errno::IsDirectory);
  CHECK(t.open("/open/x", kMake | fs::kOpenExclusive) == kDone);
  CHECK(t.open("/open/x", kMake | fs::kOpenExclusive) == Errno::Exists);
  CHECK(t.open("/open/x", fs::kOpenDirectory) == Errno::NotDirectory);
  CHECK(t.open("/open/none/x", kMake) == Errno::NoEntry);
  RefPtr<fs::File> temporary;
  CHECK(t.open("/open", fs::kOpenTmpFile | fs::kOpenReadWrite, 0600, &temporary) == kDone);
  CHECK(t.unlink("/open/x") == kDone);
  CHECK(t.rmdir("/open") == kDone);
}

TEST_CASE("names come and go with Linux's errors") {
  Tree t;
  REQUIRE(t.mkdir("/names") == kDone);
  CHECK(t.mkdir("/names") == Errno::Exists);
  CHECK(t.mkdir("/") == Errno::Exists);
  REQUIRE(t.mkdir("/names/a") == kDone);
  REQUIRE(t.mkdir("/names/a/b/") == kDone);
  REQUIRE(t.open("/names/f", kMake) == kDone);
  CHECK(t.rmdir("/names/a") == Errno::NotEmpty);
  CHECK(t.rmdir("/names/f") == Errno::NotDirectory);
  CHECK(t.rmdir("/names/a/.") == Errno::Invalid);
  CHECK(t.rmdir("/names/a/..") == Errno::NotEmpty);
  CHECK(t.rmdir("/") == Errno::Busy);
  CHECK(t.unlink("/names/a") == Errno::IsDirectory);
  CHECK(t.unlink("/names/f/") == Errno::NotDirectory);
  CHECK(t.rename("/names/a", "/names/a/b/c") == Errno::Invalid);
  CHECK(t.rename("/names/a/b", "/names/a") == Errno::NotEmpty);
  CHECK(t.rename("/names/f", "/names/a") == Errno::IsDirectory);
  CHECK(t.rename("/names/a", "/names/f") == Errno::NotDirectory);
  CHECK(t.rename("/names/f", "/names/a/g", fs::kRenameNoReplace) == kDone);
  CHECK(t.rename("/names/a/g", "/names/a/b", fs::kRenameExchange) == kDone);
  CHECK(t.find("/names/a/g/") == kDone);
  CHECK(t.find("/names/a/b/") == Errno::NotDirectory);
  CHECK(t.rename("/names/a", "/names/long-name-that-does-not-fit-into-a-dentry") == kDone);
  CHECK(t.path_of("/names/long-name-that-does-not-fit-into-a-dentry/g") ==
        "/names/long-name-that-does-not-fit-into-a-dentry/g");
}

TEST_CASE("a removed directory takes no names, and its path says so") {
  Tree t;
  REQUIRE(t.mkdir("/gone") == kDone);
  auto held = fs::lookup(t.at(), "/gone", fs::kFollow).take();
  t.context->set_cwd(held);
  REQUIRE(t.rmdir("/gone") == kDone);
  CHECK(t.open("x", kMake) == Errno::NoEntry);
  CHECK(t.mkdir("x") == Errno::NoEntry);
  CHECK(t.find(".") == kDone);
  CHECK(t.find("..") == kDone);
  CHECK(t.path_of(".") == "/gone (deleted)");
}

TEST_CASE("permissions hold for who is not root") {
  Tree t;
  Credentials user;
  user.uid = user.euid = user.fsuid = 1000;
  user.gid = user.egid = user.fsgid = 1000;
  user.cap_effective = 0;
  REQUIRE(t.mkdir("/perm", 0700) == kDone);
  REQUIRE(t.open("/perm/f", kMake) == kDone);
  CHECK(t.find("/perm/f", fs::kFollow, &user) == Errno::Access);
  CHECK(t.open("/new", kMake, 0644, nullptr, &user) == Errno::Access);
  t.context->umask = 0;
  REQUIRE(t.mkdir("/sticky", 01777) == kDone);
  REQUIRE(t.open("/sticky/root", kMake, 0666) == kDone);
  CHECK(t.open("/sticky/root", fs::kOpenReadWrite, 0, nullptr, &user) == kDone);
  CHECK(Tree::error(fs::unlink(t.at(&user), "/sticky/root")) == Errno::NotPermitted);
  CHECK(t.open("/sticky/own", kMake, 0600, nullptr, &user) == kDone);
  CHECK(Tree::error(fs::unlink(t.at(&user), "/sticky/own")) == kDone);
}

TEST_CASE("mounts cover, and are left by dot-dot") {
  Tree t;
  REQUIRE(t.mkdir("/mnt") == kDone);
  REQUIRE(t.open("/mnt/below", kMake) == kDone);
  REQUIRE(fs::mount_at("/mnt", fs::make_tmpfs(1 << 20, 0755).take(), "tmpfs").ok());
  CHECK(t.find("/mnt/below") == Errno::NoEntry);
  REQUIRE(t.mkdir("/mnt/in") == kDone);
  CHECK(t.path_of("/mnt/in/../../mnt/in") == "/mnt/in");
  CHECK(t.rename("/mnt/in", "/in") == Errno::CrossDevice);
  CHECK(t.rmdir("/mnt") == Errno::Busy);
  {
    auto root = fs::lookup(t.at(), "/mnt", fs::kFollow).take();
    REQUIRE(t.mkdir("/view") == kDone);
    auto view = fs::lookup(t.at(), "/view", fs::kFollow).take();
    REQUIRE(fs::bind_mount(*root, *view, fs::Recursive::kNo).ok());
  }
  REQUIRE(t.mkdir("/view/both") == kDone);
  CHECK(t.find("/mnt/both") == kDone);
  REQUIRE(t.rmdir("/mnt/both") == kDone);
  CHECK(t.find("/view/both") == Errno::NoEntry);
  for (const char* place : {"/view", "/mnt"}) {
    auto root = fs::lookup(t.at(), place, fs::kFollow).take();
    CHECK(Tree::error(fs::unmount(*root, fs::Unmount::kNormal)) == kDone);
  }
  CHECK(t.find("/mnt/below") == kDone);
}

TEST_CASE("record locks split, join and meet") {
  using namespace fs::locks;
  Tree t;
  RefPtr<fs::File> file;
  REQUIRE(t.open("/locked", kMake, 0644, &file) == kDone);
  const int a = 0, b = 0;
  const auto lock = [&](const void* who, Type type, u64 start, u64 end) {
    return Tree::error(set(*file->inode(), {Kind::kPosix, type, who, 1, start, end}, Wait::kNo));
  };
  CHECK(lock(&a, Type::kWrite, 0, 99) == kDone);
  CHECK(lock(&b, Type::kRead, 50, 60) == Errno::Again);
  CHECK(lock(&a, Type::kUnlock, 40, 69) == kDone);
  CHECK(lock(&b, Type::kRead, 50, 60) == kDone);
  CHECK(lock(&b, Type::kRead, 39, 39) == Errno::Again);
  CHECK(lock(&b, Type::kRead, 70, ~u64{0}) == Errno::Again);
  CHECK(lock(&a, Type::kWrite, 40, 69) == Errno::Again);
  CHECK(lock(&b, Type::kUnlock, 0, ~u64{0}) == kDone);
  CHECK(lock(&a, Type::kWrite, 40, 69) == kDone);
  Request conflict{};
  REQUIRE(fs::locks::test(*file->inode(), {Kind::kPosix, Type::kRead, &b, 1, 10, 10}, &conflict));
  CHECK(conflict.start == 0);
  CHECK(conflict.end == 99);
}

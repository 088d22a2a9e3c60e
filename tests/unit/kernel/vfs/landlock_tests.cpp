// SPDX-License-Identifier: Apache-2.0
// landlock's walk against its definition: a right is there where, in every layer that handles it, the file itself or a
// directory above it has a rule with that right.
#include "kernel/security/landlock.hpp"

#include <catch2/catch.hpp>
#include <new>
#include <random>
#include <vector>

#include "tree.hpp"

using namespace uni;
using test::Tree;

namespace {

constexpr u16 kRights[] = {landlock::kReadFile, landlock::kWriteFile, landlock::kMakeRegular, landlock::kRefer};

// The thread is free again at the end.
struct Bound {
  ~Bound() {
    landlock::Holder& holder = Thread::current().landlock;
    holder.~Holder();
    new (&holder) landlock::Holder;
  }
};

struct Layer {
  u16 handled;
  std::vector<std::pair<std::string, u16>> rules;
};

bool is_above(const std::string& directory, const std::string& path) {
  return path == directory || (path.size() > directory.size() && path.compare(0, directory.size(), directory) == 0 &&
                               path[directory.size()] == '/');
}

bool allowed(const std::vector<Layer>& layers, const std::string& path, u16 wanted) {
  for (const Layer& layer : layers) {
    // Every layer handles kRefer.
    u16 left = static_cast<u16>(wanted & (layer.handled | landlock::kRefer));
    for (const auto& [at, access] : layer.rules) {
      if (is_above(at, path)) left &= static_cast<u16>(~access);
    }
    if (left != 0) return false;
  }
  return true;
}

RefPtr<fs::Dentry> at(Tree& tree, const std::string& path) {
  auto found = fs::lookup(tree.at(), StringView(path.data(), path.size()), fs::kFollow);
  REQUIRE(found.ok());
  return found.take();
}

void restrict_to(Tree& tree, const Layer& layer) {
  landlock::Rules rules({layer.handled, 0, 0});
  for (const auto& [path, access] : layer.rules)
    REQUIRE(rules.allow(*at(tree, path)->inode(), access).ok());
  auto domain = landlock::Domain::create(rules, Thread::current().landlock.get());
  REQUIRE(domain.ok());
  Thread::current().landlock.set(domain.value().get());
}

}  // namespace

TEST_CASE("what landlock allows is what its rules say") {
  Tree tree;
  std::vector<std::string> paths;
  for (const char* first : {"/l1", "/l2"}) {
    paths.push_back(first);
    for (const char* second : {"/a", "/b"}) {
      paths.push_back(std::string(first) + second);
      for (const char* third : {"/x", "/y"})
        paths.push_back(std::string(first) + second + third);
    }
  }
  for (const std::string& path : paths)
    (void)tree.mkdir(path.c_str());
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    const Bound bound;
    std::vector<Layer> layers(1 + random() % 4);
    for (Layer& layer : layers) {
      layer.handled = kRights[random() % 4] | kRights[random() % 4];
      for (auto i = random() % 5; i > 0; --i)
        layer.rules.emplace_back(paths[random() % paths.size()],
                                 static_cast<u16>((kRights[random() % 4] | kRights[random() % 4]) & layer.handled));
      restrict_to(tree, layer);
    }
    for (const std::string& path : paths) {
      for (const u16 right : kRights) {
        INFO(path << " " << right << " in round " << round);
        REQUIRE(landlock::check(*at(tree, path), right).ok() == allowed(layers, path, right));
      }
    }
  }
}

TEST_CASE("a domain keeps what its rules name, and ends at sixteen layers") {
  Tree tree;
  const Bound bound;
  REQUIRE(tree.mkdir("/kept") == Errno{});
  landlock::Rules rules({landlock::kMakeRegular, 0, 0});
  REQUIRE(rules.allow(*at(tree, "/kept")->inode(), landlock::kMakeRegular).ok());
  REQUIRE(tree.rmdir("/kept") == Errno{});
  REQUIRE(tree.mkdir("/kept") == Errno{});
  RefPtr<landlock::Domain> top;
  for (unsigned i = 0; i < landlock::Domain::kMostLayers; ++i)
    top = landlock::Domain::create(rules, top.get()).take();
  REQUIRE(Tree::error(landlock::Domain::create(rules, top.get())) == Errno::TooBig);
  Thread::current().landlock.set(top.get());
  // Another directory of the old name has no rule.
  REQUIRE(tree.open("/kept/file", fs::kOpenCreate | fs::kOpenReadWrite) == Errno::Access);
  REQUIRE(tree.rmdir("/kept") == Errno{});
}

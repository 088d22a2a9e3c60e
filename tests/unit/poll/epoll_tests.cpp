// SPDX-License-Identifier: Apache-2.0
// epoll's ready list on files whose readiness the test sets. One thread: a wait that would block times out at once.
#include <catch2/catch.hpp>
#include <vector>

#include "kernel/fs/epoll.hpp"

namespace uni::fs {
namespace {

class FakeFile final : public File {
 public:
  FakeFile() : File(FileKind::kOther, kOpenReadWrite) {}
  u32 poll() override {
    ++polls;
    return bits;
  }
  WaitQueue* poll_queue() override { return &queue; }
  void become(u32 now) {
    bits = now;
    queue.wake_all(now);
  }
  u32 bits = 0;
  unsigned polls = 0;
  WaitQueue queue;
};

RefPtr<Epoll> make_epoll() {
  return MUST(make_ref<Epoll>(kOpenReadWrite));
}
RefPtr<FakeFile> make_file() {
  return MUST(make_ref<FakeFile>());
}

struct Taken {
  std::vector<EpollEvent> events;
  std::vector<u64> data() const {
    std::vector<u64> d;
    for (const EpollEvent& e : events)
      d.push_back(e.data);
    return d;
  }
};

Taken look(Epoll& ep, usize capacity = 100) {
  Taken taken;
  const auto count = ep.wait(
      capacity, 0,
      [](void* context, const EpollEvent* events, usize n) -> Result<void> {
        auto& t = *static_cast<Taken*>(context);
        t.events.insert(t.events.end(), events, events + n);
        return {};
      },
      &taken);
  REQUIRE(count.ok());
  REQUIRE(count.value() == taken.events.size());
  return taken;
}

using Data = std::vector<u64>;

TEST_CASE("a level-triggered file comes as long as it is ready") {
  auto ep = make_epoll();
  auto file = make_file();
  REQUIRE(ep->add(*file, 3, kPollIn, 7).ok());
  CHECK(look(*ep).events.empty());
  file->become(kPollIn | kPollOut);
  const Taken first = look(*ep);
  REQUIRE(first.data() == Data{7});
  CHECK(first.events[0].events == kPollIn);
  CHECK(look(*ep).data() == Data{7});
  file->become(0);
  CHECK(look(*ep).events.empty());
  file->polls = 0;
  CHECK(look(*ep).events.empty());
  CHECK(file->polls == 0);
}

TEST_CASE("an edge-triggered file comes once a change") {
  auto ep = make_epoll();
  auto file = make_file();
  REQUIRE(ep->add(*file, 3, u32{kPollIn} | kEpollEdge, 1).ok());
  file->become(kPollIn);
  CHECK(look(*ep).data() == Data{1});
  CHECK(look(*ep).events.empty());
  file->become(kPollIn);
  file->become(kPollIn);
  CHECK(look(*ep).data() == Data{1});
  CHECK(look(*ep).events.empty());
}

TEST_CASE("a one-shot file comes once a change of its registration") {
  auto ep = make_epoll();
  auto file = make_file();
  REQUIRE(ep->add(*file, 3, u32{kPollIn} | kEpollOneShot, 1).ok());
  file->become(kPollIn);
  CHECK(look(*ep).data() == Data{1});
  file->become(kPollIn | kPollErr);
  CHECK(look(*ep).events.empty());
  REQUIRE(ep->modify(*file, 3, u32{kPollIn} | kEpollOneShot, 2).ok());
  CHECK(look(*ep).data() == Data{2});
  CHECK(look(*ep).events.empty());
}

TEST_CASE("files come in the order in which they became ready, and rotate") {
  auto ep = make_epoll();
  std::vector<RefPtr<FakeFile>> files;
  for (int i = 0; i < 3; ++i) {
    files.push_back(make_file());
    REQUIRE(ep->add(*files.back(), i, kPollIn, static_cast<u64>(i)).ok());
  }
  files[2]->become(kPollIn);
  files[0]->become(kPollIn);
  files[1]->become(kPollIn);
  CHECK(look(*ep, 2).data() == Data{2, 0});
  CHECK(look(*ep, 2).data() == Data{1, 2});
  CHECK(look(*ep).data() == Data{0, 1, 2});
}

TEST_CASE("many files are found by their number, and pieces do not repeat them") {
  auto ep = make_epoll();
  std::vector<RefPtr<FakeFile>> files;
  for (int i = 0; i < 1000; ++i) {
    files.push_back(make_file());
    REQUIRE(ep->add(*files.back(), i, kPollIn, static_cast<u64>(i)).ok());
    files.back()->become(kPollIn);
  }
  CHECK(look(*ep, 10'000).events.size() == 1000);
  CHECK(look(*ep, 100).events.size() == 100);
  CHECK(ep->add(*files[500], 500, kPollIn, 0).error() == Errno::Exists);
  REQUIRE(ep->add(*files[500], 5000, kPollIn, 5000).ok());
  REQUIRE(ep->remove(*files[500], 500).ok());
  CHECK(ep->remove(*files[500], 500).error() == Errno::NoEntry);
  CHECK(look(*ep, 10'000).events.size() == 1000);
}

TEST_CASE("a file that dies takes its registrations along") {
  auto ep = make_epoll();
  auto other = make_epoll();
  auto file = make_file();
  file->bits = kPollIn;
  REQUIRE(ep->add(*file, 3, kPollIn, 1).ok());
  REQUIRE(ep->add(*file, 4, kPollIn, 2).ok());
  REQUIRE(other->add(*file, 3, kPollIn, 3).ok());
  CHECK(look(*ep).events.size() == 2);
  file = nullptr;
  CHECK(look(*ep).events.empty());
  CHECK(look(*other).events.empty());
}

TEST_CASE("an instance that dies lets go of its files") {
  auto ep = make_epoll();
  auto file = make_file();
  REQUIRE(ep->add(*file, 3, kPollIn, 1).ok());
  file->become(kPollIn);
  ep = nullptr;
  CHECK(!file->queue.has_waiters());
  CHECK(file->epoll_items.load() == nullptr);
  file->become(kPollIn);
}

TEST_CASE("an instance within an instance is ready while something in it is") {
  auto inner = make_epoll();
  auto outer = make_epoll();
  auto file = make_file();
  REQUIRE(inner->add(*file, 3, kPollIn, 1).ok());
  REQUIRE(outer->add(*inner, 4, kPollIn, 2).ok());
  CHECK(look(*outer).events.empty());
  file->become(kPollIn);
  CHECK(look(*outer).data() == Data{2});
  file->become(0);
  CHECK(look(*outer).events.empty());
}

TEST_CASE("instances cannot watch themselves, in a cycle or too deep") {
  auto a = make_epoll();
  auto b = make_epoll();
  CHECK(a->add(*a, 1, kPollIn, 0).error() == Errno::Invalid);
  REQUIRE(a->add(*b, 1, kPollIn, 0).ok());
  CHECK(b->add(*a, 1, kPollIn, 0).error() == Errno::Loop);
  std::vector<RefPtr<Epoll>> chain = {make_epoll()};
  for (int i = 0; i < 4; ++i) {
    chain.push_back(make_epoll());
    REQUIRE(chain.back()->add(*chain[chain.size() - 2], 1, kPollIn, 0).ok());
  }
  auto top = make_epoll();
  CHECK(top->add(*chain.back(), 1, kPollIn, 0).error() == Errno::Loop);
  CHECK(chain.front()->add(*b, 1, kPollIn, 0).error() == Errno::Loop);
}

}  // namespace
}  // namespace uni::fs

// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "loader/analyze/ld_cache.hpp"
#include "loader/analyze/sysroot.hpp"
#include "tests/unit/scratch.hpp"

using uni::normalise;
using uni::Sysroot;
using uni::test::Scratch;

TEST_CASE("paths are normalised by text") {
  CHECK(normalise("/a//b/./../c/") == "/a/c");
  CHECK(normalise("/../..") == "/");
  CHECK(normalise("") == "/");
}

TEST_CASE("symlinks are followed inside the sysroot and recorded") {
  const Scratch scratch;
  scratch.write("usr/lib/libz.so.1.2", "z");
  scratch.link("usr/lib/libz.so.1", "libz.so.1.2");
  scratch.link("lib", "usr/lib");
  scratch.link("out", "/usr/lib/../../../../etc/passwd");
  scratch.link("loop", "loop");
  const Sysroot sysroot(scratch.path());
  const auto found = sysroot.resolve("/lib/libz.so.1");
  REQUIRE(found);
  CHECK(found->path == "/usr/lib/libz.so.1.2");
  CHECK(found->links == std::vector<uni::Link>{{"/lib", "usr/lib"}, {"/usr/lib/libz.so.1", "libz.so.1.2"}});
  CHECK_FALSE(sysroot.resolve("/out"));
  CHECK_FALSE(sysroot.resolve("/loop"));
  CHECK_FALSE(sysroot.resolve("/lib/libz.so.1/x"));
}

TEST_CASE("a placed link is followed, until a file is placed over it") {
  const Scratch scratch;
  Sysroot sysroot(scratch.path() / "empty");
  const auto file = scratch.write("file", "x");
  sysroot.place("/srv/real/file", file);
  sysroot.place_link("/srv/link", "real");
  const auto found = sysroot.resolve("/srv/link/file");
  REQUIRE(found);
  CHECK(found->path == "/srv/real/file");
  CHECK(found->links == std::vector<uni::Link>{{"/srv/link", "real"}});
  sysroot.place("/srv/link", file);
  CHECK(sysroot.resolve("/srv/link")->path == "/srv/link");
}

TEST_CASE("a placed file is found with its directories") {
  const Scratch scratch;
  Sysroot sysroot(scratch.path() / "empty");
  sysroot.place("/usr/local/bin/server", scratch.write("server", "x"));
  CHECK(sysroot.resolve("/usr/local/bin/server"));
  CHECK(sysroot.resolve("/usr/local"));
  CHECK_FALSE(sysroot.resolve("/usr/loc"));
}

TEST_CASE("an ld.so.cache comes back in ld.so's order") {
  const auto bytes =
      uni::make_ld_cache({{"liba.so.2", "/x/liba.so.2"}, {"liba.so.10", "/x/liba.so.10"}, {"libb.so", "/x/libb.so"}});
  const auto entries = uni::parse_ld_cache(bytes);
  REQUIRE(entries.size() == 3);
  // Descending, digits as numbers.
  CHECK(entries[0].name == "libb.so");
  CHECK(entries[1].name == "liba.so.10");
  CHECK(entries[2].path == "/x/liba.so.2");
}

TEST_CASE("a cut ld.so.cache gives fewer entries, never more") {
  const auto bytes = uni::make_ld_cache({{"liba.so", "/x/liba.so"}, {"libb.so", "/x/libb.so"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(uni::parse_ld_cache(std::string_view(bytes).substr(0, size)).size() < 2);
  }
}

TEST_CASE("ld.so.conf follows its includes") {
  const Scratch scratch;
  scratch.write("etc/ld.so.conf", "# comment\ninclude /etc/ld.so.conf.d/*.conf\n/opt/lib # more\n");
  scratch.write("etc/ld.so.conf.d/b.conf", "/b\n/opt/lib\n");
  scratch.write("etc/ld.so.conf.d/a.conf", "/a/\ninclude /etc/ld.so.conf\n");
  CHECK(uni::read_ld_conf(Sysroot(scratch.path())) == std::vector<std::string>{"/a", "/b", "/opt/lib"});
}

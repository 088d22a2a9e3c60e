// SPDX-License-Identifier: Apache-2.0
// The search for system calls takes any bytes that pass the header's check: it ends, without reading outside of them.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "loader/analyze/call_graph.hpp"
#include "loader/analyze/number_search.hpp"
#include "loader/analyze/syscall_origins.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const auto file = uni::InputFile::open(path);
  if (!file) std::abort();
  if (const auto header = uni::read_elf_header(*file)) {
    uni::Closure closure;
    closure.program = "/program";
    closure.objects.push_back({"/program", path, {}});
    closure.objects[0].facts.header = *header;
    auto graph = uni::CallGraph::build(closure, 1);
    if (!graph) std::abort();
    graph->walk();
    uni::NumberSearch search(*graph);
    search.run();
    (void)uni::call_origins(*graph, search, uni::library_uses(*graph));
  }
  ::close(fd);
  return 0;
}

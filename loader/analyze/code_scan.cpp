// SPDX-License-Identifier: Apache-2.0
// A linear sweep with Zydis, without operands (they cost most of the time): what is needed is in the raw fields.
#include "loader/analyze/code_scan.hpp"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "loader/analyze/data_pointers.hpp"

namespace uni {
namespace {

using Kind = CodeEvent::Kind;

constexpr std::uint64_t kChunk = 256U << 10;

struct Chunk {
  AddressRange range;
  std::vector<CodeEvent> events;
  std::vector<std::uint64_t> taken;  // code that `lea` takes the address of
  std::vector<bool> runs_on;         // by byte: an instruction here is reached from the one before it
};

class Sweep {
 public:
  Sweep(const ElfImage& image, Chunk& out) : image_(image), out_(out) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (const LoadSegment& s : image.header.segments)
      low_ = std::min(low_, s.address), high_ = std::max(high_, s.address + s.memory_size);
    // Only where the file is at a fixed address can a constant be an address.
    fixed_ = !image.header.position_independent && low_ >= 4096;
  }

  // `starts`: function starts known beforehand.
  void run(const std::vector<std::uint64_t>& starts) {
    const std::string_view code = image_.at(out_.range.begin);
    auto next_start = std::ranges::upper_bound(starts, out_.range.begin);
    ZydisDecoderContext context;
    ZydisDecodedInstruction in;
    bool ended = true;
    out_.runs_on.resize(out_.range.end - out_.range.begin);
    for (std::uint64_t at = out_.range.begin; at < out_.range.end;) {
      while (next_start != starts.end() && *next_start <= at)
        ++next_start;
      std::uint64_t limit = std::min(out_.range.end - out_.range.begin, std::uint64_t{code.size()});
      if (at - out_.range.begin >= limit) break;
      // An instruction that would run over the start of a function is none.
      if (next_start != starts.end()) limit = std::min(limit, *next_start - out_.range.begin);
      const std::uint64_t offset = at - out_.range.begin;
      if (!ZYAN_SUCCESS(
              ZydisDecoderDecodeInstruction(&decoder_, &context, code.data() + offset, limit - offset, &in))) {
        ++at;
        ended = true;
        continue;
      }
      if (!ended) out_.runs_on[offset] = true;
      see(in, at);
      ended = ends(in, ended);
      at += in.length;
    }
  }

 private:
  // Whether code after this instruction is not reached from it. Padding after an end is an end.
  static bool ends(const ZydisDecodedInstruction& in, bool ended) {
    switch (in.meta.category) {
      case ZYDIS_CATEGORY_RET:
      case ZYDIS_CATEGORY_UNCOND_BR:
        return true;
      case ZYDIS_CATEGORY_CALL:
        return true;  // of a function that does not return, where nothing else of this function follows
      case ZYDIS_CATEGORY_NOP:
      case ZYDIS_CATEGORY_WIDENOP:
        return ended;
      default:
        return in.mnemonic == ZYDIS_MNEMONIC_HLT || in.mnemonic == ZYDIS_MNEMONIC_UD2 ||
               in.mnemonic == ZYDIS_MNEMONIC_INT3;
    }
  }

  void add(std::uint64_t at, std::uint64_t target, Kind kind) { out_.events.push_back({at, target, kind}); }

  void see(const ZydisDecodedInstruction& in, std::uint64_t at) {
    if (in.mnemonic == ZYDIS_MNEMONIC_SYSCALL) return add(at, 0, Kind::Syscall);
    const std::uint64_t next = at + in.length;
    const bool jump = in.meta.category == ZYDIS_CATEGORY_COND_BR || in.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
    const bool call = in.meta.category == ZYDIS_CATEGORY_CALL;
    if ((jump || call) && in.raw.imm[0].size != 0 && in.raw.imm[0].is_relative != 0) {
      return add(at, next + static_cast<std::uint64_t>(in.raw.imm[0].value.s), call ? Kind::Call : Kind::Jump);
    }
    const bool memory = (in.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0 && in.raw.modrm.mod != 3;
    if (memory && in.raw.modrm.mod == 0 && in.raw.modrm.rm == 5) {
      const std::uint64_t target = next + static_cast<std::uint64_t>(in.raw.disp.value);
      if (in.mnemonic == ZYDIS_MNEMONIC_LEA) {
        if (image_.is_code(target)) out_.taken.push_back(target);
        return add(at, target, Kind::Address);
      }
      add(at, target, jump ? Kind::JumpSlot : call ? Kind::CallSlot : Kind::Access);
    } else if (jump || call) {
      add(at, 0, jump ? Kind::JumpRegister : Kind::CallRegister);
    }
    if (!fixed_) return;
    for (const auto& imm : in.raw.imm) {
      if (imm.size >= 32 && in_image(imm.value.u)) add(at, imm.value.u, Kind::Address);
    }
    if (memory && in.raw.disp.size == 32 && !(in.raw.modrm.mod == 0 && in.raw.modrm.rm == 5)) {
      const auto target = static_cast<std::uint64_t>(in.raw.disp.value);
      if (!in_image(target)) return;
      const bool plain = in.raw.modrm.mod == 0 && in.raw.modrm.rm == 4 && in.raw.sib.base == 5 && in.raw.sib.index == 4;
      add(at, target, plain ? Kind::Access : Kind::Address);
    }
  }

  bool in_image(std::uint64_t value) const { return value >= low_ && value < high_; }

  const ElfImage& image_;
  Chunk& out_;
  ZydisDecoder decoder_{};
  std::uint64_t low_ = UINT64_MAX;
  std::uint64_t high_ = 0;
  bool fixed_ = false;
};

void sort_unique(std::vector<std::uint64_t>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

std::vector<std::uint64_t> known_starts(const ElfImage& image) {
  std::vector<std::uint64_t> starts;
  for (const AddressRange& r : image.unwound)
    starts.push_back(r.begin);
  for (const auto* symbols : {&image.dynamic, &image.local}) {
    for (const ImageSymbol& s : *symbols) {
      if (s.function && s.defined) starts.push_back(s.address);
    }
  }
  for (const AddressRange& r : image.code)
    starts.push_back(r.begin);
  for (const StubRange& s : image.stubs) {
    for (std::uint64_t at = s.range.begin; at < s.range.end; at += s.size)
      starts.push_back(at);
  }
  starts.push_back(image.header.entry);
  std::erase_if(starts, [&](std::uint64_t s) { return !image.is_code(s); });
  sort_unique(starts);
  return starts;
}

std::vector<Chunk> cut(const ElfImage& image, const std::vector<std::uint64_t>& starts) {
  std::vector<Chunk> chunks;
  for (const AddressRange& r : image.code) {
    for (std::uint64_t at = r.begin; at < r.end;) {
      // A chunk ends where a function begins.
      std::uint64_t end = r.end;
      if (r.end - at > kChunk) {
        const auto border = std::ranges::lower_bound(starts, at + kChunk);
        if (border != starts.end()) end = std::min(end, *border);
      }
      chunks.push_back({.range = {at, end}, .events = {}, .taken = {}, .runs_on = {}});
      at = end;
    }
  }
  return chunks;
}

bool runs_on(const std::vector<Chunk>& chunks, std::uint64_t address) {
  const auto after = std::ranges::upper_bound(chunks, address, {}, [](const Chunk& c) { return c.range.begin; });
  if (after == chunks.begin()) return true;
  const Chunk& in = *std::prev(after);
  const std::uint64_t offset = address - in.range.begin;
  return offset >= in.runs_on.size() || in.runs_on[offset];
}

// Code whose address is taken and that nothing runs into is a function too: glibc's signal trampoline begins one byte
// behind where its unwind entry says, and programs without unwind tables have functions that are only pointed to. A
// pointer into a function that has an unwind entry is a switch's.
void add_taken(const ElfImage& image, const std::vector<Chunk>& chunks, std::vector<std::uint64_t>& starts) {
  std::vector<std::uint64_t> added;
  for (const Chunk& from : chunks) {
    for (const std::uint64_t address : from.taken) {
      if (!runs_on(chunks, address)) added.push_back(address);
    }
  }
  for (const DataPointer& p : data_pointers(image)) {
    if (p.symbol != 0 || !image.is_code(p.target) || runs_on(chunks, p.target)) continue;
    const auto after = std::ranges::upper_bound(image.unwound, p.target, {}, &AddressRange::begin);
    if (after == image.unwound.begin() || !std::prev(after)->holds(p.target)) added.push_back(p.target);
  }
  starts.insert(starts.end(), added.begin(), added.end());
}

}  // namespace

CodeScan scan_code(const ElfImage& image, unsigned threads) {
  CodeScan out;
  out.starts = known_starts(image);
  std::vector<Chunk> chunks = cut(image, out.starts);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < chunks.size(); i = next++) {
      Sweep(image, chunks[i]).run(out.starts);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, chunks.size()); ++i)
      helpers.emplace_back(work);
    work();
  }
  for (Chunk& chunk : chunks) {
    for (const CodeEvent& e : chunk.events) {
      if (e.kind == Kind::Call && image.is_code(e.target)) out.starts.push_back(e.target);
    }
    out.events.insert(out.events.end(), chunk.events.begin(), chunk.events.end());
    chunk.events = {};
  }
  add_taken(image, chunks, out.starts);
  sort_unique(out.starts);
  for (Chunk& chunk : chunks) {
    for (auto start = std::ranges::lower_bound(out.starts, chunk.range.begin);
         start != out.starts.end() && *start - chunk.range.begin < chunk.runs_on.size(); ++start) {
      if (chunk.runs_on[*start - chunk.range.begin]) out.falls.push_back(*start);
    }
    chunk.runs_on = {};
  }
  return out;
}

}  // namespace uni

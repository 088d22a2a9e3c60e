// SPDX-License-Identifier: Apache-2.0
// A linear sweep with Zydis. x86 code finds back into step after data, so a sweep over a whole segment misses little;
// the number of a call is looked for backwards from its `syscall`, within the basic block, following register copies.
#include "loader/analyze/code_scan.hpp"

#include <Zydis/Zydis.h>
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace uni {
namespace {

constexpr std::size_t kLookBack = 48;

ZydisRegister whole(ZydisRegister reg) {
  return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

class Sweep {
 public:
  Sweep(CodeScan& out, WantEdges edges) : out_(out), edges_(edges) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  }

  void run(std::string_view code, std::uint64_t address) {
    code_ = code;
    base_ = address;
    recent_count_ = 0;
    ZydisDecoderContext context;
    ZydisDecodedInstruction in;
    for (std::size_t at = 0; at < code.size();) {
      if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder_, &context, code.data() + at, code.size() - at, &in))) {
        ++at;
        recent_count_ = 0;  // out of step: what came before is not the same code
        continue;
      }
      see(in, at);
      at += in.length;
    }
    settle();
  }

 private:
  struct Pending {
    std::size_t site;          // index in out_.sites
    std::uint64_t defined_at;  // where the number is loaded
  };

  void see(const ZydisDecodedInstruction& in, std::size_t at) {
    const std::uint64_t next = base_ + at + in.length;
    const bool branch = in.meta.category == ZYDIS_CATEGORY_COND_BR || in.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
    const bool call = in.meta.category == ZYDIS_CATEGORY_CALL;
    if ((branch || call) && in.raw.imm[0].size != 0 && in.raw.imm[0].is_relative != 0) {
      const std::uint64_t to = next + static_cast<std::uint64_t>(in.raw.imm[0].value.s);
      if (branch) targets_.push_back(to);
      if (edges_ == WantEdges::Yes) out_.edges.push_back({base_ + at, to, call});
    } else if (edges_ == WantEdges::Yes && in.mnemonic == ZYDIS_MNEMONIC_LEA &&
               (in.attributes & ZYDIS_ATTRIB_IS_RELATIVE) != 0) {
      out_.edges.push_back({base_ + at, next + static_cast<std::uint64_t>(in.raw.disp.value), false});
    }
    if (in.mnemonic == ZYDIS_MNEMONIC_SYSCALL) {
      std::uint64_t defined_at = 0;
      bool uncertain = false;
      const auto number = number_of(defined_at, uncertain);
      if (number) pending_.push_back({out_.sites.size(), defined_at});
      out_.sites.push_back({base_ + at, number.value_or(-1)});
      if (number && uncertain) out_.sites.push_back({base_ + at, -1});
    }
    recent_[recent_count_++ % kLookBack] = at;
  }

  // Whether a register's value can come from before this instruction.
  static bool passes(const ZydisDecodedInstruction& in, ZydisRegister tracked, bool& uncertain) {
    switch (in.meta.category) {
      case ZYDIS_CATEGORY_RET:
        return false;
      case ZYDIS_CATEGORY_CALL:
        // The psABI's callee-saved registers.
        return tracked == ZYDIS_REGISTER_RBX || tracked == ZYDIS_REGISTER_RBP || tracked >= ZYDIS_REGISTER_R12;
      case ZYDIS_CATEGORY_UNCOND_BR:
        // What follows is reached from elsewhere. A number that is kept in another register (glibc's _exit does that)
        // is most likely still it.
        uncertain = true;
        return tracked != ZYDIS_REGISTER_RAX;
      default:
        return in.mnemonic != ZYDIS_MNEMONIC_SYSCALL || tracked != ZYDIS_REGISTER_RAX;
    }
  }

  // The constant in eax at the current instruction.
  std::optional<int> number_of(std::uint64_t& defined_at, bool& uncertain) const {
    ZydisRegister tracked = ZYDIS_REGISTER_RAX;
    const std::size_t kept = std::min(recent_count_, kLookBack);
    for (std::size_t back = 1; back <= kept; ++back) {
      const std::size_t at = recent_[(recent_count_ - back) % kLookBack];
      ZydisDecodedInstruction in;
      std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> ops;
      if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, code_.data() + at, code_.size() - at, &in, ops.data())))
        break;
      if (!passes(in, tracked, uncertain)) break;
      const auto writes = [&](const ZydisDecodedOperand& op) {
        return op.type == ZYDIS_OPERAND_TYPE_REGISTER && (op.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0 &&
               whole(op.reg.value) == tracked;
      };
      if (std::none_of(ops.begin(), ops.begin() + in.operand_count, writes)) continue;
      defined_at = base_ + at;
      const bool two_registers = in.operand_count_visible == 2 && ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                                 ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
      if (in.mnemonic == ZYDIS_MNEMONIC_XOR && two_registers && ops[0].reg.value == ops[1].reg.value) return 0;
      // Only moves of 32 and 64 bits define the whole register.
      if (in.mnemonic != ZYDIS_MNEMONIC_MOV || ops[0].size < 32) return std::nullopt;
      if (ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        const std::uint64_t value = ops[1].imm.value.u;
        return value < 4096 ? std::optional<int>(static_cast<int>(value)) : std::nullopt;
      }
      if (!two_registers) return std::nullopt;
      tracked = whole(ops[1].reg.value);
    }
    return std::nullopt;
  }

  // A jump from elsewhere between the load and the call brings another number along.
  void settle() {
    std::ranges::sort(targets_);
    for (const Pending& p : pending_) {
      SyscallSite& site = out_.sites[p.site];
      const auto first = std::ranges::upper_bound(targets_, p.defined_at);
      if (first != targets_.end() && *first <= site.address) out_.sites.push_back({site.address, -1});
    }
    targets_.clear();
    pending_.clear();
  }

  CodeScan& out_;
  WantEdges edges_;
  ZydisDecoder decoder_{};
  std::string_view code_;
  std::uint64_t base_ = 0;
  std::array<std::size_t, kLookBack> recent_{};
  std::size_t recent_count_ = 0;
  std::vector<std::uint64_t> targets_;
  std::vector<Pending> pending_;
};

template <typename T>
std::optional<T> read_at(std::string_view bytes, const ElfHeader& header, std::uint64_t address) {
  const std::int64_t at = header.offset_of(address, sizeof(T));
  if (at < 0 || static_cast<std::uint64_t>(at) + sizeof(T) > bytes.size()) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

CodeScan scan_code(std::string_view bytes, const ElfHeader& header, WantEdges edges) {
  CodeScan out;
  Sweep sweep(out, edges);
  for (const LoadSegment& s : header.segments) {
    if ((s.flags & PF_X) == 0 || s.offset > bytes.size()) continue;
    const std::string_view code = bytes.substr(s.offset, s.file_size);
    if (edges == WantEdges::No && code.find("\x0f\x05") == std::string_view::npos) continue;
    sweep.run(code, s.address);
  }
  return out;
}

std::vector<std::uint64_t> function_starts(std::string_view bytes, const ElfHeader& header) {
  std::vector<std::uint64_t> out;
  const std::uint64_t hdr = header.eh_frame_hdr;
  if (hdr == 0) return out;
  // Version 1, eh_frame_ptr as sdata4 pc-relative, the count as udata4, the table as sdata4 relative to the header.
  const auto start = read_at<std::uint32_t>(bytes, header, hdr);
  const auto count = read_at<std::uint32_t>(bytes, header, hdr + 8);
  if (!start || *start != 0x3b031b01 || !count || *count > header.eh_frame_hdr_size / 8) return out;
  out.reserve(*count);
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto offset = read_at<std::int32_t>(bytes, header, hdr + 12 + std::uint64_t{i} * 8);
    if (!offset) break;
    out.push_back(hdr + static_cast<std::uint64_t>(std::int64_t{*offset}));
  }
  return out;
}

}  // namespace uni

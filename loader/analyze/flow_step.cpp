// SPDX-License-Identifier: Apache-2.0
// The instructions that compilers use to bring a number to `syscall`; what else writes a register makes it unknown.
// Of the stack's slots it is assumed that only the function itself writes them, unless their address was taken.
#include "loader/analyze/flow_step.hpp"

#include <algorithm>
#include <functional>
#include <optional>

namespace uni {
namespace {

using Kind = Atom::Kind;

const AtomSet kUnknown = {Atom{}};

std::optional<unsigned> number_of(ZydisRegister reg) {
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
  if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15) return std::nullopt;
  return static_cast<unsigned>(ZydisRegisterGetId(whole));
}

AtomSet map_constants(const AtomSet& set, const std::function<std::optional<Atom>(const Atom&)>& f) {
  AtomSet out;
  for (const Atom& a : set)
    out.push_back(f(a).value_or(Atom{}));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Adds a constant to constants and to places on the stack.
AtomSet plus(const AtomSet& set, std::int64_t by) {
  return map_constants(set, [by](const Atom& a) -> std::optional<Atom> {
    if (a.kind != Kind::Constant && a.kind != Kind::StackPlace) return std::nullopt;
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a.value, by, &sum)) return std::nullopt;
    return Atom{a.kind, sum};
  });
}

std::optional<std::int64_t> only_constant(const AtomSet& set) {
  if (set.size() != 1 || set[0].kind != Kind::Constant) return std::nullopt;
  return set[0].value;
}

// A 32-bit result clears the upper half.
AtomSet low_half(AtomSet set) {
  return map_constants(set, [](const Atom& a) -> std::optional<Atom> {
    return a.kind == Kind::Constant ? Atom{a.kind, static_cast<std::int64_t>(static_cast<std::uint32_t>(a.value))} : a;
  });
}

AtomSet combine(ZydisMnemonic mnemonic, const AtomSet& a, const AtomSet& b) {
  const auto by = only_constant(b);
  if (!by) return kUnknown;
  if (mnemonic == ZYDIS_MNEMONIC_ADD) return plus(a, *by);
  if (mnemonic == ZYDIS_MNEMONIC_SUB) return *by == INT64_MIN ? kUnknown : plus(a, -*by);
  if (mnemonic == ZYDIS_MNEMONIC_OR && *by == -1) return {{Kind::Constant, -1}};
  if (mnemonic == ZYDIS_MNEMONIC_AND && *by == 0) return {{Kind::Constant, 0}};
  return map_constants(a, [&](const Atom& x) -> std::optional<Atom> {
    // Aligning the stack: what lies above is where it was, what is pushed is found again by the same offsets.
    if (x.kind == Kind::StackPlace && mnemonic == ZYDIS_MNEMONIC_AND) return x;
    if (x.kind != Kind::Constant) return std::nullopt;
    switch (mnemonic) {
      case ZYDIS_MNEMONIC_AND:
        return Atom{Kind::Constant, x.value & *by};
      case ZYDIS_MNEMONIC_OR:
        return Atom{Kind::Constant, x.value | *by};
      case ZYDIS_MNEMONIC_XOR:
        return Atom{Kind::Constant, x.value ^ *by};
      case ZYDIS_MNEMONIC_SHL:
        if (*by < 0 || *by > 31) return std::nullopt;
        return Atom{Kind::Constant, static_cast<std::int64_t>(static_cast<std::uint64_t>(x.value) << *by)};
      default:
        return std::nullopt;
    }
  });
}

bool is_conditional_move(ZydisMnemonic m) {
  switch (m) {
    case ZYDIS_MNEMONIC_CMOVB:
    case ZYDIS_MNEMONIC_CMOVBE:
    case ZYDIS_MNEMONIC_CMOVL:
    case ZYDIS_MNEMONIC_CMOVLE:
    case ZYDIS_MNEMONIC_CMOVNB:
    case ZYDIS_MNEMONIC_CMOVNBE:
    case ZYDIS_MNEMONIC_CMOVNL:
    case ZYDIS_MNEMONIC_CMOVNLE:
    case ZYDIS_MNEMONIC_CMOVNO:
    case ZYDIS_MNEMONIC_CMOVNP:
    case ZYDIS_MNEMONIC_CMOVNS:
    case ZYDIS_MNEMONIC_CMOVNZ:
    case ZYDIS_MNEMONIC_CMOVO:
    case ZYDIS_MNEMONIC_CMOVP:
    case ZYDIS_MNEMONIC_CMOVS:
    case ZYDIS_MNEMONIC_CMOVZ:
      return true;
    default:
      return false;
  }
}

std::optional<std::int64_t> stack_place(const AtomSet& set) {
  if (set.size() != 1 || set[0].kind != Kind::StackPlace) return std::nullopt;
  return set[0].value;
}

}  // namespace

FlowStep::FlowStep(const ElfImage& image, std::function<bool(std::uint64_t)> never_written)
    : image_(image), never_written_(std::move(never_written)) {
  ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

bool FlowStep::stores(std::uint64_t at) const {
  ZydisDecodedInstruction in;
  std::array<Operand, ZYDIS_MAX_OPERAND_COUNT> ops;
  if (!decode(at, in, ops.data())) return true;
  return std::any_of(ops.begin(), ops.begin() + in.operand_count, [](const Operand& op) {
    return op.type == ZYDIS_OPERAND_TYPE_MEMORY && (op.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  });
}

bool FlowStep::decode(std::uint64_t at, ZydisDecodedInstruction& in, Operand* operands) const {
  const std::string_view code = image_.at(at).substr(0, ZYDIS_MAX_INSTRUCTION_LENGTH);
  return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, code.data(), code.size(), &in, operands));
}

FlowStep::Effect FlowStep::look(std::uint64_t at) const {
  ZydisDecodedInstruction in;
  std::array<Operand, ZYDIS_MAX_OPERAND_COUNT> ops;
  Effect effect;
  if (!decode(at, in, ops.data())) return effect;
  effect.length = in.length;
  const std::uint64_t next = at + in.length;
  const bool relative = in.raw.imm[0].size != 0 && in.raw.imm[0].is_relative != 0;
  effect.branches = in.meta.category == ZYDIS_CATEGORY_COND_BR;
  const bool jump = in.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
  if (relative && (effect.branches || jump)) effect.target = next + static_cast<std::uint64_t>(in.raw.imm[0].value.s);
  effect.indirect = jump && !relative;
  effect.call = in.meta.category == ZYDIS_CATEGORY_CALL;
  effect.system = in.mnemonic == ZYDIS_MNEMONIC_SYSCALL;
  effect.returns = in.meta.category == ZYDIS_CATEGORY_RET;
  effect.padding = in.meta.category == ZYDIS_CATEGORY_NOP || in.meta.category == ZYDIS_CATEGORY_WIDENOP ||
                   in.mnemonic == ZYDIS_MNEMONIC_INT3;
  effect.ends = jump || in.meta.category == ZYDIS_CATEGORY_RET || in.mnemonic == ZYDIS_MNEMONIC_UD2 ||
                in.mnemonic == ZYDIS_MNEMONIC_HLT || in.mnemonic == ZYDIS_MNEMONIC_INT3;
  for (unsigned i = 0; i < in.operand_count_visible; ++i) {
    if (ops[i].type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
    if (ops[i].mem.base == ZYDIS_REGISTER_RIP) effect.table = next + static_cast<std::uint64_t>(ops[i].mem.disp.value);
    if (ops[i].mem.index != ZYDIS_REGISTER_NONE && ops[i].mem.disp.value > 4096)
      effect.table = static_cast<std::uint64_t>(ops[i].mem.disp.value);
  }
  return effect;
}

AtomSet FlowStep::address(std::uint64_t next, const Operand& op, const MachineState& state) const {
  const auto& mem = op.mem;
  if (mem.segment == ZYDIS_REGISTER_FS || mem.segment == ZYDIS_REGISTER_GS) return kUnknown;
  if (mem.base == ZYDIS_REGISTER_RIP) return {{Kind::Constant, static_cast<std::int64_t>(next) + mem.disp.value}};
  if (mem.index != ZYDIS_REGISTER_NONE) return kUnknown;
  const auto base = number_of(mem.base);
  return base ? plus(state.registers[*base], mem.disp.value) : AtomSet{{Kind::Constant, mem.disp.value}};
}

// Memory that is not the stack: constants in read-only segments, pointers that the loader fills.
AtomSet FlowStep::load(std::uint64_t next, const Operand& op, const MachineState& state) const {
  const AtomSet where = address(next, op, state);
  if (const auto place = stack_place(where)) return state.slot(*place);
  const auto constant = only_constant(where);
  if (!constant) return {{Kind::Memory, op.mem.disp.value}};
  const auto at = static_cast<std::uint64_t>(*constant);
  if (op.size == 64) {
    const auto r = std::ranges::lower_bound(image_.relocations, at, {}, &ImageRelocation::where);
    if (r != image_.relocations.end() && r->where == at) return {{Kind::Slot, *constant}};
  }
  for (const LoadSegment& s : image_.header.segments) {
    const bool read_only = (s.flags & 2U) == 0;  // PF_W
    if (at < s.address || at - s.address >= s.file_size) continue;
    if (!read_only && (!never_written_ || !never_written_(at))) break;
    if (op.size == 32) {
      if (const auto v = image_.read<std::uint32_t>(at)) return {{Kind::Constant, *v}};
    } else if (op.size == 64) {
      if (const auto v = image_.read<std::int64_t>(at)) return {{Kind::Constant, *v}};
    }
  }
  return {{Kind::Memory, 0}};
}

AtomSet FlowStep::read(std::uint64_t next, const Operand& op, const MachineState& state) const {
  switch (op.type) {
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
      return {{Kind::Constant, op.imm.value.s}};
    case ZYDIS_OPERAND_TYPE_MEMORY:
      return load(next, op, state);
    case ZYDIS_OPERAND_TYPE_REGISTER: {
      const auto n = number_of(op.reg.value);
      if (!n) return kUnknown;
      const bool high = op.reg.value >= ZYDIS_REGISTER_AH && op.reg.value <= ZYDIS_REGISTER_BH;
      return high ? kUnknown : state.registers[*n];
    }
    default:
      return kUnknown;
  }
}

void FlowStep::write(std::uint64_t next, const Operand& op, AtomSet value, MachineState& state) const {
  if (op.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    const auto n = number_of(op.reg.value);
    if (!n) return;
    AtomSet& reg = state.registers[*n];
    if (op.size == 64) {
      reg = std::move(value);
    } else if (op.size == 32) {
      reg = low_half(std::move(value));
    } else {
      // A partial write over a known value: `xor eax, eax; mov al, 60`.
      const auto old = only_constant(reg);
      const auto part = only_constant(value);
      const std::int64_t mask = op.size == 8 ? 0xff : 0xffff;
      const bool high = op.reg.value >= ZYDIS_REGISTER_AH && op.reg.value <= ZYDIS_REGISTER_BH;
      reg = old && part && !high ? AtomSet{{Kind::Constant, (*old & ~mask) | (*part & mask)}} : kUnknown;
    }
  } else if (op.type == ZYDIS_OPERAND_TYPE_MEMORY) {
    if (const auto place = stack_place(address(next, op, state))) {
      if (op.size < 32) value = kUnknown;
      if (op.size > 64) {
        if (!std::ranges::all_of(value, [](const Atom& a) { return a.kind == Kind::Memory; })) value = kUnknown;
        for (std::int64_t i = 0; i < op.size / 8; i += 8)
          state.stack[*place + i] = value;
        return;
      }
      state.stack[*place] = std::move(value);
    }
  }
}

void FlowStep::do_call(MachineState& state) const {
  // psABI 3.2.1; Go's ABI keeps nothing but the stack pointer.
  for (const unsigned n : {0U, 1U, 2U, 6U, 7U, 8U, 9U, 10U, 11U})
    state.registers[n] = kUnknown;
  if (image_.go) {
    for (const unsigned n : {3U, 12U, 13U, 14U, 15U})
      state.registers[n] = kUnknown;
  }
}

// Compilers copy structures with vector registers. True where that is all that the instruction does.
bool FlowStep::move_vector(std::uint64_t next, const ZydisDecodedInstruction& in, const Operand* ops,
                           MachineState& state) const {
  const auto vector = [](const Operand& op) {
    return op.type == ZYDIS_OPERAND_TYPE_REGISTER && op.reg.value >= ZYDIS_REGISTER_XMM0 &&
           op.reg.value <= ZYDIS_REGISTER_XMM15;
  };
  if (in.operand_count_visible < 1 || (!vector(ops[0]) && (in.operand_count_visible != 2 || !vector(ops[1]))))
    return false;
  const bool plain = in.mnemonic == ZYDIS_MNEMONIC_MOVUPS || in.mnemonic == ZYDIS_MNEMONIC_MOVAPS ||
                     in.mnemonic == ZYDIS_MNEMONIC_MOVDQU || in.mnemonic == ZYDIS_MNEMONIC_MOVDQA;
  if (vector(ops[0])) {
    const unsigned bit = 1U << (ops[0].reg.value - ZYDIS_REGISTER_XMM0);
    const bool loaded = plain && ops[1].type == ZYDIS_OPERAND_TYPE_MEMORY && !stack_place(address(next, ops[1], state));
    state.vectors_from_memory = loaded ? state.vectors_from_memory | bit : state.vectors_from_memory & ~bit;
    return plain;
  }
  if (!plain || ops[0].type != ZYDIS_OPERAND_TYPE_MEMORY) return false;
  const bool loaded = (state.vectors_from_memory >> (ops[1].reg.value - ZYDIS_REGISTER_XMM0) & 1) != 0;
  write(next, ops[0], loaded ? AtomSet{{Kind::Memory, -1}} : kUnknown, state);
  return true;
}

FlowStep::Effect FlowStep::apply(std::uint64_t at, MachineState& state) const {
  ZydisDecodedInstruction in;
  std::array<Operand, ZYDIS_MAX_OPERAND_COUNT> ops;
  Effect effect;
  if (!decode(at, in, ops.data())) return effect;
  effect.length = in.length;
  const std::uint64_t next = at + in.length;
  AtomSet& rsp = state.registers[kRsp];
  const bool two = in.operand_count_visible == 2;
  switch (in.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSX: {
      AtomSet value = read(next, ops[1], state);
      if (ops[1].size < 32 && ops[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE && in.mnemonic != ZYDIS_MNEMONIC_MOV &&
          !only_constant(value)) {
        value = kUnknown;
      }
      write(next, ops[0], std::move(value), state);
      return effect;
    }
    case ZYDIS_MNEMONIC_LEA: {
      AtomSet value = address(next, ops[1], state);
      if (const auto place = stack_place(value);
          place && number_of(ops[0].reg.value) != kRsp && number_of(ops[0].reg.value) != kRbp) {
        // From here on somebody else may write what begins there.
        for (auto it = state.stack.lower_bound(*place); it != state.stack.end() && it->first < *place + 16; ++it)
          it->second = kUnknown;
      }
      write(next, ops[0], std::move(value), state);
      return effect;
    }
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_SUB:
      if (two && ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER && ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
          ops[0].reg.value == ops[1].reg.value && ops[0].size >= 32) {
        write(next, ops[0], {{Kind::Constant, 0}}, state);
        return effect;
      }
      [[fallthrough]];
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_SHL:
      write(next, ops[0], combine(in.mnemonic, read(next, ops[0], state), read(next, ops[1], state)), state);
      return effect;
    case ZYDIS_MNEMONIC_INC:
    case ZYDIS_MNEMONIC_DEC:
      write(next, ops[0], plus(read(next, ops[0], state), in.mnemonic == ZYDIS_MNEMONIC_INC ? 1 : -1), state);
      return effect;
    case ZYDIS_MNEMONIC_PUSH: {
      AtomSet value = read(next, ops[0], state);
      rsp = plus(rsp, -8);
      if (const auto place = stack_place(rsp)) state.stack[*place] = std::move(value);
      return effect;
    }
    case ZYDIS_MNEMONIC_POP: {
      const auto place = stack_place(rsp);
      AtomSet value = place ? state.slot(*place) : kUnknown;
      rsp = plus(rsp, 8);
      write(next, ops[0], std::move(value), state);
      return effect;
    }
    case ZYDIS_MNEMONIC_LEAVE: {
      rsp = state.registers[kRbp];
      const auto place = stack_place(rsp);
      state.registers[kRbp] = place ? state.slot(*place) : kUnknown;
      rsp = plus(rsp, 8);
      return effect;
    }
    case ZYDIS_MNEMONIC_XCHG: {
      AtomSet first = read(next, ops[0], state);
      write(next, ops[0], read(next, ops[1], state), state);
      write(next, ops[1], std::move(first), state);
      return effect;
    }
    case ZYDIS_MNEMONIC_CDQE:
      return effect;
    case ZYDIS_MNEMONIC_SYSCALL:
      for (const unsigned n : {0U, 1U, 11U})
        state.registers[n] = kUnknown;
      return effect;
    default:
      break;
  }
  if (in.meta.category == ZYDIS_CATEGORY_CALL) {
    do_call(state);
    return effect;
  }
  if (is_conditional_move(in.mnemonic)) {
    AtomSet both;
    std::ranges::set_union(read(next, ops[0], state), read(next, ops[1], state), std::back_inserter(both));
    write(next, ops[0], std::move(both), state);
    return effect;
  }
  if (move_vector(next, in, ops.data(), state)) return effect;
  for (unsigned i = 0; i < in.operand_count; ++i) {
    if ((ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0) write(next, ops[i], kUnknown, state);
  }
  return effect;
}

}  // namespace uni

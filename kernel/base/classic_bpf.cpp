// SPDX-License-Identifier: Apache-2.0
// The checker and the interpreter of classic BPF. Jumps go forward only, so a program of n instructions takes at most n
// steps.
#include "kernel/base/classic_bpf.hpp"

namespace uni::bpf {

namespace {

enum Class : u16 { kLd, kLdx, kSt, kStx, kAlu, kJmp, kRet, kMisc };
enum Size : u16 { kWord = 0x00, kHalf = 0x08, kByte = 0x10 };
enum Mode : u16 { kImm = 0x00, kAbs = 0x20, kInd = 0x40, kMem = 0x60, kLen = 0x80, kMsh = 0xa0 };
enum Alu : u16 {
  kAdd = 0x00,
  kSub = 0x10,
  kMul = 0x20,
  kDiv = 0x30,
  kOr = 0x40,
  kAnd = 0x50,
  kLsh = 0x60,
  kRsh = 0x70,
  kNeg = 0x80,
  kMod = 0x90,
  kXor = 0xa0
};
enum Jump : u16 { kJa = 0x00, kJeq = 0x10, kJgt = 0x20, kJge = 0x30, kJset = 0x40 };
constexpr u16 kSourceX = 0x08;
constexpr u16 kMshByte = 0xb0;  // kMsh of a kByte
constexpr u16 kReturnA = 0x10;
constexpr u16 kTax = 0x00, kTxa = 0x80;
constexpr u32 kMemoryWords = 16;

constexpr u16 class_of(u16 code) {
  return code & 7;
}

// Is it one of the instructions that there are?
bool known(u16 code) {
  const u16 rest = code & ~u16{7};
  switch (class_of(code)) {
    case kLd:
      if ((rest & 0xe0) == kAbs || (rest & 0xe0) == kInd) return (rest & 0x18) != 0x18 && (rest & ~u16{0xf8}) == 0;
      return rest == kImm || rest == kMem || rest == kLen;
    case kLdx:
      return rest == kImm || rest == kMem || rest == kLen || rest == kMshByte;
    case kSt:
    case kStx:
      return rest == 0;
    case kAlu: {
      const u16 operation = rest & ~kSourceX;
      return operation <= kXor && (operation != kNeg || rest == kNeg);
    }
    case kJmp: {
      const u16 operation = rest & ~kSourceX;
      return operation <= kJset && (operation != kJa || rest == kJa);
    }
    case kRet:
      return rest == 0 || rest == kReturnA;
    default:
      return rest == kTax || rest == kTxa;
  }
}

Result<void> check_one(const Instruction& i, usize left) {
  if (!known(i.code)) return Errno::Invalid;
  const u16 rest = i.code & ~u16{7};
  switch (class_of(i.code)) {
    case kLd:
    case kLdx:
      if (rest == kMem && i.k >= kMemoryWords) return Errno::Invalid;
      return {};
    case kSt:
    case kStx:
      return i.k >= kMemoryWords ? Result<void>(Errno::Invalid) : Result<void>();
    case kAlu: {
      if ((rest & kSourceX) != 0) return {};
      const u16 operation = rest & ~kSourceX;
      if ((operation == kDiv || operation == kMod) && i.k == 0) return Errno::Invalid;
      if ((operation == kLsh || operation == kRsh) && i.k >= 32) return Errno::Invalid;
      return {};
    }
    case kJmp:
      if (rest == kJa) return i.k >= left ? Result<void>(Errno::Invalid) : Result<void>();
      return i.jump_true >= left || i.jump_false >= left ? Result<void>(Errno::Invalid) : Result<void>();
    default:
      return {};
  }
}

struct Machine {
  u32 a = 0, x = 0;
  u32 memory[kMemoryWords] = {};
};

// Gives false where the program ends with 0.
bool load(Machine& m, const Instruction& i, Source& source) {
  const u16 rest = i.code & ~u16{7};
  const bool to_x = class_of(i.code) == kLdx;
  u32& target = to_x ? m.x : m.a;
  const u16 mode = rest & 0xe0;
  if (mode == kImm) target = i.k;
  if (mode == kMem) target = m.memory[i.k];
  if (mode == kLen) target = source.length();
  if (mode == kMsh) {
    u32 byte = 0;
    if (!source.load(i.k, 1, &byte)) return false;
    m.x = (byte & 15) * 4;
  }
  if (mode != kAbs && mode != kInd) return true;
  const u32 size = (rest & 0x18) == kWord ? 4 : ((rest & 0x18) == kHalf ? 2 : 1);
  return source.load(mode == kInd ? i.k + m.x : i.k, size, &m.a);
}

bool compute(Machine& m, const Instruction& i) {
  const u16 rest = i.code & ~u16{7};
  const u32 by = (rest & kSourceX) != 0 ? m.x : i.k;
  switch (rest & ~kSourceX) {
    case kAdd:
      m.a += by;
      return true;
    case kSub:
      m.a -= by;
      return true;
    case kMul:
      m.a *= by;
      return true;
    case kDiv:
      if (by == 0) return false;
      m.a /= by;
      return true;
    case kMod:
      if (by == 0) return false;
      m.a %= by;
      return true;
    case kOr:
      m.a |= by;
      return true;
    case kAnd:
      m.a &= by;
      return true;
    case kXor:
      m.a ^= by;
      return true;
    case kLsh:
      m.a = m.a << (by & 31);
      return true;
    case kRsh:
      m.a = m.a >> (by & 31);
      return true;
    default:
      m.a = 0 - m.a;
      return true;
  }
}

usize jump(const Machine& m, const Instruction& i) {
  const u16 rest = i.code & ~u16{7};
  const u32 with = (rest & kSourceX) != 0 ? m.x : i.k;
  switch (rest & ~kSourceX) {
    case kJa:
      return i.k;
    case kJeq:
      return m.a == with ? i.jump_true : i.jump_false;
    case kJgt:
      return m.a > with ? i.jump_true : i.jump_false;
    case kJge:
      return m.a >= with ? i.jump_true : i.jump_false;
    default:
      return (m.a & with) != 0 ? i.jump_true : i.jump_false;
  }
}

}  // namespace

Result<void> check(Span<const Instruction> program) {
  if (program.empty() || program.size() > kMostInstructions) return Errno::Invalid;
  for (usize at = 0; at < program.size(); ++at)
    TRY(check_one(program[at], program.size() - at - 1));
  return class_of(program[program.size() - 1].code) == kRet ? Result<void>() : Result<void>(Errno::Invalid);
}

Result<void> check_words_only(Span<const Instruction> program, u32 data_size) {
  for (const Instruction& i : program) {
    const u16 rest = i.code & ~u16{7};
    const u16 kind = class_of(i.code);
    if (kind == kAlu && (rest & ~kSourceX) == kMod) return Errno::Invalid;
    if (kind != kLd && kind != kLdx) continue;
    if (rest == kImm || rest == kMem || rest == kLen) continue;
    if (kind != kLd || rest != u16{kAbs} || i.k >= data_size || i.k % 4 != 0) return Errno::Invalid;
  }
  return {};
}

u32 run(Span<const Instruction> program, Source& source) {
  Machine m;
  for (usize at = 0; at < program.size(); ++at) {
    const Instruction& i = program[at];
    switch (class_of(i.code)) {
      case kLd:
      case kLdx:
        if (!load(m, i, source)) return 0;
        break;
      case kSt:
        m.memory[i.k] = m.a;
        break;
      case kStx:
        m.memory[i.k] = m.x;
        break;
      case kAlu:
        if (!compute(m, i)) return 0;
        break;
      case kJmp:
        at += jump(m, i);
        break;
      case kRet:
        return (i.code & kReturnA) != 0 ? m.a : i.k;
      default:
        if ((i.code & kTxa) != 0)
          m.a = m.x;
        else
          m.x = m.a;
    }
  }
  return 0;  // a checked program has returned
}

}  // namespace uni::bpf

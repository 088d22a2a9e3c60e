// SPDX-License-Identifier: Apache-2.0
// A function that calls bind() is read as a whole: which instruction fills which address is not followed, a constant
// that has the form of `struct sockaddr_in` or `sockaddr_in6` (ip(7), ipv6(7)) is taken as one. Port 0, any free port,
// is not told.
#include "loader/analyze/port_search.hpp"

#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "loader/analyze/flow.hpp"

namespace uni {
namespace {

using Kind = CodeEvent::Kind;

constexpr unsigned kInet = 2;    // AF_INET
constexpr unsigned kInet6 = 10;  // AF_INET6

unsigned swapped(unsigned port) {
  return (port >> 8 | port << 8) & 0xffffU;
}

bool is_family(unsigned word) {
  return word == kInet || word == kInet6;
}

std::optional<unsigned> port_of(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535) return std::nullopt;
  return port;
}

// Constants of the form of a socket address in one function's code.
class AddressConstants {
 public:
  explicit AddressConstants(const ElfImage& image) : image_(image) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  }

  void read(std::uint64_t begin, std::uint64_t end) {
    waiting_.clear();
    for (std::uint64_t at = begin; at < end;) {
      const std::string_view code = image_.at(at).substr(0, ZYDIS_MAX_INSTRUCTION_LENGTH);
      ZydisDecodedInstruction in;
      ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
      if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, code.data(), code.size(), &in, ops))) {
        ++at;
        continue;
      }
      at += in.length;
      look(in, ops, at);
    }
  }
  const std::set<unsigned>& ports() const { return ports_; }

 private:
  void address(unsigned family, unsigned port) {
    if (is_family(family) && port != 0) ports_.insert(swapped(port));
  }

  void look(const ZydisDecodedInstruction& in, const ZydisDecodedOperand* ops, std::uint64_t next) {
    if (in.operand_count_visible < 2) return;
    const ZydisDecodedOperand& to = ops[0];
    const ZydisDecodedOperand& from = ops[1];
    const bool store = to.type == ZYDIS_OPERAND_TYPE_MEMORY;
    if (in.mnemonic == ZYDIS_MNEMONIC_MOV && from.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
      const std::uint64_t value = from.imm.value.u;
      // Family and port in one constant, alone or with the address behind them.
      if (to.size == 64 && value > UINT32_MAX && !from.imm.is_signed) address(value & 0xffff, (value >> 16) & 0xffff);
      // In a register it is rather SOCK_DGRAM with a flag.
      if (to.size == 32 && store) address(value & 0xffff, (value >> 16) & 0xffff);
      if (to.size == 16 && store) halves(to.mem, static_cast<unsigned>(value & 0xffff));
    }
    // The beginning, or all 16 bytes, from a constant in memory.
    if (to.type != ZYDIS_OPERAND_TYPE_REGISTER || from.type != ZYDIS_OPERAND_TYPE_MEMORY ||
        from.mem.base != ZYDIS_REGISTER_RIP) {
      return;
    }
    const std::uint64_t place = next + static_cast<std::uint64_t>(from.mem.disp.value);
    const bool vector = to.reg.value >= ZYDIS_REGISTER_XMM0 && to.reg.value <= ZYDIS_REGISTER_XMM15;
    const bool whole = in.mnemonic == ZYDIS_MNEMONIC_MOV && (to.size == 32 || to.size == 64);
    const auto head = image_.read<std::uint32_t>(place);
    const auto zero = image_.read<std::uint64_t>(place + 8);
    if (head && is_constant(place) && (whole || (vector && zero && *zero == 0))) address(*head & 0xffff, *head >> 16);
  }

  bool is_constant(std::uint64_t at) const {
    return std::ranges::any_of(image_.header.segments, [&](const LoadSegment& s) {
      return at >= s.address && at - s.address < s.file_size && (s.flags & 2U) == 0;  // PF_W
    });
  }

  // Family and port stored one after the other, in any order.
  void halves(const ZydisDecodedOperandMem& where, unsigned value) {
    const auto key = [&](std::int64_t by) { return std::pair(where.base, where.disp.value + by); };
    if (const auto family = waiting_.find(key(-2)); family != waiting_.end()) address(family->second, value);
    if (const auto port = waiting_.find(key(2)); port != waiting_.end()) address(value, port->second);
    waiting_[key(0)] = value;
  }

  const ElfImage& image_;
  ZydisDecoder decoder_{};
  std::map<std::pair<ZydisRegister, std::int64_t>, unsigned> waiting_;
  std::set<unsigned> ports_;
};

// One function: its nodes, and the calls in it that matter.
struct Listener {
  std::vector<NodeIndex> nodes;
  std::map<std::uint64_t, std::string> calls;  // by place
  bool binds = false;
};

class PortSearch {
 public:
  explicit PortSearch(const CallGraph& graph) : graph_(graph) {}

  std::vector<PortUse> run() {
    for (std::uint32_t i = 0; i < graph_.objects().size(); ++i) {
      const GraphObject& o = graph_.objects()[i];
      if (!o.c_library && !o.linker) object(o);
    }
    std::vector<PortUse> out;
    for (const auto& [number, evidence] : found_)
      out.push_back({number, evidence});
    for (const std::string& place : open_)
      out.push_back({0, place});
    return out;
  }

 private:
  static bool wanted(const GraphObject& o, const std::string& name) {
    if (name == "bind" || name == "__bind" || name == "getaddrinfo" || name == "htons") return true;
    return o.image.go && (name == "net.Listen" || name == "net.ListenPacket" || name == "net/http.ListenAndServe" ||
                          name == "net/http.ListenAndServeTLS");
  }

  static bool in_stub(const GraphObject& o, std::uint64_t address) {
    return std::ranges::any_of(o.image.stubs, [&](const StubRange& s) { return s.range.holds(address); });
  }

  // The functions that matter: by their place in this object, or by the slot through which another's is called.
  struct Callees {
    std::map<std::uint64_t, std::string> slots;
    std::map<NodeIndex, std::string> nodes;
  };

  static Callees callees(const GraphObject& o) {
    Callees out;
    for (const ImageRelocation& r : o.image.relocations) {
      const ImageSymbol* symbol = o.symbol_of(r);
      if (symbol != nullptr && wanted(o, std::string(symbol->name))) out.slots.emplace(r.where, symbol->name);
    }
    for (const auto* symbols : {&o.image.local, &o.image.dynamic}) {
      for (const ImageSymbol& s : *symbols) {
        if (s.address == 0 || !wanted(o, std::string(s.name))) continue;
        const NodeIndex node = o.node_at(s.address);
        if (node != kNoNode && o.begin_of(node) == s.address) out.nodes.emplace(node, s.name);
      }
    }
    for (const CodeEvent& e : o.scan.events) {
      if (e.kind != Kind::JumpSlot || !in_stub(o, e.at)) continue;
      if (const auto slot = out.slots.find(e.target); slot != out.slots.end())
        out.nodes.emplace(o.node_at(e.at), slot->second);
    }
    return out;
  }

  static std::string callee(const GraphObject& o, const Callees& known, const CodeEvent& e) {
    if (e.kind == Kind::CallSlot || e.kind == Kind::JumpSlot) {
      const auto slot = known.slots.find(e.target);
      return slot == known.slots.end() ? std::string() : slot->second;
    }
    if ((e.kind != Kind::Call && e.kind != Kind::Jump) || known.nodes.empty()) return {};
    const NodeIndex target = o.node_at(e.target);
    const auto node = known.nodes.find(target);
    if (node == known.nodes.end() || (o.begin_of(target) != e.target && !in_stub(o, e.target))) return {};
    return node->second;
  }

  void object(const GraphObject& o) {
    const Callees known = callees(o);
    std::map<NodeIndex, Listener> functions;
    for (const CodeEvent& e : o.scan.events) {
      std::string name = callee(o, known, e);
      if (name.empty() || in_stub(o, e.at)) continue;
      const NodeIndex node = o.node_at(e.at);
      // A jump within the function itself is none to it.
      if (node == kNoNode || !o.reached[node] || o.node_at(e.target) == node) continue;
      Listener& f = functions[o.group[node]];
      f.binds = f.binds || (name != "getaddrinfo" && name != "htons");
      f.calls.emplace(e.at, std::move(name));
    }
    for (auto& [group, f] : functions) {
      if (!f.binds) continue;
      for (NodeIndex n = 0; n < o.group.size(); ++n) {
        if (o.group[n] == group) f.nodes.push_back(n);
      }
      function(o, group, f);
    }
  }

  void function(const GraphObject& o, NodeIndex group, const Listener& f) {
    const std::string place = o.path + ": " + o.name_of(group);
    std::set<unsigned> ports;
    if (!o.image.go) {
      AddressConstants constants(o.image);
      for (const NodeIndex n : f.nodes)
        constants.read(o.begin_of(n), o.end_of(n));
      ports = constants.ports();
    }
    const std::size_t undecided = by_calls(o, f, ports);
    for (const unsigned port : ports)
      found_.emplace(port, place);
    if (undecided != 0 || ports.empty()) {
      // Go's own code below net.Listen binds what its callers name.
      if (o.image.go && ports.empty() && f.calls.begin()->second == "bind") return;
      open_.insert(place + " -> " + f.calls.begin()->second + ": the port is computed at run time");
    }
  }

  // What the arguments of the calls say; how many of them say nothing.
  std::size_t by_calls(const GraphObject& o, const Listener& f, std::set<unsigned>& ports) {
    FlowRequest request;
    request.image = &o.image;
    for (const NodeIndex n : f.nodes)
      request.ranges.push_back({o.begin_of(n), o.end_of(n)});
    request.entries.push_back(request.ranges.front().begin);
    request.no_return = [](std::uint64_t) { return false; };
    request.never_written = [](std::uint64_t) { return false; };
    std::vector<std::uint64_t> places;
    for (const auto& [at, name] : f.calls)
      places.push_back(at);
    std::size_t undecided = 0;
    follow(request, places, [&](std::uint64_t at, const MachineState& state) {
      const std::string& name = f.calls.at(at);
      if (name == "getaddrinfo") {
        for (const Atom& a : state.registers[kRsi]) {
          const auto text = a.kind == Atom::Kind::Constant ? o.image.text_at(static_cast<std::uint64_t>(a.value))
                                                           : std::optional<std::string_view>();
          if (const auto port = text ? port_of(*text) : std::nullopt) ports.insert(*port);
        }
      } else if (name == "htons") {
        for (const Atom& a : state.registers[kRdi]) {
          if (a.kind == Atom::Kind::Constant && (a.value & 0xffff) != 0)
            ports.insert(static_cast<unsigned>(a.value & 0xffff));
        }
      } else if (o.image.go && name != "bind") {
        // An address is a string: its place and its length, in two registers (Go's ABI). A network may come before it.
        const bool second = !name.starts_with("net/http.");
        const AtomSet& text = state.registers[second ? unsigned{kRcx} : unsigned{kRax}];
        const AtomSet& length = state.registers[second ? unsigned{kRdi} : unsigned{kRbx}];
        const auto port = go_port(o.image, text, length);
        port ? void(ports.insert(*port)) : void(++undecided);
      } else {
        for (const Atom& a : state.registers[kRsi]) {
          if (a.kind != Atom::Kind::Constant) continue;
          const auto head = o.image.read<std::uint32_t>(static_cast<std::uint64_t>(a.value));
          if (head && is_family(*head & 0xffff) && *head >> 16 != 0) ports.insert(swapped(*head >> 16));
        }
      }
    });
    return undecided;
  }

  static std::optional<unsigned> go_port(const ElfImage& image, const AtomSet& text, const AtomSet& length) {
    if (text.size() != 1 || length.size() != 1 || text[0].kind != Atom::Kind::Constant ||
        length[0].kind != Atom::Kind::Constant || length[0].value < 0 || length[0].value > 255) {
      return std::nullopt;
    }
    const std::string_view there =
        image.at(static_cast<std::uint64_t>(text[0].value)).substr(0, static_cast<std::size_t>(length[0].value));
    const std::size_t colon = there.rfind(':');
    return colon == std::string_view::npos ? std::nullopt : port_of(there.substr(colon + 1));
  }

  const CallGraph& graph_;
  std::map<unsigned, std::string> found_;  // by port, the first place
  std::set<std::string> open_;
};

}  // namespace

std::vector<PortUse> find_ports(const CallGraph& graph) {
  return PortSearch(graph).run();
}

}  // namespace uni

// SPDX-License-Identifier: Apache-2.0
// Packets: small ones in one slab object with their header, larger ones in pages of their own.
#include "kernel/net/packet.hpp"

#include "kernel/net/core.hpp"

namespace uni::net {

namespace {

constexpr usize kInlineLimit = 1920;  // header and data stay within a 2 KiB slab object

}  // namespace

Packet* Packet::create(usize capacity) {
  if (capacity <= kInlineLimit) {
    const usize rounded = align_up(sizeof(Packet) + capacity, 32);
    void* memory = ::operator new(rounded, std::nothrow);
    if (memory == nullptr) return nullptr;
    Packet* p = new (memory) Packet;
    // SAFETY: the allocation continues behind the header.
    p->data = reinterpret_cast<u8*>(p + 1);
    p->capacity = static_cast<u32>(rounded - sizeof(Packet));
    p->charge = static_cast<u32>(rounded);
    return p;
  }
  void* memory = ::operator new(sizeof(Packet), std::nothrow);
  if (memory == nullptr) return nullptr;
  Packet* p = new (memory) Packet;
  unsigned order = 0;
  while ((kPageSize << order) < capacity)
    ++order;
  // Under fragmentation a smaller block serves: the caller looks at `capacity`.
  for (;; --order) {
    p->pages = order == 0 ? mm::alloc_page(mm::Zero::kNo) : mm::alloc_pages(order, mm::Zero::kNo);
    if (p->pages != nullptr || order == 0) break;
  }
  if (p->pages == nullptr) {
    destroy(p);
    return nullptr;
  }
  p->page_order = static_cast<u8>(order);
  p->data = static_cast<u8*>(mm::address_of(*p->pages));
  p->capacity = static_cast<u32>(kPageSize << order);
  p->charge = p->capacity;
  return p;
}

void Packet::destroy(Packet* packet) {
  if (packet->pages != nullptr) mm::put_page(*packet->pages);
  if (packet->wire != nullptr) release_wire_buffer(packet->wire);
  delete packet->from;
  packet->~Packet();
  ::operator delete(static_cast<void*>(packet));
}

void destroy_all(PacketList& list) {
  while (Packet* p = list.pop_front())
    Packet::destroy(p);
}

}  // namespace uni::net

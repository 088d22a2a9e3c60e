// SPDX-License-Identifier: Apache-2.0
// An array that grows to the highest number used. It holds borrowed pointers: who hides a terminal does so before it
// dies.
#include "kernel/dev/tty/tty_table.hpp"

#include "kernel/base/vector.hpp"

namespace uni::dev::ttys {
namespace {

struct Slot {
  bool used = false;
  Tty* tty = nullptr;
};
// Its memory is made under the lock, so its rank is below the allocator's.
constinit SpinLock table_lock{Rank::kDevice};
alignas(Vector<Slot>) unsigned char storage[sizeof(Vector<Slot>)];
bool ready = false;

Vector<Slot>& slots() {
  auto* all = std::launder(reinterpret_cast<Vector<Slot>*>(storage));
  if (!ready) {
    ready = true;
    new (storage) Vector<Slot>;
  }
  return *all;
}

}  // namespace

Result<u32> reserve() {
  LockGuard guard(table_lock);
  Vector<Slot>& all = slots();
  for (u32 i = 0; i < kMost; ++i) {
    if (i == all.size()) TRY(all.push(Slot{}));
    if (exchange(all[i].used, true)) continue;
    return i;
  }
  return Errno::NoSpace;
}

void release(u32 index) {
  LockGuard guard(table_lock);
  slots()[index] = Slot{};
}

void show(Tty& tty) {
  LockGuard guard(table_lock);
  slots()[tty.index()].tty = &tty;
}

void hide(Tty& tty) {
  LockGuard guard(table_lock);
  slots()[tty.index()].tty = nullptr;
}

RefPtr<Tty> find(u32 index) {
  LockGuard guard(table_lock);
  Vector<Slot>& all = slots();
  if (index >= all.size() || all[index].tty == nullptr || !all[index].tty->try_ref()) return {};
  return RefPtr<Tty>::adopt(all[index].tty);
}

u32 next(u32 from) {
  LockGuard guard(table_lock);
  Vector<Slot>& all = slots();
  while (from < all.size() && all[from].tty == nullptr)
    ++from;
  return from < all.size() ? from : kMost;
}

u32 count() {
  LockGuard guard(table_lock);
  u32 n = 0;
  for (const Slot& slot : slots())
    n += slot.used ? 1 : 0;
  return n;
}

}  // namespace uni::dev::ttys

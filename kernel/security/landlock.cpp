// SPDX-License-Identifier: Apache-2.0
// Rules and domains, and the checks that need no path.
#include "kernel/security/landlock.hpp"

#include "kernel/sched/process.hpp"

namespace uni::landlock {

namespace {
std::atomic<bool> g_bound{false};

// Negative, zero or positive, as for memcmp.
int compare(const fs::Inode& a, const fs::Inode& b) {
  if (&a.file_system() != &b.file_system()) return &a.file_system() < &b.file_system() ? -1 : 1;
  return a.number() == b.number() ? 0 : a.number() < b.number() ? -1 : 1;
}

const Domain* current() {
  return Thread::current().landlock.get();
}
}  // namespace

Holder::~Holder() {
  if (Domain* domain = get()) domain->unref();
}

void Holder::set(Domain* domain) {
  if (domain == nullptr) return;
  domain->ref();
  if (Domain* before = domain_.exchange(domain, std::memory_order_acq_rel)) before->unref();
}

usize Rules::find(const fs::Inode& place) const {
  usize from = 0, to = places_.size();
  while (from < to) {
    const usize middle = from + (to - from) / 2;
    if (compare(*places_[middle].inode, place) < 0)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

Result<void> Rules::allow(fs::Inode& place, u16 access) {
  const usize at = find(place);
  if (at < places_.size() && compare(*places_[at].inode, place) == 0) {
    places_[at].access |= access;
    return {};
  }
  TRY(places_.push({RefPtr<fs::FileSystem>(&place.file_system()), RefPtr<fs::Inode>(&place), access}));
  for (usize i = places_.size() - 1; i > at; --i)
    uni::swap(places_[i], places_[i - 1]);
  return {};
}

Result<void> Rules::allow_port(u16 port, u16 access) {
  for (Port& p : ports_) {
    if (p.port != port) continue;
    p.access |= access;
    return {};
  }
  return ports_.push({port, access});
}

u16 Rules::allowed(const fs::Inode& place) const {
  const usize at = find(place);
  return at < places_.size() && compare(*places_[at].inode, place) == 0 ? places_[at].access : u16{0};
}

u16 Rules::allowed_port(u16 port) const {
  for (const Port& p : ports_) {
    if (p.port == port) return p.access;
  }
  return 0;
}

Result<void> Rules::copy_to(Rules& other) const {
  TRY(other.places_.reserve(places_.size()));
  for (const Place& p : places_)
    TRY(other.places_.push({p.file_system, p.inode, p.access}));
  TRY(other.ports_.reserve(ports_.size()));
  for (const Port& p : ports_)
    TRY(other.ports_.push(p));
  return {};
}

Result<RefPtr<Domain>> Domain::create(const Rules& rules, Domain* below) {
  if (below != nullptr && below->layer_ + 1 == kMostLayers) return Errno::TooBig;
  RefPtr<Domain> domain = TRY(make_ref<Domain>(rules.handled()));
  TRY(rules.copy_to(domain->rules_));
  if (below != nullptr) {
    domain->below_ = RefPtr<Domain>(below);
    domain->layer_ = below->layer_ + 1;
  }
  g_bound.store(true, std::memory_order_relaxed);
  return domain;
}

// A file that gets another parent directory could gain rights by it, so kRefer is always handled.
u16 Domain::handled_fs() const {
  const u16 named = rules_.handled().fs;
  return named != 0 ? static_cast<u16>(named | kRefer) : u16{0};
}

bool Domain::knows_files() const {
  for (const Domain* d = this; d != nullptr; d = d->below()) {
    if (d->handled_fs() != 0) return true;
  }
  return false;
}

bool Domain::within(const Domain& other) const {
  const Domain* d = this;
  while (d != nullptr && d->layer_ > other.layer_)
    d = d->below();
  return d == &other;
}

bool bound() {
  return g_bound.load(std::memory_order_relaxed);
}

RefPtr<Domain> domain_of(Process& process) {
  if (!bound()) return {};
  LockGuard guard(process.lock);
  return process.leader != nullptr ? RefPtr<Domain>(process.leader->landlock.get()) : RefPtr<Domain>();
}

Result<void> check_mount() {
  const Domain* domain = bound() ? current() : nullptr;
  if (domain != nullptr && domain->knows_files()) return Errno::NotPermitted;
  return {};
}

Result<void> check_port(u16 port, NetAccess wanted) {
  for (const Domain* d = bound() ? current() : nullptr; d != nullptr; d = d->below()) {
    if ((d->rules().handled().net & wanted & ~d->rules().allowed_port(port)) != 0) return Errno::Access;
  }
  return {};
}

// The newest layer with that scope decides: it lets its own threads and those of layers upon it reach each other.
Result<void> check_scope(const Domain* other, Scope scope) {
  for (const Domain* d = bound() ? current() : nullptr; d != nullptr; d = d->below()) {
    if ((d->rules().handled().scoped & scope) == 0) continue;
    if (other != nullptr && other->within(*d)) return {};
    return Errno::NotPermitted;
  }
  return {};
}

bool may_trace(const Domain* tracer, const Domain* tracee) {
  return tracer == nullptr || (tracee != nullptr && tracee->within(*tracer));
}

}  // namespace uni::landlock

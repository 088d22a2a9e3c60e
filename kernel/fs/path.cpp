// SPDX-License-Identifier: Apache-2.0
// Path walk. Invariant: whenever the lock is dropped, what at_ points to is kept by held_ or by a local reference.
#include "kernel/fs/path.hpp"

#include "kernel/fs/permission.hpp"
#include "kernel/sched/process.hpp"

namespace uni::fs {

namespace {
// Lets the dentry lock go for a scope.
class Unlocked {
 public:
  Unlocked() { dentry_lock().unlock(); }
  ~Unlocked() { dentry_lock().lock(); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
};
}  // namespace

Walker::~Walker() {
  for (mm::Page* page : link_texts_)
    mm::put_page(*page);
}

Dentry* Walker::root() const {
  return top_ ? top_.get() : start_.context.root_.get();
}

void Walker::hold(RefPtr<Dentry> dentry) {
  held_ = uni::move(dentry);
  at_ = held_.get();
}

Result<void> Walker::go_to_root() {
  if ((flags_ & kBeneath) != 0) return Errno::CrossDevice;
  if ((flags_ & kNoCrossMount) != 0 && root()->mount() != at_->mount()) return Errno::CrossDevice;
  at_ = root();
  return {};
}

Result<void> Walker::begin(StringView path) {
  at_ = start_.base != nullptr ? start_.base : start_.context.cwd_.get();
  if ((flags_ & (kBeneath | kInRoot)) != 0) top_ = RefPtr<Dentry>(at_);
  rest_ = {path.begin(), path.end()};
  if (path.empty()) return (flags_ & kEmptyPath) != 0 ? Result<void>() : Result<void>(Errno::NoEntry);
  if (path[0] == '/') return go_to_root();
  return {};
}

Result<void> Walker::search(Dentry& directory) {
  if (!directory.is_directory()) return Errno::NotDirectory;
  if (start_.who.capable(kCapDacReadSearch) || start_.who.capable(kCapDacOverride)) return {};
  RefPtr<Dentry> keep(&directory);
  const Unlocked unlocked;
  hold(uni::move(keep));
  return check_access(*directory.inode(), start_.who, 1);
}

// "..": stops at the root; from a mount's root it goes on from the covered place.
Result<void> Walker::up() {
  if (at_ == root()) {
    return (flags_ & kBeneath) != 0 ? Result<void>(Errno::CrossDevice) : Result<void>();
  }
  while (at_->parent() == nullptr && at_ != root() && at_->mount() != nullptr && at_->mount()->at) {
    if ((flags_ & kNoCrossMount) != 0) return Errno::CrossDevice;
    at_ = at_->mount()->at.get();
  }
  if (at_ != root() && at_->parent() != nullptr) at_ = at_->parent();
  return down();
}

Result<void> Walker::down() {
  if (at_->mounted != nullptr && (flags_ & kNoCrossMount) != 0) return Errno::CrossDevice;
  at_ = topmost(at_);
  return {};
}

Result<Dentry*> Walker::child(StringView name, u32 hash) {
  if (name.size() > kNameMax) return Errno::NameTooLong;
  Dentry* cached = DentryCache::find(*at_, name, hash);
  if (cached != nullptr && (at_->caches_children() || cached->pins != 0)) return cached;
  RefPtr<Dentry> directory(at_);
  const Unlocked unlocked;
  Result<RefPtr<Dentry>> found = [&] {
    LockGuard guard(directory->inode()->lock);
    return DentryCache::lookup(*directory, name, hash);
  }();
  if (!found.ok()) {
    hold(uni::move(directory));
    return found.error();
  }
  held_ = found.take();
  return held_.get();
}

// Where a link leads: a jump, or text that is put into a page of link_texts_.
Result<usize> Walker::read_target(Inode& link, RefPtr<Dentry>& jump) {
  jump = TRY(link.follow_magic());
  if (jump) {
    if ((flags_ & kNoMagicLinks) != 0) return Errno::Loop;
    if ((flags_ & (kBeneath | kInRoot)) != 0) return Errno::CrossDevice;
    return usize{0};
  }
  TRY(link_texts_.reserve(link_texts_.size() + 1));
  TRY(pending_.reserve(pending_.size() + 1));
  mm::Page* text = mm::alloc_page(mm::Zero::kNo);
  if (text == nullptr) return Errno::NoMemory;
  MUST(link_texts_.push(text));  // room was reserved
  const usize length = TRY(link.read_link({static_cast<char*>(mm::address_of(*text)), kPathMax}));
  if (length == 0) return Errno::NoEntry;
  return length;
}

// Replaces the current place by the link's target: a jump, or text that is walked before the rest.
Result<void> Walker::follow(Dentry& link, bool last) {
  if (++links_ > kMostLinks || (flags_ & kNoSymlinks) != 0) return Errno::Loop;
  if (link.mount() != nullptr && link.mount()->has(kMountNoSymfollow)) return Errno::Loop;
  RefPtr<Dentry> directory(at_);
  RefPtr<Dentry> keep(&link);
  usize length = 0;
  {
    const Unlocked unlocked;
    RefPtr<Dentry> jump;
    const Result<void> allowed = last ? may_follow(*directory->inode(), *link.inode(), start_.who) : Result<void>();
    Result<usize> got = allowed.ok() ? read_target(*link.inode(), jump) : Result<usize>(allowed.error());
    keep = nullptr;
    hold(jump ? uni::move(jump) : uni::move(directory));
    directory = nullptr;
    length = TRY(uni::move(got));
  }
  if (length == 0) return {};
  if (rest_.at != rest_.end) MUST(pending_.push(rest_));  // room was reserved
  const char* begin = static_cast<const char*>(mm::address_of(*link_texts_.back()));
  rest_ = {begin, begin + length};
  return begin[0] == '/' ? go_to_root() : Result<void>();
}

Result<void> Walker::run(LastName* stop) {
  for (;;) {
    while (rest_.at != rest_.end && *rest_.at == '/')
      ++rest_.at;
    if (rest_.at == rest_.end) {
      if (pending_.empty()) break;
      rest_ = pending_.back();
      pending_.pop();
      continue;
    }
    TRY(search(*at_));
    const char* begin = rest_.at;
    u32 hash = 0;
    while (rest_.at != rest_.end && *rest_.at != '/')
      hash = hash_step(hash, *rest_.at++);
    const StringView name(begin, static_cast<usize>(rest_.at - begin));
    const bool slash = rest_.at != rest_.end;
    while (rest_.at != rest_.end && *rest_.at == '/')
      ++rest_.at;
    const bool last = rest_.at == rest_.end && pending_.empty();
    if (last && slash) must_be_directory_ = true;
    const bool dot = name.size() == 1 && begin[0] == '.';
    const bool dot_dot = name.size() == 2 && begin[0] == '.' && begin[1] == '.';
    if (last && stop != nullptr) {
      using Kind = LastName::Kind;
      stop->name = name;
      stop->hash = hash;
      stop->kind = dot ? Kind::kDot : dot_dot ? Kind::kDotDot : Kind::kNormal;
      return {};
    }
    if (dot) continue;
    if (dot_dot) {
      TRY(up());
      continue;
    }
    Dentry* next = TRY(child(name, hash));
    if (next->inode() == nullptr) return Errno::NoEntry;
    if (next->is_symlink() && (!last || must_be_directory_ || (flags_ & kFollow) != 0)) {
      TRY(follow(*next, last));
      continue;
    }
    at_ = next;
    TRY(down());
  }
  if (stop != nullptr) stop->kind = LastName::Kind::kRoot;
  if ((must_be_directory_ || (flags_ & kMustBeDirectory) != 0) && !at_->is_directory()) return Errno::NotDirectory;
  return {};
}

Result<RefPtr<Dentry>> Walker::walk(StringView path) {
  RefPtr<Dentry> found;
  dentry_lock().lock();
  Result<void> walked = begin(path);
  if (walked.ok()) walked = run(nullptr);
  if (walked.ok()) {
    found = RefPtr<Dentry>(at_);
    Mount* const mount = at_->mount();
    if (mount != nullptr && (flags_ & kKeepExpiry) == 0 && mount->expiring.load(std::memory_order_relaxed)) [[unlikely]]
      mount->expiring.store(false, std::memory_order_relaxed);
  }
  dentry_lock().unlock();
  held_ = nullptr;
  if (!walked.ok()) return walked.error();
  return found;
}

Result<LastName> Walker::finish_parent(Result<void> walked, LastName& last) {
  if (walked.ok()) last.directory = RefPtr<Dentry>(at_);
  dentry_lock().unlock();
  held_ = nullptr;
  if (!walked.ok()) return walked.error();
  last.slash = must_be_directory_;
  return uni::move(last);
}

Result<LastName> Walker::to_parent(StringView path) {
  LastName last;
  dentry_lock().lock();
  Result<void> walked = begin(path);
  if (walked.ok()) walked = run(&last);
  return finish_parent(uni::move(walked), last);
}

Result<LastName> Walker::follow_last(const LastName& previous, Dentry& link) {
  LastName last;
  dentry_lock().lock();
  at_ = previous.directory.get();
  Result<void> walked = follow(link, true);
  if (walked.ok()) walked = run(&last);
  return finish_parent(uni::move(walked), last);
}

Result<RefPtr<Dentry>> lookup(const PathStart& start, StringView path, u32 flags) {
  Walker walker(start, flags);
  return walker.walk(path);
}

Result<StringView> path_of(Dentry& dentry, Dentry* root, Span<char> buffer) {
  char* at = buffer.data() + buffer.size();
  const auto put = [&](StringView text) {
    if (static_cast<usize>(at - buffer.data()) < text.size()) return false;
    at -= text.size();
    __builtin_memcpy(at, text.data(), text.size());
    return true;
  };
  LockGuard guard(dentry_lock());
  const Dentry* d = &dentry;
  bool fits = !dentry.deleted() || put(" (deleted)"_sv);
  const char* const suffix = at;
  bool reached = false;
  while (fits) {
    if (d == root) {
      reached = true;
      break;
    }
    if (d->parent() != nullptr) {
      fits = put(d->name()) && put("/"_sv);
      d = d->parent();
    } else if (d->mount() != nullptr && d->mount()->at) {
      d = d->mount()->at.get();
    } else {
      // The top of the tree; what has no mount shows its name alone ("pipe:[12]", "/memfd:name").
      reached = root == nullptr || d->mount() == nullptr;
      if (d->mount() == nullptr) fits = put(d->name());
      break;
    }
  }
  if (fits && at == suffix && d->mount() != nullptr) fits = put("/"_sv);
  if (fits && !reached) fits = put("(unreachable)"_sv);
  if (!fits) return Errno::Range;
  return StringView(at, static_cast<usize>(buffer.data() + buffer.size() - at));
}

}  // namespace uni::fs

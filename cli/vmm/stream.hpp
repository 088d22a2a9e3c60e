// SPDX-License-Identifier: Apache-2.0
// A descriptor in the loop with separate interest in reading and writing, and a pump that moves bytes from one stream
// to another with at most one buffer in flight, so a slow reader stops the writer (flow control end to end).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cli/vmm/loop.hpp"

namespace uni::vmm {

class Stream {
 public:
  enum class Io { kDone, kAgain, kEnd, kError };
  struct Result {
    Io io;
    std::size_t count;
  };

  // Owns `fd`.
  Stream(Loop& loop, Fd fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // One of this process's own standard descriptors. Its open file description is shared with other processes, so its
  // flags are not touched: a pipe or a terminal is opened once more, without blocking, through /proc; where that is
  // refused, it is written in pieces that cannot block (PIPE_BUF, pipe(7)). `fd` itself stays open.
  static std::unique_ptr<Stream> standard(Loop& loop, int fd, int open_mode);

  int fd() const { return fd_.get(); }
  bool open() const { return static_cast<bool>(fd_); }
  void close();
  // No more bytes will be written; what was written still arrives. A socket only.
  void shut_writing();

  void on_readable(std::function<void()> handler) { readable_ = std::move(handler); }
  void on_writable(std::function<void()> handler) { writable_ = std::move(handler); }
  // The other side is gone altogether; told once, whatever the interest.
  void on_hangup(std::function<void()> handler) { hangup_ = std::move(handler); }
  void want_read(bool on);
  void want_write(bool on);

  // Neither blocks.
  Result read(char* to, std::size_t size);
  Result write(std::string_view bytes);
  // The errno of the last write that gave kError, else 0.
  int write_error() const { return write_error_; }

 private:
  enum class Kind { kNonBlocking, kSocket, kPieces, kFile };
  void update();
  void handle(std::uint32_t events);

  Loop& loop_;
  Fd fd_;
  Kind kind_ = Kind::kNonBlocking;
  Loop::WatchId watch_ = 0;
  int write_error_ = 0;
  bool read_on_ = false;
  bool write_on_ = false;
  std::function<void()> readable_;
  std::function<void()> writable_;
  std::function<void()> hangup_;
};

class Pump {
 public:
  // Moves bytes from `from` to `to` until one of them ends. Both outlive the pump.
  Pump(Stream& from, Stream& to);
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // The source ended and all its bytes were written.
  void on_end(std::function<void()> handler) { ended_ = std::move(handler); }
  // The destination takes no more (EPIPE, reset). Nothing more is read.
  void on_refused(std::function<void()> handler) { refused_ = std::move(handler); }
  // Sees every byte that was read, before it is written.
  void on_bytes(std::function<void(std::string_view)> handler) { seen_ = std::move(handler); }
  // A read failed for a reason other than the end (EIO from a terminal in the background). Default: as the end.
  void on_read_error(std::function<void()> handler) { read_error_ = std::move(handler); }
  // Begins, and after pause() goes on.
  void start();
  void pause();
  bool done() const { return done_; }
  // Bytes wait for the destination.
  bool blocked() const { return written_ < waiting_.size(); }

 private:
  void pull();
  void push();
  void finish(const std::function<void()>& handler);

  Stream& from_;
  Stream& to_;
  std::string waiting_;  // read and not yet written
  std::size_t written_ = 0;
  bool done_ = false;
  bool paused_ = true;
  std::function<void()> ended_;
  std::function<void()> refused_;
  std::function<void()> read_error_;
  std::function<void(std::string_view)> seen_;
};

}  // namespace uni::vmm

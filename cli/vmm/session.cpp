// SPDX-License-Identifier: Apache-2.0
// The session ends when QEMU is gone and every channel from it is drained to its end: no output is lost, however slow
// its reader is. Nothing is buffered beyond one piece for each channel; a reader that stands still stops the guest.
#include "cli/vmm/session.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>

#include "cli/report/report.hpp"
#include "cli/vmm/control.hpp"
#include "cli/vmm/preload.hpp"
#include "cli/vmm/process.hpp"
#include "cli/vmm/qemu_args.hpp"
#include "cli/vmm/signals.hpp"
#include "cli/vmm/stream.hpp"
#include "cli/vmm/terminal.hpp"

namespace uni::vmm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLinger{3000};      // from the program's end to the machine's, while nothing moves
constexpr milliseconds kInsistence{2000};  // three interrupts within this time end the machine
constexpr std::size_t kInsistenceCount = 3;
constexpr char kEscape = 0x1d;  // ^]: what ^C is to a session, where the guest gets ^C itself
constexpr std::size_t kStderrKept = 4096;

class Session {
 public:
  Session(Loop& loop, const SessionOptions& options)
      : loop_(loop),
        options_(options),
        log_(options.log, options.trace, [this](std::string_view text) { show(text); }) {}

  Expected<int> run(MachineSpec spec) {
    if (options_.stdio == Stdio::kTerminal) {
      auto terminal = RawTerminal::enter();
      if (!terminal) return std::unexpected(terminal.error());
      terminal_.emplace(std::move(*terminal));
    }
    signals_.emplace(loop_, [this](int number) { arrived(number); });
    if (!signals_->valid()) return system_failure("cannot take signals");
    if (auto ok = start(std::move(spec)); !ok) return std::unexpected(ok.error());
    loop_.run();
    terminal_.reset();
    return verdict();
  }

 private:
  // Opens a channel to QEMU; gives QEMU's end.
  Expected<int> channel(std::unique_ptr<Stream>& ours) {
    auto pair = socket_pair();
    if (!pair) return std::unexpected(pair.error());
    ours = std::make_unique<Stream>(loop_, std::move(pair->ours));
    const int number = pair->theirs.get();
    theirs_.push_back(std::move(pair->theirs));
    return number;
  }

  Expected<void> start(MachineSpec spec) {
    const bool tty = options_.stdio == Stdio::kTerminal;
    auto log = channel(log_port_);
    if (!log) return std::unexpected(log.error());
    spec.log_fd = *log;
    std::vector<std::pair<const char*, std::unique_ptr<Stream>*>> ports{{"uni.control", &control_port_}};
    if (tty) {
      ports.emplace_back("uni.tty", &out_port_);
    } else {
      ports.emplace_back("uni.stdin", &in_port_);
      ports.emplace_back("uni.stdout", &out_port_);
      ports.emplace_back("uni.stderr", &err_port_);
    }
    for (auto& [name, port] : ports) {
      auto fd = channel(*port);
      if (!fd) return std::unexpected(fd.error());
      spec.channels.push_back({name, *fd});
    }
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return system_failure("cannot make a pipe");
    ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
    qemu_stderr_ = std::make_unique<Stream>(loop_, Fd(pipe[0]));
    const Fd theirs(pipe[1]);

    Process::Options child;
    child.standard_error = theirs.get();
    for (const Fd& fd : theirs_)
      child.keep.push_back(fd.get());
    for (const int fd :
         {spec.kernel_fd, spec.config_fd, spec.image_fd, spec.overlay_fd, spec.network.fd, spec.gdb_fd}) {
      if (fd >= 0) child.keep.push_back(fd);
    }
    Fd library;
    if (spec.network.kind == Network::Kind::kUser) {
      auto made = preload_library();
      if (!made) return std::unexpected(made.error());
      library = std::move(*made);
      child.keep.push_back(library.get());
      child.environment = preload_environment(library.get(), spec.network.loopback);
    }
    auto started = Process::start(qemu_arguments(options_.qemu, spec), child);
    if (!started) return std::unexpected(started.error());
    qemu_.emplace(std::move(*started));
    theirs_.clear();
    debugged_ = spec.gdb_fd >= 0;
    wire();
    return {};
  }

  void wire() {
    drain(*log_port_, [this](std::string_view bytes) { log_bytes(bytes); });
    drain(*control_port_, [this](std::string_view bytes) { control_bytes(bytes); });
    drain(*qemu_stderr_, [this](std::string_view bytes) { qemu_said(bytes); });
    control_port_->on_writable([this] { send_control(); });
    input_ = Stream::standard(loop_, STDIN_FILENO, O_RDONLY);
    relay(*out_port_, STDOUT_FILENO, output_, out_pump_);
    if (err_port_) relay(*err_port_, STDERR_FILENO, error_output_, err_pump_);
    relay_input(in_port_ ? *in_port_ : *out_port_);
  }

  // Reads a channel to its end into memory-bounded consumers.
  void drain(Stream& port, std::function<void(std::string_view)> consume) {
    ++outputs_;
    port.on_readable([this, &port, consume = std::move(consume)] {
      static thread_local std::array<char, 16384> buffer;
      const Stream::Result got = port.read(buffer.data(), buffer.size());
      if (got.io == Stream::Io::kAgain) return;
      moved_ = true;
      if (got.io == Stream::Io::kDone) return consume({buffer.data(), got.count});
      port.close();
      output_ended();
    });
    port.want_read(true);
  }

  void relay(Stream& port, int standard, std::unique_ptr<Stream>& to, std::unique_ptr<Pump>& pump) {
    to = Stream::standard(loop_, standard, O_WRONLY);
    if (!to) return port.close();  // closed by whoever started us
    ++outputs_;
    pump = std::make_unique<Pump>(port, *to);
    pump->on_bytes([this](std::string_view) { moved_ = true; });
    const auto over = [this, standard, &port, &to] {
      // Nobody misses what a reader that went away has not read; what a full disk has not taken is lost.
      const int error = to->write_error();
      if (error != 0 && error != EPIPE && error != ECONNRESET && !output_lost_) output_lost_ = {standard, error};
      // A closed reader closes the guest's port: the program there sees what a closed pipe does (EPIPE).
      port.close();
      to->close();
      output_ended();
    };
    pump->on_end(over);
    pump->on_refused(over);
    pump->start();
  }

  void relay_input(Stream& port) {
    if (!input_) return port.shut_writing();
    in_pump_ = std::make_unique<Pump>(*input_, port);
    in_pump_->on_end([this, &port] {
      input_->close();
      port.shut_writing();
    });
    in_pump_->on_refused([this] { input_->close(); });
    // In the background of a terminal reads fail; SIGCONT begins anew (job control, signal(7)).
    in_pump_->on_read_error([this] { in_pump_->pause(); });
    if (terminal_) in_pump_->on_bytes([this](std::string_view bytes) { watch_escape(bytes); });
    in_pump_->start();
  }

  void show(std::string_view line) const {
    if (!terminal_) return write_all(STDERR_FILENO, line);
    write_all(STDERR_FILENO, std::string(line.substr(0, line.size() - 1)) + "\r\n");  // raw mode adds no return
  }

  void log_bytes(std::string_view bytes) {
    log_.feed(bytes);
    if (log_.panicked() && !debugged_) log_.panic_ended() ? end_machine() : await_end();
  }

  void control_bytes(std::string_view bytes) {
    guest_.feed(bytes);
    if (guest_.status()) await_end();
  }

  void qemu_said(std::string_view bytes) {
    if (options_.log == LogLevel::kVerbose) write_all(STDERR_FILENO, bytes);
    qemu_text_.append(bytes);
    if (qemu_text_.size() > kStderrKept) qemu_text_.erase(0, qemu_text_.size() - kStderrKept);
  }

  void send_control() {
    if (control_port_->open() && !to_guest_.empty()) {
      const Stream::Result sent = control_port_->write(to_guest_);
      to_guest_.erase(0, sent.io == Stream::Io::kError ? to_guest_.size() : sent.count);
    }
    control_port_->want_write(!to_guest_.empty());
  }

  void tell(const std::string& line) {
    if (to_guest_.size() < 65536) to_guest_ += line;  // a guest that does not listen gets no more
    send_control();
  }

  void arrived(int number) {
    switch (number) {
      case SIGCHLD:
        return child_changed();
      case SIGTSTP:
        return stop_and_go();
      case SIGWINCH: {
        if (!terminal_) return tell(signal_line(number));
        const WindowSize size = window_size();
        return tell(winsize_line(size.rows, size.columns));
      }
      case SIGCONT:
        if (in_pump_ && input_->open()) in_pump_->start();
        return tell(signal_line(number));
      default:
        break;
    }
    if (!qemu_->running()) return give_up(number);  // only the output's reader is awaited
    if (number == SIGINT || number == SIGTERM || number == SIGQUIT) {
      told_to_end_ = true;
      insist(number);
    }
    tell(signal_line(number));
  }

  // The user insists: a guest that does not react is ended.
  void insist(int number) {
    const auto now = Loop::Clock::now();
    insistence_.push_back(now);
    while (now - insistence_.front() > kInsistence)
      insistence_.pop_front();
    if (insistence_.size() >= kInsistenceCount) give_up(number);
  }

  void watch_escape(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == kEscape) insist(SIGTERM);
    }
  }

  void give_up(int number) {
    forced_ = 128 + number;
    end_machine();
    loop_.stop();
  }

  void end_machine() { qemu_->signal(SIGKILL); }

  // The whole machine stops with us, as a process would.
  void stop_and_go() {
    qemu_->signal(SIGSTOP);
    if (terminal_) terminal_->restore();
    ::kill(::getpid(), SIGSTOP);
    if (terminal_) terminal_->again();
    qemu_->signal(SIGCONT);
  }

  void child_changed() {
    if (qemu_->running()) return;
    if (input_) input_->close();
    finish_if_done();
  }

  void output_ended() {
    --outputs_;
    finish_if_done();
  }

  void finish_if_done() {
    if (outputs_ == 0 && !qemu_->running()) loop_.stop();
  }

  // The machine powers off next. One that does not is ended once nothing has moved for a while.
  void await_end() {
    if (awaiting_) return;
    awaiting_ = true;
    moved_ = false;
    loop_.after(kLinger, [this] {
      awaiting_ = false;
      const bool blocked = (out_pump_ && out_pump_->blocked()) || (err_pump_ && err_pump_->blocked());
      if (moved_ || blocked || debugged_) return await_end();
      end_machine();
    });
  }

  // The guest's lines as they came (docs/IMAGE.md, "Control lines"). A log that cannot be written is a warning: the
  // program has run.
  void write_run_log() const {
    if (options_.run_log.empty()) return;
    std::string text = "# What the program lacked; `uni pack --learn FILE` adds it.\n";
    for (const std::string& line : guest_.log_lines())
      text += line + "\n";
    const Fd file(::open(options_.run_log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    const auto size = static_cast<ssize_t>(text.size());
    if (!file || ::write(file.get(), text.data(), text.size()) != size)
      report::warning(fmt::format("{}: the log cannot be written", options_.run_log));
  }

  // By a signal or a key. What ends by another signal than the user's has crashed.
  bool ended_by_user() const {
    const int status = guest_.status().value_or(0);
    const bool by_key = status == 128 + SIGINT || status == 128 + SIGQUIT;
    if (guest_.refused()) return false;
    return (options_.stdio == Stdio::kTerminal && by_key) ||
           (told_to_end_ && (status < 128 || by_key || status == 128 + SIGTERM));
  }

  Expected<int> verdict() {
    log_.end();
    write_run_log();
    if (forced_) return *forced_;
    if (log_.panicked()) {
      return fail({.what = "the kernel panicked",
                   .where = {},
                   .why = "the lines above say where",
                   .hint = "please report it with those lines and the command",
                   .code = ExitCode::kRunFailed});
    }
    if (output_lost_) {
      const bool was_output = output_lost_->standard == STDOUT_FILENO;
      const int printed = report::error({.what = "the program's output cannot be written",
                                         .where = was_output ? "standard output" : "standard error",
                                         .why = std::strerror(output_lost_->error),
                                         .hint = "what came after that is lost",
                                         .code = ExitCode::kRunFailed});
      const int status = guest_.status().value_or(0);
      return status != 0 ? status : printed;
    }
    if (guest_.status() && *guest_.status() == 0 && !guest_.refused()) {
      // Where the user has ended it, nobody is surprised.
      if (!guest_.left_running().empty() && !told_to_end_) report::hint(guest_.left_running());
      return 0;
    }
    if (!ended_by_user()) {
      for (const std::string& hint : guest_.hints(options_.found_elsewhere))
        report::hint(hint);
    }
    if (guest_.refused()) {
      const int printed = report::error(*guest_.refused());
      return guest_.status().value_or(printed);
    }
    if (guest_.status()) return *guest_.status();
    return fail({.what = "the machine ended without an exit status",
                 .where = {},
                 .why = end_of_qemu(),
                 .hint = options_.log == LogLevel::kVerbose ? "" : "`--verbose` shows the kernel's messages",
                 .code = ExitCode::kRunFailed});
  }

  // QEMU's own last line, or how it ended.
  std::string end_of_qemu() const {
    std::string text = qemu_text_;
    while (!text.empty() && text.back() == '\n')
      text.pop_back();
    if (!text.empty()) return text.substr(text.find_last_of('\n') + 1);
    const int status = qemu_->wait_status().value_or(0);
    if (WIFSIGNALED(status)) return fmt::format("QEMU was ended by signal {}", WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? "it was reset or powered off"
                                    : fmt::format("QEMU ended with status {}", WEXITSTATUS(status));
  }

  Loop& loop_;
  const SessionOptions& options_;
  KernelLog log_;
  GuestReport guest_;
  std::optional<RawTerminal> terminal_;
  std::optional<Signals> signals_;
  std::vector<Fd> theirs_;
  std::unique_ptr<Stream> log_port_, control_port_, in_port_, out_port_, err_port_, qemu_stderr_;
  std::unique_ptr<Stream> input_, output_, error_output_;
  std::unique_ptr<Pump> in_pump_, out_pump_, err_pump_;
  std::optional<Process> qemu_;
  std::string qemu_text_;
  std::string to_guest_;
  std::deque<Loop::Clock::time_point> insistence_;
  std::optional<int> forced_;
  struct OutputLost {
    int standard;
    int error;
  };
  std::optional<OutputLost> output_lost_;
  bool told_to_end_ = false;  // by a signal
  int outputs_ = 0;
  bool debugged_ = false;
  bool awaiting_ = false;
  bool moved_ = false;
};

}  // namespace

Expected<int> run_session(Loop& loop, MachineSpec spec, const SessionOptions& options) {
  return Session(loop, options).run(std::move(spec));
}

}  // namespace uni::vmm

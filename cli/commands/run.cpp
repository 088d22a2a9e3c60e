// SPDX-License-Identifier: Apache-2.0
// `uni run`: checks the flags, opens the image, writes the run's own records over the image's boot configuration, and
// hands all to cli/vmm. Before QEMU starts only the image's tables and its kernel are read, never the root.
#include "cli/commands/run.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "cli/commands/commands.hpp"
#include "cli/commands/search_path.hpp"
#include "cli/image/reader.hpp"
#include "cli/report/report.hpp"
#include "cli/vmm/accel.hpp"
#include "cli/vmm/kernel_file.hpp"
#include "cli/vmm/network.hpp"
#include "cli/vmm/overlay.hpp"
#include "cli/vmm/parse.hpp"
#include "cli/vmm/process.hpp"
#include "cli/vmm/qemu_args.hpp"
#include "cli/vmm/session.hpp"
#include "cli/vmm/terminal.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

using vmm::Fd;

// Every failure of `uni run` is 125, also where the image reader calls it bad input.
std::unexpected<Diagnostic> as_run_failure(Diagnostic d) {
  d.code = ExitCode::kRunFailed;
  return fail(std::move(d));
}

Expected<std::string> find_qemu() {
  // UNI_QEMU names another build of QEMU.
  const char* chosen = std::getenv("UNI_QEMU");
  const std::string name = chosen != nullptr && *chosen != '\0' ? chosen : "qemu-system-x86_64";
  std::string path = vmm::find_program(name);
  if (!path.empty()) return path;
  return fail({.what = "QEMU is missing",
               .where = name,
               .why = chosen != nullptr ? "UNI_QEMU names no program" : "it is not in $PATH",
               .hint = "install the package qemu-system-x86 (`apt install qemu-system-x86`)",
               .code = ExitCode::kRunFailed});
}

std::string hex_seed() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  std::string text;
  for (const unsigned char byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

std::string now_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{}", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
}

// Docker's rule: arguments on the command line replace the default ones, the program's name stays.
void set_arguments(BootConfig& config, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return;
  const std::vector<std::string_view> now = config.all("arg");
  const std::string name(now.empty() ? config.get("program").value_or("") : now.front());
  config.remove("arg");
  config.add("arg", name);
  for (const std::string& argument : arguments)
    config.add("arg", argument);
}

// `-e NAME` without a value takes it from our own environment, as Docker's does.
Expected<void> set_environment(BootConfig& config, const std::vector<std::string>& assignments) {
  for (const std::string& text : assignments) {
    if (text.empty() || text.front() == '=') {
      return fail({.what = "cannot use `-e " + text + "`",
                   .where = {},
                   .why = "there is no name",
                   .hint = "write `-e NAME=VALUE`",
                   .code = ExitCode::kRunFailed});
    }
    if (text.find('=') != std::string::npos) {
      config.set_env(text);
    } else if (const char* value = std::getenv(text.c_str())) {
      config.set_env(text + "=" + value);
    }
  }
  return {};
}

struct Debugger {
  Fd listener;
  unsigned port = 0;
};

// A loopback port on which QEMU awaits the debugger.
Expected<Debugger> debugger_port() {
  Debugger made{Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  // SAFETY: the socket calls take every address family as a sockaddr (ip(7)).
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!made.listener || ::bind(made.listener.get(), generic, length) != 0 ||
      ::getsockname(made.listener.get(), generic, &length) != 0) {
    return vmm::system_failure("cannot open a port for the debugger");
  }
  made.port = ntohs(address.sin_port);
  return made;
}

void set_run_records(BootConfig& config, const RunOptions& options, const vmm::MachineSpec& spec) {
  for (std::size_t i = 0; i < spec.shares.size(); ++i) {
    const vmm::Share& share = spec.shares[i];
    config.add("mount", fmt::format("9p:{}:{}:{}", vmm::share_tag(i), share.target,
                                    share.access == vmm::Share::Access::kReadOnly ? "ro" : "rw"));
  }
  if (options.terminal) {
    const vmm::WindowSize size = vmm::window_size();
    config.set("stdio", "tty");
    config.set("rows", fmt::format("{}", size.rows));
    config.set("cols", fmt::format("{}", size.columns));
  }
  if (options.verbose) config.set("log", "verbose");
  if (options.strace) config.set("trace", "strace");
  config.set("seed", hex_seed());
  config.set("time", now_nanoseconds());
}

// A machine gets a network where the image asks for one, a port is published, or the user says so.
vmm::NetworkChoice network_choice(const RunOptions& options, const BootConfig& config,
                                  const std::vector<vmm::Publish>& published) {
  if (options.network == "none") return vmm::NetworkChoice::kNone;
  if (options.network == "passt") return vmm::NetworkChoice::kPasst;
  const bool wanted = !published.empty() || config.get("net").value_or("none") != "none";
  return wanted || options.network != "auto" ? vmm::NetworkChoice::kUser : vmm::NetworkChoice::kNone;
}

// The kernel's ELF file: the image's own, or the file that `--kernel` names.
Expected<Fd> kernel_file(const RunOptions& options, const ImageInfo& image, int image_fd) {
  if (options.kernel.empty()) return vmm::memory_copy("kernel", image_fd, image.kernel.offset, image.kernel.size);
  auto file = InputFile::open(options.kernel);
  if (!file) return as_run_failure(file.error());
  if (auto ok = vmm::check_kernel(*file); !ok) return as_run_failure(ok.error());
  return vmm::memory_copy("kernel", file->fd(), 0, file->size());
}

// What the user names, as an image: itself, or what it packs to.
Expected<ImageInfo> image_of(const std::string& subject,
                             const std::function<Expected<std::filesystem::path>(const std::string&)>& image_for) {
  if (looks_like_image(subject)) return open_image(subject);
  // Something that was an image once gets the reader's explanation, not the packer's.
  if (subject.ends_with(".img")) return open_image(subject);
  auto cached = image_for(subject);
  if (!cached) return std::unexpected(cached.error());
  return open_image(*cached);
}

// The flags, and where there are none, what the image was packed with.
struct Choices {
  vmm::MachineSpec spec;
  std::vector<vmm::Publish> published;
};

Expected<Choices> choose(const RunOptions& options, const BootConfig& config) {
  Choices made;
  const std::string packed_memory(config.get("x-memory").value_or("128M"));
  auto memory = vmm::parse_memory(options.memory.empty() ? packed_memory : options.memory);
  if (!memory) return std::unexpected(memory.error());
  made.spec.memory = *memory;
  made.spec.processors = options.processors;
  if (made.spec.processors == 0) {
    const std::string packed(config.get("x-cpus").value_or("1"));
    made.spec.processors = static_cast<unsigned>(std::clamp(std::strtoul(packed.c_str(), nullptr, 10), 1UL, 255UL));
  }
  made.spec.machine = options.machine == "q35" ? vmm::Machine::kQ35 : vmm::Machine::kMicrovm;
  made.spec.entropy = options.entropy;
  const auto or_packed = [&config](const std::vector<std::string>& flags, std::string_view key) {
    const auto packed = config.all(key);
    return flags.empty() ? std::vector<std::string>(packed.begin(), packed.end()) : flags;
  };
  for (const std::string& text : or_packed(options.publish, "x-publish")) {
    auto publish = vmm::parse_publish(text);
    if (!publish) return std::unexpected(publish.error());
    made.published.push_back(std::move(*publish));
  }
  for (const std::string& text : or_packed(options.shares, "x-volume")) {
    auto share = vmm::parse_share(text);
    if (!share) return std::unexpected(share.error());
    made.spec.shares.push_back(std::move(*share));
  }
  return made;
}

// A log that could not be written is better known before the program runs.
Expected<void> check_log(const std::string& path) {
  if (path.empty()) return {};
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (::access(path.c_str(), W_OK) == 0) return {};
  if (errno != ENOENT || ::access(parent.empty() ? "." : parent.c_str(), W_OK | X_OK) != 0)
    return vmm::system_failure("the log cannot be written", path, "`--log` names a file in a directory that is there");
  return {};
}

}  // namespace

Expected<int> run_run(const RunOptions& options,
                      const std::function<Expected<std::filesystem::path>(const std::string&)>& image_for) {
  auto qemu = find_qemu();
  if (!qemu) return std::unexpected(qemu.error());
  auto image = image_of(options.subject, image_for);
  if (!image) return as_run_failure(image.error());
  BootConfig config = image->config;
  auto choices = choose(options, config);
  if (!choices) return std::unexpected(choices.error());
  vmm::MachineSpec& spec = choices->spec;
  // What the image was packed with by its name alone (`uni pack -e NAME`).
  for (const std::string_view name : image->config.all("x-env")) {
    if (const char* value = std::getenv(std::string(name).c_str())) config.set_env(std::string(name) + "=" + value);
  }
  for (const char* key : {"x-env", "x-memory", "x-cpus", "x-publish", "x-volume"})
    config.remove(key);
  set_arguments(config, options.arguments);
  if (auto ok = set_environment(config, options.environment); !ok) return std::unexpected(ok.error());
  set_run_records(config, options, spec);

  auto accel = vmm::choose_accel(options.accel);
  if (!accel) return std::unexpected(accel.error());
  spec.accel = *accel;
  auto network = vmm::make_network(network_choice(options, config, choices->published), choices->published,
                                   options.host_loopback ? vmm::HostLoopback::kOpen : vmm::HostLoopback::kClosed);
  if (!network) return std::unexpected(network.error());
  spec.network = network->spec;
  if (spec.network.kind == vmm::Network::Kind::kNone) {
    config.set("net", "none");
  } else {
    config.set("net", options.network == "dhcp" ? "dhcp" : vmm::kStaticNetwork);
  }

  if (auto ok = check_log(options.log); !ok) return std::unexpected(ok.error());
  const Fd disk(::open(image->path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!disk) return vmm::system_failure("cannot open the image", image->path.string());
  auto kernel = kernel_file(options, *image, disk.get());
  if (!kernel) return std::unexpected(kernel.error());
  auto encoded = config.encode();
  if (!encoded) return as_run_failure(encoded.error());
  auto records = vmm::memory_file("boot-config", *encoded);
  if (!records) return std::unexpected(records.error());
  auto overlay = vmm::make_overlay(image->size);
  if (!overlay) return std::unexpected(overlay.error());
  spec.kernel_fd = kernel->get();
  spec.config_fd = records->get();
  spec.image_fd = disk.get();
  spec.overlay_fd = overlay->get();

  Debugger debugger;
  if (options.gdb) {
    auto made = debugger_port();
    if (!made) return std::unexpected(made.error());
    debugger = std::move(*made);
    spec.gdb_fd = debugger.listener.get();
    report::note(
        fmt::format("the machine waits for a debugger: `gdb -ex 'target remote 127.0.0.1:{}'`", debugger.port));
  }
  vmm::Loop loop;
  if (!loop.valid()) return vmm::system_failure("cannot make an event loop");
  return vmm::run_session(loop, std::move(spec),
                          {.qemu = *qemu,
                           .stdio = options.terminal ? vmm::Stdio::kTerminal : vmm::Stdio::kPorts,
                           .log = options.verbose ? vmm::LogLevel::kVerbose : vmm::LogLevel::kQuiet,
                           .trace = options.strace ? vmm::Trace::kStrace : vmm::Trace::kOff,
                           .run_log = options.log,
                           .found_elsewhere = found_along_path(*image, config)});
}

void add_run(CLI::App& app, Verbs& verbs) {
  auto o = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("run", "boot an image and behave like the program in it");
  verb->add_option("IMAGE", o->subject, "an image, a manifest, or a program (packed into a cache first)")->required();
  verb->add_option("ARG", o->arguments, "after `--`: the program's arguments, in place of the image's");
  verb->add_option("-p,--publish", o->publish, "[IP:]HOST:GUEST[/udp]: a port of the host, on 127.0.0.1 by default")
      ->allow_extra_args(false);
  verb->add_option("-v,--volume", o->shares, "SRC:DST[:ro]: a directory of the host")->allow_extra_args(false);
  verb->add_option("-e,--env", o->environment, "NAME=VALUE, or NAME for the value it has here")
      ->allow_extra_args(false);
  verb->add_option("-m,--memory", o->memory, "the machine's memory, 128M by default");
  verb->add_option("-c,--cpus", o->processors, "the machine's processors, 1 by default")->check(CLI::Range(1, 255));
  verb->add_flag("-t,--tty", o->terminal, "give the program a terminal; three ^] end the machine");
  verb->add_flag("-i,--interactive", o->interactive, "taken for Docker's sake: standard input is always connected");
  verb->add_flag("--strace", o->strace, "write every system call to standard error");
  verb->add_flag("--gdb", o->gdb, "wait for a debugger before the first instruction");
  verb->add_option("--machine", o->machine, "the kind of machine")
      ->check(CLI::IsMember({"microvm", "q35"}))
      ->capture_default_str();
  verb->add_option("--accel", o->accel, "how QEMU runs the machine")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  verb->add_option("--net", o->network, "the machine's network")
      ->check(CLI::IsMember({"auto", "none", "user", "passt", "dhcp"}))
      ->capture_default_str();
  verb->add_flag("--host-loopback", o->host_loopback, "let the program reach this host's own loopback, at 10.0.2.2");
  verb->add_option("--kernel", o->kernel, "boot this kernel file in place of the image's own");
  verb->add_flag("--rng", o->entropy, "attach an entropy device");
  verb->add_option("--log", o->log, "write what the program lacked into this file, for `uni pack --learn`")
      ->type_name("FILE");
  verb->add_flag("--verbose", o->verbose, "show the kernel's messages and QEMU's");
  verb->footer(
      "The exit status is the program's, 128+N where signal N ended it, 125 where `uni` itself failed.\n"
      "Signals go to the program; three ^C within two seconds end the machine.\n\n"
      "Examples:\n"
      "  uni run server.img -p 8080:8080\n"
      "  echo 'select 1;' | uni run sqlite3.img -v ./data:/data -- /data/my.db\n"
      "  uni run -t python3.img -m 256M");
  verb->callback([o, &verbs] {
    verbs.is_run = true;
    o->arguments.insert(o->arguments.end(), verbs.program_arguments.begin(), verbs.program_arguments.end());
    verbs.chosen = [o, &verbs] { return run_run(*o, verbs.image_for); };
  });
}

}  // namespace uni

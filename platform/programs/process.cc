// SPDX-License-Identifier: MIT
// Child processes; see the header.
#include "platform/programs/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "platform/programs/errors.h"

namespace smmusim::programs {
namespace {

constexpr std::array watched{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
constexpr int signal_base = 128;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read = ends[0];
    write = ends[1];
  }
};

void close_and_forget(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

/// In the child, until exec: nothing here may throw or allocate.
[[noreturn]] void become(char* const* words, const char* folder, int out, int err, int report, const sigset_t& mask,
                         pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (*folder == '\0' || ::chdir(folder) == 0) ::execvp(words[0], words);
  const int error = errno;
  (void)!::write(report, &error, sizeof error);
  ::_exit(127);
}

int milliseconds_until(Clock::time_point until) {
  constexpr std::int64_t most = 60'000;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, most));
}

std::string last_line_of(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

SignalGuard::SignalGuard() {
  sigset_t mine;
  sigemptyset(&mine);
  for (const int number : watched) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&mine, number);
  }
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &by_default, &child_before_);
  ::sigprocmask(SIG_BLOCK, &mine, &before_);
  descriptor_ = ::signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor_ < 0) {
    const int error = errno;
    restore();
    throw std::system_error(error, std::generic_category(), "signalfd");
  }
}

SignalGuard::~SignalGuard() {
  ::close(descriptor_);
  restore();
}

void SignalGuard::restore() {
  ::sigaction(SIGCHLD, &child_before_, nullptr);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Child::Child(const SignalGuard& guard, const std::vector<std::string>& words, const Options& options) : guard_(guard) {
  Pipe report, out, err;
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    become(argv.data(), options.folder.c_str(), out.write, err.write, report.write, guard.mask_before(), parent);
  }
  int error = process_ < 0 ? errno : 0;
  for (int* end : {&report.write, &out.write, &err.write}) close_and_forget(*end);
  out_ = out.read;
  err_ = err.read;
  if (process_ > 0) {
    ::setpgid(process_, process_);  // also here: the group must be there before it is first killed
    // By number: the header of glibc 2.36 declares it without C linkage.
    ended_ = static_cast<int>(::syscall(SYS_pidfd_open, process_, 0));
    // Ends with exec, which closes the pipe.
    if (::read(report.read, &error, sizeof error) != sizeof error) error = ended_ < 0 ? ENOSYS : 0;
  }
  close_and_forget(report.read);
  if (error == 0) return;
  reap();
  throw Lacking(fmt::format("{}: can't be started ({})", words[0], std::generic_category().message(error)));
}

Child::~Child() {
  reap();
}

void Child::ask_to_end() {
  if (process_ > 0) ::kill(process_, SIGTERM);
}

double Child::cpu_seconds() const {
  constexpr double ns_per_s = 1e9;
  clockid_t clock{};
  timespec used{};
  if (process_ <= 0 || ::clock_getcpuclockid(process_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / ns_per_s;
}

void Child::reap() {
  if (process_ > 0) {
    ::kill(-process_, SIGKILL);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) continue;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
  }
  process_ = -1;
  for (int* descriptor : {&ended_, &out_, &err_}) close_and_forget(*descriptor);
}

/// Reads once what is there; closes at the end.
void Child::collect(int& descriptor, const Sink& sink) {
  std::array<char, 1 << 16> piece;
  const ssize_t n = ::read(descriptor, piece.data(), piece.size());
  if (n > 0) sink({piece.data(), static_cast<std::size_t>(n)});
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) close_and_forget(descriptor);
}

bool Child::wait(Clock::time_point until, const Sink& out, const Sink& err) {
  for (;;) {
    // A negative descriptor is passed over by poll().
    std::array<pollfd, 4> watch{pollfd{guard_.descriptor(), POLLIN, 0}, pollfd{ended_, POLLIN, 0},
                                pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    const int ready = ::poll(watch.data(), watch.size(), milliseconds_until(until));
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    if (ready > 0 && watch[0].revents != 0) throw Interrupted();
    if (ready > 0 && watch[2].revents != 0) collect(out_, out);
    if (ready > 0 && watch[3].revents != 0) collect(err_, err);
    // Its output first: what it wrote before its end is in the pipes. What others still hold open is not waited for.
    if (ready > 0 && watch[1].revents != 0 && watch[2].revents == 0 && watch[3].revents == 0) break;
    if (Clock::now() >= until) return false;
  }
  reap();
  return true;
}

char harmless(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code < 0x20 || code >= 0x7f ? '?' : byte;
}

std::string ToolResult::last_line() const {
  constexpr std::size_t shown_max = 300;
  std::string line = last_line_of(err);
  if (line.empty()) line = last_line_of(out);
  if (line.size() > shown_max) line = line.substr(0, shown_max) + "...";
  std::transform(line.begin(), line.end(), line.begin(), harmless);
  return line;
}

ToolResult run_tool(const SignalGuard& guard, const std::vector<std::string>& words, const TimeLimit& limit,
                    const Child::Options& options) {
  ToolResult result;
  Child child(guard, words, options);
  const auto keep = [](std::string& text) { return [&text](std::string_view piece) { text += piece; }; };
  if (!child.wait(limit.until, keep(result.out), keep(result.err))) {
    throw Lacking(fmt::format("{} did not end within {} s; {}", words[0], limit.seconds, limit.what_to_do));
  }
  result.exit_code = child.exit_code();
  return result;
}

std::string find_program(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto usable = [&](const std::string& path) {
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return usable(name) ? name : "";
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = folder.empty() ? "./" + name : folder + "/" + name;
    if (usable(candidate)) return candidate;
  }
  return "";
}

}  // namespace smmusim::programs

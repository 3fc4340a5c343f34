// SPDX-License-Identifier: MIT
// Child processes that never outlive us: each is the head of a process group that is killed with the object, and the
// kernel kills it should we die first. Signals that ask us to end are seen while waiting, so that everything is cleaned
// up before they take effect.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim::programs {

/// Holds back SIGINT, SIGTERM and SIGHUP (those that are not ignored) while it lives. With its end they do what they
/// do by default. One at a time. SIGCHLD has its default meanwhile: ignored, as some parents leave it, it would make
/// the kernel throw the exit codes of our children away.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  int descriptor() const { return descriptor_; }  ///< readable when a signal is pending
  const sigset_t& mask_before() const { return before_; }

 private:
  void restore();

  sigset_t before_{};
  struct sigaction child_before_ {};
  int descriptor_ = -1;
};

using Clock = std::chrono::steady_clock;

/// How long programs may take, from now on.
struct TimeLimit {
  static constexpr unsigned usual_seconds = 60;  ///< for what takes less than one on an idle machine

  explicit TimeLimit(unsigned length = usual_seconds, std::string hint = "run it by hand to see why")
      : seconds(length), what_to_do(std::move(hint)) {}

  unsigned seconds;
  Clock::time_point until = Clock::now() + std::chrono::seconds(seconds);
  std::string what_to_do;
};

class Child {
 public:
  struct Options {
    std::string folder{};  ///< working folder; empty: ours
  };
  /// Gets pieces of what the child writes, as they come.
  using Sink = std::function<void(std::string_view)>;

  /// Starts `words[0]`, searched in PATH unless it has a slash; standard input is empty. Throws Lacking if it can't be
  /// started.
  Child(const SignalGuard& guard, const std::vector<std::string>& words, const Options& options);
  Child(const SignalGuard& guard, const std::vector<std::string>& words) : Child(guard, words, Options{}) {}
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits for the end of the child and passes on what it writes. False: it was still running at `until`. Throws
  /// Interrupted.
  bool wait(Clock::time_point until, const Sink& out, const Sink& err);

  /// SIGTERM; wait() sees what comes of it.
  void ask_to_end();

  /// The processor time that it has used, while it runs.
  double cpu_seconds() const;

  /// Its exit code after wait() gave true, 128 + N if signal N ended it.
  int exit_code() const { return exit_code_; }

 private:
  void collect(int& descriptor, const Sink& sink);
  void reap();

  const SignalGuard& guard_;
  pid_t process_ = -1;
  int ended_ = -1;  ///< a pidfd
  int out_ = -1, err_ = -1;
  int exit_code_ = -1;
};

/// The byte, or '?' for one that could disturb a terminal.
char harmless(char byte);

struct ToolResult {
  int exit_code = -1;
  std::string out, err;
  std::string last_line() const;  ///< of `err`, else of `out`; for messages: harmless, and not too long
};

/// Runs a program to its end and keeps what it wrote. Throws Lacking if it can't be started or does not end in time,
/// Interrupted.
ToolResult run_tool(const SignalGuard& guard, const std::vector<std::string>& words,
                    const TimeLimit& limit = TimeLimit(), const Child::Options& options = {});

/// The path of a program in PATH (or of `name` itself if it has a slash); empty if there is none.
std::string find_program(const std::string& name);

}  // namespace smmusim::programs

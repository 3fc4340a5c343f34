// SPDX-License-Identifier: MIT
// The process and the lines. The child's standard streams are a socket pair;
// nothing else of it is used.
#include "tests/peer/qemu/qtest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace smmusim::peer {
namespace {

constexpr int patience_ms = 20'000;

[[noreturn]] void become(const std::vector<std::string>& command, int connection, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int messages = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dup2(connection, 0);
  dup2(connection, 1);
  if (messages >= 0) dup2(messages, 2);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execv(arguments[0], arguments.data());
  _exit(127);
}

/// QEMU sends each answer by itself: on two CPUs we would wake for each. On one, and as batch processes, it writes all
/// before we run. Inherited by QEMU.
void share_one_cpu() {
  static const bool done = [] {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<unsigned>(std::max(sched_getcpu(), 0)), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    const sched_param parameters{};
    return sched_setscheduler(0, SCHED_BATCH, &parameters) == 0;
  }();
  (void)done;
}

}  // namespace

Qtest::Qtest(const std::vector<std::string>& command, const std::string& log) {
  share_one_cpu();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw QemuDied("no socket pair for QEMU");
  process_ = fork();
  if (process_ == 0) become(command, ends[1], log);
  close(ends[1]);
  connection_ = ends[0];
  if (process_ < 0) throw QemuDied("QEMU can't be started: fork failed");
}

Qtest::~Qtest() {
  close(connection_);
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
}

void Qtest::push(const char* verb, std::uint64_t address, std::uint64_t value) {
  fmt::format_to(std::back_inserter(commands_), "{} {:#x} {:#x}\n", verb, address, value);
  ++count_;
}

std::size_t Qtest::push(const char* verb, std::uint64_t address) {
  fmt::format_to(std::back_inserter(commands_), "{} {:#x}\n", verb, address);
  return count_++;
}

void Qtest::send() {
  std::size_t sent = 0;
  while (sent < commands_.size()) {
    const ssize_t n = ::send(connection_, commands_.data() + sent, commands_.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) throw QemuDied("QEMU closed its qtest connection");
    sent += static_cast<std::size_t>(n);
  }
  commands_.clear();
}

std::string Qtest::line() {
  for (;;) {
    const std::size_t end = received_.find('\n', consumed_);
    if (end != std::string::npos) {
      std::string text = received_.substr(consumed_, end - consumed_);
      consumed_ = end + 1;
      return text;
    }
    received_.erase(0, consumed_);
    consumed_ = 0;
    pollfd waiting{connection_, POLLIN, 0};
    if (poll(&waiting, 1, patience_ms) <= 0) throw QemuDied("QEMU does not answer within 20 s");
    char buffer[8192];
    const ssize_t n = recv(connection_, buffer, sizeof buffer, 0);
    if (n <= 0) throw QemuDied("QEMU stopped");
    received_.append(buffer, static_cast<std::size_t>(n));
  }
}

const std::vector<std::uint64_t>& Qtest::flush() {
  answers_.assign(count_, 0);
  send();
  for (std::size_t i = 0; i < answers_.size();) {
    const std::string text = line();
    if (text.rfind("IRQ ", 0) == 0) {
      constexpr std::string_view raise = "IRQ raise ";
      if (text.starts_with(raise)) wires_ |= 1u << (std::strtoul(text.c_str() + raise.size(), nullptr, 10) & 31);
      continue;
    }
    if (text.rfind("OK", 0) != 0) throw QemuDied("qtest answers: " + text);
    if (text.size() > 3) answers_[i] = std::strtoull(text.c_str() + 3, nullptr, 0);
    ++i;
  }
  count_ = 0;
  return answers_;
}

void Qtest::intercept(const std::string& device, const std::string& output) {
  fmt::format_to(std::back_inserter(commands_), "irq_intercept_out {} {}\n", device, output);
  ++count_;
}

unsigned Qtest::wires() {
  return std::exchange(wires_, 0u);
}

std::uint64_t Qtest::read32_now(std::uint64_t address) {
  const std::size_t index = read32(address);
  return flush()[index];
}

}  // namespace smmusim::peer

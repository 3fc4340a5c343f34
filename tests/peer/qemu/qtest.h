// SPDX-License-Identifier: MIT
// Qtest: a QEMU process and its qtest connection (QEMU's system/qtest.c: one
// command a line, one answer a line). Commands are queued and sent together:
// one round trip for many register accesses. It knows nothing of SMMUs.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace smmusim::peer {

/// QEMU went away, or answers what qtest does not: the text says which.
struct QemuDied : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Qtest {
 public:
  /// Starts `command` (program and arguments) with its qtest connection on
  /// standard input and output, and its messages in the file `log`. Throws
  /// QemuDied.
  Qtest(const std::vector<std::string>& command, const std::string& log);
  ~Qtest();
  Qtest(const Qtest&) = delete;
  Qtest& operator=(const Qtest&) = delete;

  void write32(std::uint64_t address, std::uint32_t value) { push("writel", address, value); }
  void write64(std::uint64_t address, std::uint64_t value) { push("writeq", address, value); }
  /// Returns the index of the answer in what flush() returns.
  std::size_t read32(std::uint64_t address) { return push("readl", address); }
  std::size_t read64(std::uint64_t address) { return push("readq", address); }
  /// Sends what is queued and waits for all answers; the values read, 0 for
  /// writes. Throws QemuDied.
  const std::vector<std::uint64_t>& flush();
  /// From now on, wires() hears of the outputs of this device. Once for a process.
  void intercept(const std::string& device, const std::string& output);
  /// Which of the outputs were raised, as far as answers have been read, since the last call.
  unsigned wires();
  /// One read at once.
  std::uint64_t read32_now(std::uint64_t address);

 private:
  void push(const char* verb, std::uint64_t address, std::uint64_t value);
  std::size_t push(const char* verb, std::uint64_t address);
  void send();
  std::string line();

  pid_t process_ = -1;
  int connection_ = -1;
  std::string commands_;
  std::size_t count_ = 0;
  std::string received_;
  std::size_t consumed_ = 0;
  unsigned wires_ = 0;
  std::vector<std::uint64_t> answers_;
};

}  // namespace smmusim::peer

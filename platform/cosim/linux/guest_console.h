// SPDX-License-Identifier: MIT
// Reads a guest's console as it comes: keeps the last lines for messages, and what the kernel and our scripts say.
//
// Our scripts' lines (guest_scripts.h), wherever in a line they stand:
//   smmusim-guest: user space SECONDS         the first program runs; seconds of the guest's clock since its start
//   smmusim-guest: group NUMBER DEVICE TYPE   an IOMMU group
//   smmusim-guest: measure NAME COUNT MS      how long COUNT operations took
//   smmusim-guest: error TEXT                 something that should not be
//   smmusim-guest: exit STATUS                the script has ended
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smmusim::cosim {

struct IommuGroup {
  std::uint64_t number = 0;
  std::string device, type;
};

struct Measure {
  std::string name;
  std::uint64_t count = 0, milliseconds = 0;
};

class GuestConsole {
 public:
  static constexpr std::size_t kept_lines = 50;
  static constexpr std::size_t most_lines_of_a_kind = 1000;  ///< a guest may print for ever
  static constexpr std::size_t line_bytes_max = 1000;        ///< longer ones are cut off

  /// Called with each line when it is complete, without bytes that would disturb a terminal.
  std::function<void(const std::string& line)> on_line{};

  void take(std::string_view piece);
  /// The last line, if it has no end.
  void finish();

  const std::deque<std::string>& last_lines() const { return last_; }
  std::uint64_t lines() const { return lines_; }

  bool user_space = false;
  double guest_seconds = 0;         ///< of its clock, when user space was reached
  std::string kernel;               ///< "6.1.0-50-arm64"; empty: it did not say
  std::vector<std::string> driver;  ///< lines of the SMMU's driver, without time stamp
  std::vector<IommuGroup> groups;
  std::vector<Measure> measures;
  std::vector<std::string> errors;
  std::uint64_t error_count = 0;
  std::optional<unsigned> exit_status;

 private:
  void line(std::string text);
  void mark(std::string_view text);

  std::string partial_;
  std::deque<std::string> last_;
  std::uint64_t lines_ = 0;
};

}  // namespace smmusim::cosim

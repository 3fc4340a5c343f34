// SPDX-License-Identifier: MIT
// The features of SMMUv3.0 to 3.4 (IHI 0070 chapter 2, sections 6.3.1 to 6.3.8), and for each whether this version of
// smmusim has it. The program prints it as `smmusim conformance`. It decides nothing: what is refused is supported.h's
// business, and a test compares the two.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace smmusim::conformance {

enum class Status : std::uint8_t { implemented, partly, absent };
/// "implemented", "partly" or "not".
std::string_view to_string(Status status);

/// One feature. Texts are without a full stop.
struct FeatureRow {
  std::string_view field;     ///< that advertises it, as "IDR0.S1P"; "REGISTER.-" where no field does
  std::string_view name;      ///< short, the specification's where it has one
  std::string_view words;     ///< what it is
  unsigned since = 0;         ///< introduced by SMMUv3.`since`
  std::string_view demanded;  ///< "v3.1, with stage 1": mandatory from there; empty: optional
  Status status = Status::absent;
  std::string_view missing;  ///< what is not there, or why not; empty exactly if it is implemented
  std::string_view key;      ///< of the configuration, that switches it; empty: none
};

/// Every feature, in the order of the registers that advertise them.
std::span<const FeatureRow> feature_table();

/// The register of a row's field, as "IDR0".
constexpr std::string_view register_of(const FeatureRow& row) {
  return row.field.substr(0, row.field.find('.'));
}

}  // namespace smmusim::conformance

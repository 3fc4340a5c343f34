// SPDX-License-Identifier: MIT
// RegisterDump: the registers of a real SMMU as somebody wrote them down (IHI 0070 section 6.2), brought into a model:
// ID registers as its features, the others into its register file. It takes values as they are; only what can't be a
// register's value is refused.
//
// Registers of queues, interrupts and optional parts are accepted and not written: no translation depends on them, and
// a command queue that came to life would execute the dump's commands.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/spec/features.h"

namespace smmusim {
class Smmu;
}

namespace smmusim::explain {

class RegisterDump {
 public:
  /// Sets the register that `key`, a name of the specification (with or without SMMU_) or an offset in the frame,
  /// names; the offset of the upper half of a 64-bit register sets that half. Throws std::invalid_argument, one
  /// sentence "what; right", for a key that is unknown or was set before, and for a value that is too wide.
  void set(std::string_view key, std::uint64_t value);

  /// The value of the register at `offset`, if it was set.
  std::optional<std::uint64_t> get(std::uint32_t offset) const;
  bool has_id_registers() const;

  /// What the ID registers tell; those that were not set are as in `configured`. Without AIDR the version is
  /// `configured`'s, or if that contradicts the other ID registers the lowest that does not. Presets (IDR1) are left
  /// out: the values of this dump are the preset ones. Table formats that the model does not have are left out too, so
  /// that structures which select them are illegal. Throws std::invalid_argument, one sentence for each rule that no
  /// reading keeps.
  spec::Features features(const spec::Features& configured) const;

  /// These values, and those of `base` for registers that are not set here.
  RegisterDump over(const RegisterDump& base) const;

  /// Writes what translations depend on: tables and attributes first, CR0 last.
  void write_to(Smmu& smmu) const;

  friend auto operator<=>(const RegisterDump&, const RegisterDump&) = default;

 private:
  struct Value {
    std::optional<std::uint64_t> whole;  ///< given at the register's own offset or name
    std::optional<std::uint64_t> upper;  ///< given at offset + 4
    friend auto operator<=>(const Value&, const Value&) = default;
  };
  std::map<std::uint32_t, Value> values_;  // by offset of the register
};

/// Reads lines `NAME = VALUE` or `0xOFFSET = VALUE`; `#` begins a comment. Throws trace::TraceError with the line.
RegisterDump read_registers(const std::string& path);

}  // namespace smmusim::explain

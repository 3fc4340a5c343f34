// SPDX-License-Identifier: MIT
// UntimedSmmu: an Smmu that answers single questions: without time, without caches, over somebody else's memory, with
// the registers of a RegisterDump. Asking changes nothing in it (debug_effects), so each answer is that of a machine
// whose caches are empty.
#pragma once

#include <cstdint>

#include "model/sim/engine.h"
#include "model/smmu/smmu.h"
#include "platform/explain/register_dump.h"

namespace smmusim::explain {

/// `config` with `features`, as UntimedSmmu wants it: untimed, one TBU, no caches.
SmmuConfig explaining_config(const SmmuConfig& config, const spec::Features& features);

class UntimedSmmu {
 public:
  /// `observer` may be null. Throws std::invalid_argument for a configuration that can't be built.
  UntimedSmmu(const SmmuConfig& config, const RegisterDump& registers, MemoryPort& memory, Observer* observer);

  Response translate(const Transaction& transaction) { return smmu_.translate(0, transaction, debug_effects); }
  std::uint64_t register_value(std::uint32_t offset, unsigned size) { return smmu_.read_register(offset, size); }
  const SmmuConfig& config() const { return smmu_.config(); }

 private:
  Engine engine_;
  Smmu smmu_;
};

}  // namespace smmusim::explain

// SPDX-License-Identifier: MIT
// What the architecture or the contract has and this version of smmusim does not: one row each, with the sentence a
// user gets instead of a silently different simulation. Rows disappear as features appear; nothing else refers here.
#pragma once

#include <span>
#include <string_view>

#include "platform/config/platform_config.h"

namespace smmusim {

template <class Subject>
struct UnsupportedRow {
  std::string_view key;           ///< of keys.h, whose value asks for it
  bool (*asked)(const Subject&);  ///< true: refused
  std::string_view sentence;      ///< "what is not there; what to write instead"
};

std::span<const UnsupportedRow<NamedSmmu>> unsupported_of_smmu();
/// What the simulated driver can't use, though the SMMU has it.
std::span<const UnsupportedRow<NamedSmmu>> unsupported_by_driver();
/// What a trace can't be replayed with.
std::span<const UnsupportedRow<NamedSmmu>> unsupported_by_replay();
std::span<const UnsupportedRow<PlatformConfig>> unsupported_of_platform();

}  // namespace smmusim

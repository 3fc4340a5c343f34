// SPDX-License-Identifier: MIT
// AccessPort: how the player's accesses reach the devices. The player hands an access over and gets it back with what
// became of it; it never sees how the access was translated.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/base/types.h"
#include "model/sim/engine.h"
#include "platform/trace/record.h"

namespace smmusim {

/// What became of an access.
struct AccessResult {
  bool completed = false;   ///< done without error; false: the SMMU or the memory answered with an error
  bool translated = false;  ///< `address` is valid: the SMMU let the access proceed
  Pa address{};             ///< where its first byte went
};

/// One access of a trace on its way. Its owner is the player; it stays in place until it is given back.
struct PlayedAccess {
  const trace::Record* record = nullptr;
  std::size_t stream = 0;  ///< index in the player's list of streams
  std::uint32_t slot = 0;  ///< the player's
  Time started = 0;        ///< picoseconds
  AccessResult result{};
};

class AccessPort {
 public:
  virtual ~AccessPort() = default;
  /// True if the device of this stream takes another access now.
  virtual bool can_start(std::size_t stream) = 0;
  /// Starts `access`. It comes back through Player::complete(), perhaps before this call has returned. When can_start
  /// turns true without one coming back, Player::wake() must be called.
  virtual void start(PlayedAccess& access) = 0;
};

}  // namespace smmusim

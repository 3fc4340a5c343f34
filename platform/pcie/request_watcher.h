// SPDX-License-Identifier: MIT
// RequestWatcher: the simulation's eye on memory requests. A posted write has no answer that its device could see, yet
// statistics and checks want to know where it went and when; whoever ends a request tells its watcher. Nothing of it
// travels on a link.
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/sim/engine.h"
#include "model/smmu/transaction.h"

namespace smmusim::platform {

/// How a memory request ended.
enum class DmaStatus : std::uint8_t {
  ok,
  aborted,        ///< by the SMMU, by an injected fault of memory, or an unsupported request
  address_error,  ///< nothing at the output address
  refused,        ///< malformed, or nothing that this device may do
};

struct RequestResult {
  DmaStatus status = DmaStatus::ok;
  bool translated = false;  ///< address is valid
  Pa address{};             ///< where its first byte went
  Outcome outcome = Outcome::abort;
  spec::EventType event{};  ///< 0: none
  Reach reach = Reach::tbu;
  Time translation_time = 0;  ///< picoseconds in the SMMU
  Time memory_time = 0;       ///< from there to memory's response
};

class RequestWatcher {
 public:
  virtual ~RequestWatcher() = default;
  /// Once for each memory request: a write is globally visible, a read has its data, or neither will ever be.
  virtual void resolved(std::uint64_t cookie, const RequestResult& result) = 0;
};

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// DebugMemoryPort: the SMMU's own reads on behalf of a debug access (transport_dbg at a TBU), as transport_dbg on the
// TCU's initiator socket: answered at once, without effects on time.
#pragma once

#include <tlm>

#include "model/sim/memory_port.h"

namespace smmusim::systemc {

class DebugMemoryPort final : public MemoryPort {
 public:
  explicit DebugMemoryPort(tlm::tlm_initiator_socket<>& socket) : socket_(socket) {}

  bool start(MemoryRequest& request) override;
  void abandon(const Scope&) override {}  // nothing is ever under way

 private:
  tlm::tlm_initiator_socket<>& socket_;
};

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// One debug read is one transport_dbg call. Anything but a read is answered with an external abort.
#include "tlm/debug_memory_port.h"

namespace smmusim::systemc {

bool DebugMemoryPort::start(MemoryRequest& request) {
  request.status = MemoryStatus::external_abort;
  // Debug accesses write nothing (debug_effects), and the generic payload could not say compare-and-swap.
  if (request.op != MemoryOp::read) return true;
  tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(request.address.value);
  payload.set_data_ptr(static_cast<unsigned char*>(request.data));
  payload.set_data_length(request.size);
  payload.set_streaming_width(request.size);
  if (socket_->transport_dbg(payload) == request.size) request.status = MemoryStatus::ok;
  return true;
}

}  // namespace smmusim::systemc

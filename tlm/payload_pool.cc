// SPDX-License-Identifier: MIT
// Taking payloads out of the pool and resetting those that come back. It never frees one before its own end.
#include "tlm/payload_pool.h"

#include "tlm/smmu_extension.h"

namespace smmusim::systemc {

tlm::tlm_generic_payload& PayloadPool::take() {
  tlm::tlm_generic_payload* payload = free_;
  if (payload == nullptr) {
    all_.push_back(std::make_unique<tlm::tlm_generic_payload>(this));
    payload = all_.back().get();
    payload->set_extension(new SmmuExtension);
    payload->set_extension(new PathExtension);
  } else {
    free_ = PathExtension::of(*payload).next;
  }
  payload->acquire();
  return *payload;
}

void PayloadPool::free(tlm::tlm_generic_payload* payload) {
  payload->reset();  // drops what others attached for one use only
  payload->set_address(0);
  payload->set_data_ptr(nullptr);
  payload->set_data_length(0);
  payload->set_streaming_width(0);
  payload->set_byte_enable_ptr(nullptr);
  payload->set_dmi_allowed(false);
  payload->set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload->get_extension<SmmuExtension>()->clear();
  PathExtension& path = PathExtension::of(*payload);
  path.depth = 0;
  path.next = free_;
  free_ = payload;
}

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// Paths that payloads carry, and queues made of them. Nothing here looks at an address.
#include "tlm/smmu_extension.h"

namespace smmusim::systemc {

PathExtension& PathExtension::attach(tlm::tlm_generic_payload& payload) {
  auto* path = new PathExtension;  // the payload owns it from here on
  payload.set_extension(path);
  return *path;
}

void PayloadQueue::push(tlm::tlm_generic_payload& payload) {
  PathExtension::of(payload).next = nullptr;
  if (first_ == nullptr) {
    first_ = &payload;
  } else {
    PathExtension::of(*last_).next = &payload;
  }
  last_ = &payload;
}

tlm::tlm_generic_payload& PayloadQueue::pop() {
  tlm::tlm_generic_payload& payload = *first_;
  first_ = PathExtension::of(payload).next;
  return payload;
}

}  // namespace smmusim::systemc

// SPDX-License-Identifier: MIT
// The transports of PcieWindow.
#include "platform/pcie/pcie_window.h"

#include <algorithm>
#include <cstring>

#include "platform/pcie/payload_requester.h"
#include "tlm/smmu_extension.h"

namespace smmusim::platform {
namespace {

systemc::PcieAttributes attributes_of(const tlm::tlm_generic_payload& payload) {
  systemc::PcieAttributes attributes;
  if (const auto* extension = payload.get_extension<systemc::SmmuExtension>()) {
    attributes.atomic = extension->client.atomic;
    attributes.no_snoop = extension->client.no_snoop;
  }
  return attributes;
}

bool is_enabled(const tlm::tlm_generic_payload& payload, unsigned at) {
  const unsigned char* enables = payload.get_byte_enable_ptr();
  return enables == nullptr || enables[at % payload.get_byte_enable_length()] != TLM_BYTE_DISABLED;
}

/// In steps as large as they are aligned and wholly enabled.
void access_bar(const BarPlace& place, tlm::tlm_generic_payload& payload) {
  const unsigned length = payload.get_data_length();
  const auto enabled = [&](unsigned from, unsigned size) {
    for (unsigned at = from; at != from + size; ++at) {
      if (!is_enabled(payload, at)) return false;
    }
    return true;
  };
  for (unsigned at = 0; at != length;) {
    unsigned step = 8;
    while (step > 1 && ((place.offset + at) % step != 0 || step > length - at || !enabled(at, step))) step /= 2;
    unsigned char* data = payload.get_data_ptr() + at;
    std::uint64_t value = 0;
    if (enabled(at, step)) {
      if (payload.is_write()) {
        std::memcpy(&value, data, step);
        place.handler->bar_write(place.bar, place.offset + at, value, step);
      } else {
        value = place.handler->bar_read(place.bar, place.offset + at, step);
        std::memcpy(data, &value, step);
      }
    }
    at += step;
  }
}

}  // namespace

PcieWindow::PcieWindow(const sc_core::sc_module_name& name, systemc::Pump& pump, RootComplex& root, const RootBus& bus,
                       Time latency_ps)
    : sc_core::sc_module(name), in("in"), root_(root), bus_(bus), target_(pump, in, *this, latency_ps) {
  root_.on_request_ended([this](void* cookie) { target_.respond(*static_cast<PayloadTarget::Access*>(cookie)); });
}

bool PcieWindow::refuses(tlm::tlm_generic_payload& payload) {
  const auto status = PayloadRequester::refusal(payload, attributes_of(payload));
  if (status) payload.set_response_status(*status);
  return status.has_value();
}

void PcieWindow::payload_arrived(PayloadTarget::Access& access) {
  if (root_.request(*access.payload, attributes_of(*access.payload), &access)) return;
  access.payload->set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  target_.respond(access);
}

bool PcieWindow::serve_at_once(tlm::tlm_generic_payload& payload) {
  const std::optional<BarPlace> place = bus_.bar_at(payload.get_address(), payload.get_data_length());
  if (place && !attributes_of(payload).atomic) {
    access_bar(*place, payload);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  } else {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  return true;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// From an address to the function whose BAR holds it.
#include "platform/pcie/mmio_window.h"

#include <cstring>

#include "tlm/sim_time.h"

namespace smmusim::platform {
namespace {

constexpr unsigned bars = 6;

bool is_register_access(const tlm::tlm_generic_payload& payload) {
  const unsigned size = payload.get_data_length();
  return (size == 1 || size == 2 || size == 4 || size == 8) && payload.get_address() % size == 0 &&
         payload.get_data_ptr() != nullptr && payload.get_byte_enable_ptr() == nullptr;
}

}  // namespace

MmioWindow::MmioWindow(const sc_core::sc_module_name& name, systemc::Pump& pump, Time latency_ps)
    : sc_core::sc_module(name), in("in"), pump_(pump), latency_(latency_ps) {
  in.bind(*this);
}

MmioWindow::Hit MmioWindow::find(std::uint64_t address, unsigned size) const {
  for (const Function& function : functions_) {
    if (!function.config->memory_space()) continue;
    for (unsigned bar = 0; bar != bars; ++bar) {
      const auto base = function.config->bar_address(bar);
      if (!base || address < *base) continue;
      const std::uint64_t offset = address - *base, bytes = function.config->bar_bytes(bar);
      if (offset < bytes && size <= bytes - offset) return {function.handler, bar, offset};
    }
  }
  return {};
}

void MmioWindow::access(tlm::tlm_generic_payload& payload) {
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (payload.get_command() == tlm::TLM_IGNORE_COMMAND) return;
  const unsigned size = payload.get_data_length();
  const Hit hit = find(payload.get_address(), size);
  std::uint64_t value = 0;
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), size);
    if (hit.handler != nullptr) hit.handler->bar_write(hit.bar, hit.offset, value, size);
  } else {
    value = hit.handler == nullptr ? ~std::uint64_t{0} : hit.handler->bar_read(hit.bar, hit.offset, size);
    std::memcpy(payload.get_data_ptr(), &value, size);
  }
}

void MmioWindow::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  payload.set_dmi_allowed(false);
  if (is_register_access(payload)) {
    const systemc::Pump::Entry entry(pump_);
    access(payload);
  } else {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  }
  delay += systemc::from_ps(latency_);
}

tlm::tlm_sync_enum MmioWindow::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                               sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  b_transport(payload, delay);
  return tlm::TLM_COMPLETED;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// Checking the address map once, and looking accesses up in it. Phases and queues are Router's.
#include "platform/memory/interconnect.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace smmusim::platform {
namespace {

std::uint64_t last_of(const AddressMapRow& row) {
  return row.base.value + (row.size - 1);
}

bool holds(const AddressMapRow& row, std::uint64_t address) {
  return address - row.base.value < row.size;
}

InterconnectConfig checked(InterconnectConfig config, unsigned outputs) {
  auto& map = config.map;
  std::sort(map.begin(), map.end(), [](const AddressMapRow& a, const AddressMapRow& b) { return a.base < b.base; });
  for (std::size_t i = 0; i < map.size(); ++i) {
    const std::string row = "address map row at " + std::to_string(map[i].base.value);
    if (map[i].size == 0) throw std::invalid_argument(row + " is empty; give a size of at least 1");
    if (last_of(map[i]) < map[i].base.value) throw std::invalid_argument(row + " passes 2^64; make it end below");
    if (map[i].output >= outputs) throw std::invalid_argument(row + " names no output; there are fewer");
    if (i != 0 && map[i].base.value <= last_of(map[i - 1])) {
      throw std::invalid_argument(row + " overlaps another one; rows must be disjoint");
    }
  }
  return config;
}

}  // namespace

Interconnect::Interconnect(const sc_core::sc_module_name& name, systemc::Pump& pump, unsigned inputs, unsigned outputs,
                           const InterconnectConfig& config)
    : Router(name, pump, inputs, outputs),
      config_(checked(config, outputs)),
      request_delay_(systemc::from_ps(config.request_latency_ps)),
      response_delay_(systemc::from_ps(config.response_latency_ps)) {}

/// The row that holds `address`, or null.
const AddressMapRow* Interconnect::row_of(std::uint64_t address) const {
  for (const AddressMapRow& row : config_.map) {  // a handful of rows: cheaper than anything clever
    if (holds(row, address)) return &row;
  }
  return nullptr;
}

Router::Route Interconnect::route_in(const AddressMapRow* row, const tlm::tlm_generic_payload& payload) const {
  if (row == nullptr || payload.get_data_length() > row->size - (payload.get_address() - row->base.value)) {
    return {0, {}, tlm::TLM_ADDRESS_ERROR_RESPONSE, 0};
  }
  return {row->output, {}, tlm::TLM_OK_RESPONSE, row->relative ? row->base.value : 0};
}

Router::Route Interconnect::debug_route(tlm::tlm_generic_payload& payload, unsigned) const {
  return route_in(row_of(payload.get_address()), payload);
}

std::optional<Router::DirectRoute> Interconnect::direct_route(const tlm::tlm_generic_payload& payload) const {
  if (config_.request_latency_ps != 0 || config_.response_latency_ps != 0) return std::nullopt;
  const AddressMapRow* row = row_of(payload.get_address());
  if (row == nullptr) return std::nullopt;
  return DirectRoute{row->output, row->base.value, last_of(*row), row->relative ? row->base.value : 0};
}

Router::Route Interconnect::route(tlm::tlm_generic_payload& payload, unsigned, Time) {
  if (recent_ == nullptr || !holds(*recent_, payload.get_address())) recent_ = row_of(payload.get_address());
  Route route = route_in(recent_, payload);
  route.delay = request_delay_;
  decode_errors_ += route.status == tlm::TLM_OK_RESPONSE ? 0 : 1;
  return route;
}

sc_core::sc_time Interconnect::response_delay(const tlm::tlm_generic_payload&, unsigned, Time) {
  return response_delay_;
}

}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// From RequesterID to StreamID by the rows of the map (IHI 0070 section 3.2), and the links' delays in front of it.
#include "platform/pcie/root_complex.h"

#include <stdexcept>
#include <string>

namespace smmusim::platform {
namespace {

void require_valid_map(const RootComplexConfig& config, unsigned outputs) {
  const auto& rows = config.rid_map;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string row = "rid_map row " + std::to_string(i);
    const std::uint32_t end = rows[i].rid_base + rows[i].rid_count;
    if (rows[i].rid_count == 0 || rows[i].rid_count > 0x10000 || end > 0x10000) {
      throw std::invalid_argument(row + " leaves the 65536 RequesterIDs; rid_base + rid_count must be 1 to 65536");
    }
    if (rows[i].stream_base.value > ~std::uint32_t{0} - (rows[i].rid_count - 1)) {
      throw std::invalid_argument(row + " passes the last StreamID; lower stream_base");
    }
    if (rows[i].output >= outputs) throw std::invalid_argument(row + " names no TBU; there are fewer");
    for (std::size_t j = 0; j < i; ++j) {
      if (rows[i].rid_base < rows[j].rid_base + rows[j].rid_count && rows[j].rid_base < end) {
        throw std::invalid_argument(row + " overlaps row " + std::to_string(j) + "; rows must be disjoint");
      }
    }
  }
}

}  // namespace

RootComplex::RootComplex(const sc_core::sc_module_name& name, systemc::Pump& pump, unsigned ports, unsigned outputs,
                         const RootComplexConfig& config)
    : Router(name, pump, ports, outputs), config_(config), default_rids_(ports, 0) {
  require_valid_map(config, outputs);
  for (unsigned i = 0; i < ports; ++i) links_.emplace_back(config.link);
}

const RidMapRow* RootComplex::row_of(std::uint16_t rid) const {
  const unsigned masked = rid & config_.rid_mask;
  for (const RidMapRow& row : config_.rid_map) {
    if (masked >= row.rid_base && masked - row.rid_base < row.rid_count) return &row;
  }
  return nullptr;
}

std::optional<StreamId> RootComplex::stream_of(std::uint16_t rid) const {
  const RidMapRow* row = row_of(rid);
  if (row == nullptr) return std::nullopt;
  return StreamId(row->stream_base.value + ((rid & config_.rid_mask) - row->rid_base));
}

systemc::SmmuExtension& RootComplex::extension_of(tlm::tlm_generic_payload& payload, unsigned input) const {
  auto* extension = payload.get_extension<systemc::SmmuExtension>();
  if (extension == nullptr) {
    extension = new systemc::SmmuExtension;  // the payload owns it from here on
    extension->requester_id = default_rids_[input];
    payload.set_extension(extension);
  }
  return *extension;
}

Router::Route RootComplex::route(tlm::tlm_generic_payload& payload, unsigned input, Time arrival) {
  Route route;
  const Time at_root = links_[input].request(arrival, payload.is_write(), payload.get_data_length());
  route.delay = systemc::from_ps(at_root - arrival + config_.request_processing_ps);
  systemc::SmmuExtension& extension = extension_of(payload, input);
  const RidMapRow* row = row_of(extension.requester_id);
  if (row == nullptr) {
    ++unsupported_requests_;
    route.status = tlm::TLM_GENERIC_ERROR_RESPONSE;
    return route;
  }
  extension.client.stream_id = *stream_of(extension.requester_id);
  extension.client.pcie = true;
  route.output = row->output;
  return route;
}

sc_core::sc_time RootComplex::response_delay(const tlm::tlm_generic_payload& payload, unsigned input, Time at) {
  const Time leaves = at + config_.response_processing_ps;
  // A failed read comes back as a completion without data; a posted write as nothing that the link would carry.
  const std::uint32_t size = payload.is_response_ok() ? payload.get_data_length() : 0;
  const auto* extension = payload.get_extension<systemc::SmmuExtension>();
  const bool atomic = extension != nullptr && extension->client.atomic;  // not posted: the old value comes back
  return systemc::from_ps(links_[input].response(leaves, payload.is_write() && !atomic, size) - at);
}

Router::Route RootComplex::debug_route(tlm::tlm_generic_payload& payload, unsigned input) const {
  auto& extension = extension_of(payload, input);
  const RidMapRow* row = row_of(extension.requester_id);
  if (row == nullptr) return {0, {}, tlm::TLM_GENERIC_ERROR_RESPONSE, 0};
  extension.client.stream_id = *stream_of(extension.requester_id);
  extension.client.pcie = true;
  return {row->output, {}, tlm::TLM_OK_RESPONSE, 0};
}

}  // namespace smmusim::platform

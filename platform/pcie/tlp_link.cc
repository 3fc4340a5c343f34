// SPDX-License-Identifier: MIT
// What a link's configuration may be, and its two directions side by side.
#include "platform/pcie/tlp_link.h"

#include <bit>
#include <stdexcept>
#include <string>

#include "platform/pcie/link_direction.h"

namespace smmusim::platform {
namespace {

constexpr unsigned unit_bytes = 16;

void require(bool condition, const std::string& key, std::uint64_t value, const std::string& legal) {
  if (!condition) throw std::invalid_argument(key + " is " + std::to_string(value) + "; give " + legal);
}

void require_data(const FlowCredits& credits, FlowClass flow_class, const char* key, unsigned largest_units) {
  const unsigned units = credits.data[static_cast<std::size_t>(flow_class)];
  require(units == 0 || units >= largest_units, key, units,
          "0 (infinite), or " + std::to_string(largest_units) + " or more: the largest TLP needs as many");
}

void require_valid(const FlowCredits& credits, unsigned mps_bytes) {
  require_data(credits, FlowClass::posted, "credits of posted data", mps_bytes / unit_bytes);
  require_data(credits, FlowClass::non_posted, "credits of non-posted data", largest_non_posted_units);
  require_data(credits, FlowClass::completion, "credits of completion data", mps_bytes / unit_bytes);
}

const TlpLinkConfig& checked(const TlpLinkConfig& config) {
  require_valid(config);
  return config;
}

}  // namespace

void require_valid(const TlpLinkConfig& config) {
  require(config.generation >= 1 && config.generation <= 6, "pcie.generation", config.generation, "1 to 6");
  require((std::has_single_bit(config.lanes) && config.lanes <= 32) || config.lanes == 12, "pcie.lanes", config.lanes,
          "1, 2, 4, 8, 12, 16 or 32");
  require(std::has_single_bit(config.mps_bytes) && config.mps_bytes >= 128 && config.mps_bytes <= 4096,
          "pcie.mps_bytes", config.mps_bytes, "a power of two from 128 to 4096");
  require(config.transmit_queue >= 1, "pcie.transmit_queue", config.transmit_queue, "1 or more");
  require(config.framing_bytes <= 64, "pcie.framing_bytes", config.framing_bytes, "0 to 64");
  require(config.propagation_ps <= 1'000'000'000, "pcie.propagation_ps", config.propagation_ps, "at most 1 ms");
  require_valid(config.upstream_receiver, config.mps_bytes);
  require_valid(config.downstream_receiver, config.mps_bytes);
}

TlpLink::TlpLink(Engine& engine, const TlpLinkConfig& config) : engine_(engine), config_(checked(config)) {
  if (config_.timed) rate_ = link_rate(config_.generation, config_.lanes);
  for (const End from : {upstream, downstream}) directions_[from] = std::make_unique<LinkDirection>(*this, from);
  directions_[upstream]->set_reverse(*directions_[downstream]);
  directions_[downstream]->set_reverse(*directions_[upstream]);
}

TlpLink::~TlpLink() = default;

void TlpLink::connect(End end, Port& port) {
  ports_[end] = &port;
}

bool TlpLink::room(End from, FlowClass flow_class) const {
  return directions_[from]->room(flow_class);
}

void TlpLink::send(End from, Tlp& tlp) {
  directions_[from]->send(tlp);
}

void TlpLink::release(End at, const Tlp& tlp) {
  directions_[1 - at]->release(tlp);
}

TlpLinkCounters TlpLink::counters(End from) const {
  return directions_[from]->counters();
}

bool TlpLink::idle() const {
  return directions_[upstream]->idle() && directions_[downstream]->idle();
}

}  // namespace smmusim::platform

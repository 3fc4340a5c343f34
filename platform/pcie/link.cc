// SPDX-License-Identifier: MIT
// Line rates, packet overhead and the occupancy of each direction of a PCI Express link. It does not look into
// payloads.
#include "platform/pcie/link.h"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>

namespace smmusim::platform {
namespace {

/// Transfer rate of one lane and the share of it that line coding leaves (PCI Express base specification).
struct Rate {
  unsigned megatransfers;
  unsigned payload_bits;
  unsigned coded_bits;
};
constexpr std::array<Rate, 6> rates{{
    {2500, 8, 10},
    {5000, 8, 10},
    {8000, 128, 130},
    {16000, 128, 130},
    {32000, 128, 130},
    {64000, 242, 256},
}};

/// Of a link whose configuration is checked.
TransferRate rate_of(const PcieLinkConfig& config) {
  const Rate& rate = rates[config.generation - 1];
  return TransferRate(std::uint64_t{8} * 1'000'000 * rate.coded_bits,
                      std::uint64_t{rate.megatransfers} * rate.payload_bits * config.lanes);
}

bool power_of_two_within(unsigned value, unsigned low, unsigned high) {
  return std::has_single_bit(value) && value >= low && value <= high;
}

std::uint64_t parts(std::uint64_t size, std::uint64_t most) {
  return size <= most ? std::uint64_t{size != 0} : (size + most - 1) / most;
}

const PcieLinkConfig& checked(const PcieLinkConfig& config) {
  require_valid(config);
  return config;
}

void require(bool condition, const char* key, unsigned value, const char* legal) {
  if (!condition) throw std::invalid_argument(std::string(key) + " is " + std::to_string(value) + "; give " + legal);
}

}  // namespace

void require_valid(const PcieLinkConfig& config) {
  require(config.generation >= 1 && config.generation <= rates.size(), "pcie.generation", config.generation, "1 to 6");
  require(power_of_two_within(config.lanes, 1, 32) || config.lanes == 12, "pcie.lanes", config.lanes,
          "1, 2, 4, 8, 12, 16 or 32");
  require(power_of_two_within(config.mps_bytes, 128, 4096), "pcie.mps_bytes", config.mps_bytes,
          "a power of two from 128 to 4096");
  require(power_of_two_within(config.mrrs_bytes, 128, 4096), "pcie.mrrs_bytes", config.mrrs_bytes,
          "a power of two from 128 to 4096");
  require(power_of_two_within(config.rcb_bytes, 64, 128), "pcie.rcb_bytes", config.rcb_bytes, "64 or 128");
}

PcieLink::PcieLink(const PcieLinkConfig& config) : config_(checked(config)), rate_(rate_of(config)) {}

Time PcieLink::occupy(Time& free_at, Time when, std::uint64_t bytes) const {
  free_at = std::max(free_at, when) + serialisation(bytes);
  return free_at + config_.propagation_ps;
}

Time PcieLink::request(Time when, bool write, std::uint32_t size) {
  const std::uint64_t tlps = parts(size, write ? config_.mps_bytes : config_.mrrs_bytes);
  return occupy(upstream_free_, when, tlps * config_.tlp_header_bytes + (write ? size : 0));
}

Time PcieLink::response(Time when, bool write, std::uint32_t size) {
  if (write) return when;
  const unsigned most = std::max(config_.mps_bytes / config_.rcb_bytes, 1U) * config_.rcb_bytes;
  return occupy(downstream_free_, when,
                std::max<std::uint64_t>(parts(size, most), 1) * config_.completion_header_bytes + size);
}

}  // namespace smmusim::platform

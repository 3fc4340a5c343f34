// SPDX-License-Identifier: MIT
// What a TLP's type says about it, and the pool.
#include "platform/pcie/tlp.h"

#include <array>

namespace smmusim::platform {
namespace {

// In the order of TlpType.
constexpr std::array<std::string_view, 13> names{"MRd",  "MWr", "CfgRd0", "CfgWr0", "CfgRd1", "CfgWr1", "FetchAdd",
                                                 "Swap", "CAS", "Cpl",    "CplD",   "Msg",    "MsgD"};

}  // namespace

std::string_view name_of(TlpType type) {
  return names[static_cast<std::size_t>(type)];
}

bool Tlp::long_header() const {
  if (is_message()) return true;
  const bool by_address = type == TlpType::MRd || type == TlpType::MWr || is_atomic();
  return by_address && address >> 32 != 0;
}

std::uint32_t Tlp::tlp_bytes() const {
  constexpr std::uint32_t doubleword = 4;
  return doubleword * (3U + (long_header() ? 1U : 0U) + (pasid.present ? 1U : 0U)) + payload_bytes();
}

void Tlp::clear() {
  std::vector<unsigned char> kept = std::move(data);
  kept.clear();
  *this = Tlp();
  data = std::move(kept);
}

Tlp& TlpPool::take() {
  ++out_;
  if (free_ == nullptr) return *all_.emplace_back(std::make_unique<Tlp>());
  Tlp& tlp = *free_;
  free_ = tlp.next_tlp;
  tlp.clear();
  return tlp;
}

void TlpPool::give(Tlp& tlp) {
  tlp.next_tlp = free_;
  free_ = &tlp;
  --out_;
}

}  // namespace smmusim::platform

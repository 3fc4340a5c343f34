// SPDX-License-Identifier: MIT
// What a TLP's type says about it, and the pool.
#include "platform/pcie/tlp.h"

#include <array>

namespace smmusim::platform {
namespace {

struct TypeRow {
  std::string_view name;
  FlowClass flow_class;
  bool data;
};

// In the order of TlpType.
constexpr std::array<TypeRow, 13> rows{{
    {"MRd", FlowClass::non_posted, false},
    {"MWr", FlowClass::posted, true},
    {"CfgRd0", FlowClass::non_posted, false},
    {"CfgWr0", FlowClass::non_posted, true},
    {"CfgRd1", FlowClass::non_posted, false},
    {"CfgWr1", FlowClass::non_posted, true},
    {"FetchAdd", FlowClass::non_posted, true},
    {"Swap", FlowClass::non_posted, true},
    {"CAS", FlowClass::non_posted, true},
    {"Cpl", FlowClass::completion, false},
    {"CplD", FlowClass::completion, true},
    {"Msg", FlowClass::posted, false},
    {"MsgD", FlowClass::posted, true},
}};

const TypeRow& row_of(TlpType type) {
  return rows[static_cast<std::size_t>(type)];
}

}  // namespace

std::string_view name_of(TlpType type) {
  return row_of(type).name;
}

bool Tlp::has_data() const {
  return row_of(type).data;
}

FlowClass Tlp::flow_class() const {
  return row_of(type).flow_class;
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

void TlpQueue::push(Tlp& tlp) {
  tlp.next_tlp = nullptr;
  (last_ == nullptr ? first_ : last_->next_tlp) = &tlp;
  last_ = &tlp;
  ++size_;
}

void TlpQueue::push_front(Tlp& tlp) {
  tlp.next_tlp = first_;
  first_ = &tlp;
  if (last_ == nullptr) last_ = &tlp;
  ++size_;
}

Tlp& TlpQueue::pop() {
  Tlp& tlp = *first_;
  first_ = tlp.next_tlp;
  if (first_ == nullptr) last_ = nullptr;
  --size_;
  return tlp;
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

// SPDX-License-Identifier: MIT
// An endpoint's configuration space; see the header.
#include "platform/pcie/function_config.h"

#include <bit>
#include <stdexcept>
#include <vector>

namespace smmusim::platform {
namespace {

constexpr std::uint16_t command = 0x04, first_bar = 0x10;
constexpr std::uint32_t memory_space_bit = 1u << 1, bus_master_bit = 1u << 2;
constexpr std::uint32_t enable_bit_15 = 1u << 15;
constexpr std::uint32_t bar_64_bit = 1u << 2, bar_prefetchable = 1u << 3, bar_flags = 0xf;

std::vector<ConfigRegister> bar_rows(const std::array<Bar, 6>& bars) {
  std::vector<ConfigRegister> rows;
  for (unsigned i = 0; i != bars.size(); ++i) {
    const Bar& bar = bars[i];
    if (bar.bytes == 0) continue;
    if (!std::has_single_bit(bar.bytes) || bar.bytes < 16) {
      throw std::invalid_argument("a BAR's size is a power of two of at least 16 bytes");
    }
    const auto offset = static_cast<std::uint16_t>(first_bar + 4 * i);
    const std::uint64_t address_bits = ~(bar.bytes - 1);
    rows.push_back({offset, 4, (bar.is_64_bit ? bar_64_bit : 0) | (bar.prefetchable ? bar_prefetchable : 0),
                    static_cast<std::uint32_t>(address_bits) & ~bar_flags});
    if (!bar.is_64_bit) {
      if (bar.bytes > std::uint64_t{1} << 31) throw std::invalid_argument("a 32-bit BAR has at most 2 GiB");
      continue;
    }
    if (i + 1 == bars.size() || bars[i + 1].bytes != 0) {
      throw std::invalid_argument("a 64-bit BAR needs the register of the next one");
    }
    rows.push_back({static_cast<std::uint16_t>(offset + 4), 4, 0, static_cast<std::uint32_t>(address_bits >> 32)});
  }
  return rows;
}

std::vector<ConfigRegister> header_rows(const FunctionDescription& description) {
  std::vector<ConfigRegister> rows = {
      {0x00, 2, description.vendor},
      {0x02, 2, description.device},
      // Memory space, bus master, parity, SERR, no INTx. The parity and abort bits of Status clear with ones.
      {command, 2, 0, memory_space_bit | bus_master_bit | 1u << 6 | 1u << 8 | 1u << 10},
      {0x06, 2, 0, 0, 0xf900},
      {0x08, 4, description.revision | description.class_code << 8},
      {0x0c, 1, 0, 0xff},
      {0x2c, 2, description.vendor},
      {0x2e, 2, description.device},
      {0x3c, 1, 0, 0xff},
  };
  const std::vector<ConfigRegister> bars = bar_rows(description.bars);
  rows.insert(rows.end(), bars.begin(), bars.end());
  return rows;
}

}  // namespace

FunctionConfig::FunctionConfig(const FunctionDescription& description)
    : description_(description), space_(header_rows(description)) {
  pcie_ = space_.add(pcie_capability(description.pcie));
  if (description.msi) msi_ = space_.add(msi_capability(*description.msi));
  if (description.msix) msix_ = space_.add(msix_capability(*description.msix));
  if (description.ats) {
    const std::uint16_t at = space_.add(ats_capability(*description.ats, description.ats_hidden));
    if (!description.ats_hidden) ats_ = at;
  }
  if (description.pri) pri_ = space_.add(pri_capability(*description.pri));
  if (description.pasid) pasid_ = space_.add(pasid_capability(*description.pasid));
  set_rules();
}

void FunctionConfig::set_rules() {
  constexpr std::uint32_t stu_bits = 0x1fu << 16;  // of the doubleword that ends with ATS control
  constexpr std::uint32_t upper_half = 0xffff'0000;
  if (ats_) {
    space_.guard(*ats_ + 4, [this](std::uint32_t writable) { return ats_enabled() ? writable & ~stu_bits : writable; });
  }
  if (pasid_) {
    space_.guard(*pasid_ + 4,
                 [this](std::uint32_t writable) { return ats_enabled() ? writable & ~upper_half : writable; });
  }
  if (!pri_) return;
  space_.guard(*pri_ + cap::pri_allocation, [this](std::uint32_t) { return pri_enabled() ? 0 : ~std::uint32_t{0}; });
  space_.on_write(*pri_ + cap::pri_control, [this] {
    constexpr std::uint32_t reset_bit = 2, stopped = 1u << 8;
    constexpr auto flags = static_cast<std::uint32_t>(PriStatus::response_failure) |
                           static_cast<std::uint32_t>(PriStatus::unexpected_index);
    const auto status_at = static_cast<std::uint16_t>(*pri_ + cap::pri_status);
    const std::uint32_t now = control(pri_, cap::pri_control);
    std::uint32_t status = space_.read(status_at, 2);
    // Reset reads as zero; it clears the status only while Page Requests are off.
    if ((now & reset_bit) != 0 && !pri_enabled()) status &= ~flags;
    space_.set(static_cast<std::uint16_t>(*pri_ + cap::pri_control), now & ~reset_bit, 2);
    status = pri_enabled() ? status & ~stopped : status | stopped;
    space_.set(status_at, status, 2);
  });
}

std::uint32_t FunctionConfig::control(std::optional<std::uint16_t> at, std::uint16_t offset) const {
  return at ? space_.read(*at + offset, 2) : 0;
}

bool FunctionConfig::bus_master() const {
  return (space_.read(command, 2) & bus_master_bit) != 0;
}
bool FunctionConfig::memory_space() const {
  return (space_.read(command, 2) & memory_space_bit) != 0;
}
unsigned FunctionConfig::max_payload() const {
  return 128u << (control(pcie_, cap::pcie_device_control) >> 5 & 7);
}
unsigned FunctionConfig::max_read_request() const {
  return 128u << (control(pcie_, cap::pcie_device_control) >> 12 & 7);
}
bool FunctionConfig::extended_tags() const {
  return (control(pcie_, cap::pcie_device_control) & 1u << 8) != 0;
}
bool FunctionConfig::atomic_requester() const {
  return (control(pcie_, cap::pcie_device_control_2) & 1u << 6) != 0;
}
bool FunctionConfig::relaxed_ordering() const {
  return (control(pcie_, cap::pcie_device_control) & 1u << 4) != 0;
}
bool FunctionConfig::id_ordering() const {
  return (control(pcie_, cap::pcie_device_control_2) & 1u << 8) != 0;
}

bool FunctionConfig::ats_enabled() const {
  return (control(ats_, cap::ats_control) & enable_bit_15) != 0;
}
unsigned FunctionConfig::stu_bits() const {
  return 12 + (control(ats_, cap::ats_control) & 31);
}
bool FunctionConfig::pri_enabled() const {
  return (control(pri_, cap::pri_control) & 1) != 0;
}
std::uint32_t FunctionConfig::pri_allocation() const {
  return pri_ ? space_.read(*pri_ + cap::pri_allocation, 4) : 0;
}
bool FunctionConfig::pri_failed() const {
  return (control(pri_, cap::pri_status) & static_cast<std::uint32_t>(PriStatus::response_failure)) != 0;
}
void FunctionConfig::report(PriStatus flag) {
  if (!pri_) return;
  const auto at = static_cast<std::uint16_t>(*pri_ + cap::pri_status);
  space_.set(at, space_.read(at, 2) | static_cast<std::uint32_t>(flag), 2);
}
unsigned FunctionConfig::invalidate_queue_depth() const {
  return description_.ats ? description_.ats->invalidate_queue_depth : 0;
}
unsigned FunctionConfig::pasid_bits() const {
  return description_.pasid ? description_.pasid->width : 0;
}
bool FunctionConfig::pasid_enabled() const {
  return (control(pasid_, cap::pasid_control) & 1) != 0;
}
bool FunctionConfig::pasid_execute() const {
  return pasid_enabled() && (control(pasid_, cap::pasid_control) & 2) != 0;
}
bool FunctionConfig::pasid_privileged() const {
  return pasid_enabled() && (control(pasid_, cap::pasid_control) & 4) != 0;
}
bool FunctionConfig::msi_enabled() const {
  return (control(msi_, cap::msi_control) & 1) != 0;
}
bool FunctionConfig::msix_enabled() const {
  return (control(msix_, cap::msix_control) & enable_bit_15) != 0;
}

std::optional<std::uint64_t> FunctionConfig::bar_address(unsigned index) const {
  if (index >= description_.bars.size() || description_.bars[index].bytes == 0) return std::nullopt;
  const std::uint32_t offset = first_bar + 4 * index;
  const std::uint64_t low = space_.read(offset, 4) & ~bar_flags;
  return description_.bars[index].is_64_bit ? low | std::uint64_t{space_.read(offset + 4, 4)} << 32 : low;
}

std::optional<BarOffset> FunctionConfig::bar_at(std::uint64_t address, std::uint32_t bytes) const {
  if (!memory_space()) return std::nullopt;
  for (unsigned bar = 0; bar != description_.bars.size(); ++bar) {
    const auto base = bar_address(bar);
    if (!base || address < *base) continue;
    const std::uint64_t offset = address - *base;
    if (offset < bar_bytes(bar) && bytes <= bar_bytes(bar) - offset) return BarOffset{bar, offset};
  }
  return std::nullopt;
}

std::optional<std::uint16_t> FunctionConfig::capability(std::uint16_t id, bool extended) const {
  if (!extended) {
    for (std::uint32_t at = space_.read(0x34, 1); at != 0; at = space_.read(at + 1, 1)) {
      if (space_.read(at, 1) == id) return static_cast<std::uint16_t>(at);
    }
    return std::nullopt;
  }
  for (std::uint32_t at = ConfigSpace::first_extended; at != 0; at = space_.read(at, 4) >> 20) {
    if (id != 0 && (space_.read(at, 4) & 0xffff) == id) return static_cast<std::uint16_t>(at);
  }
  return std::nullopt;
}

}  // namespace smmusim::platform

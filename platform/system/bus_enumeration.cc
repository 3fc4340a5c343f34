// SPDX-License-Identifier: MIT
// Numbering, sizing, placing; see the header.
#include "platform/system/bus_enumeration.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "platform/config/bdf.h"

namespace smmusim {
namespace {

namespace reg = platform::bridge_register;

constexpr unsigned buses = 256, devices = 32, functions_of_device = 8;
constexpr std::uint32_t nobody = 0xffff, header_type = 0x0e, first_bar = 0x10;
constexpr std::uint64_t window_unit = 1 << 20, addresses_of_32_bits = std::uint64_t{1} << 32;

enum class Kind : std::uint8_t { memory, prefetchable };

constexpr std::uint64_t up_to(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

Kind kind_of(const FoundBar& bar) {
  return bar.prefetchable && bar.is_64_bit ? Kind::prefetchable : Kind::memory;
}

class Enumerator {
 public:
  Enumerator(const PciAccess& access, const EnumerationPlan& plan) : access_(access), plan_(plan) {}

  Enumeration run() {
    scan(0, std::nullopt);
    for (const Kind kind : {Kind::memory, Kind::prefetchable}) place_all(kind);
    for (const FoundFunction& function : found_.functions) enable(function);
    return std::move(found_);
  }

 private:
  using Bridge = std::optional<std::uint16_t>;  // by RID
  /// What lies together: a BAR, or all of a kind that is below a bridge.
  struct Item {
    std::size_t function = 0;  // index
    std::size_t bar = 0;       // of an endpoint, index in its list
    std::uint64_t bytes = 0, alignment = 1;
  };

  ConfigAccess at(std::uint16_t rid) const { return {access_, rid}; }

  void scan(unsigned bus, Bridge bridge) {
    constexpr std::uint32_t several_functions = 0x80;
    for (unsigned device = 0; device != devices; ++device) {
      const auto first = static_cast<std::uint16_t>(bus << 8 | device << 3);
      if (at(first).read(0, 2) == nobody) continue;
      const bool several = bus == 0 || (at(first).read(header_type, 1) & several_functions) != 0;
      for (unsigned function = 0; function != (several ? functions_of_device : 1); ++function) {
        const auto rid = static_cast<std::uint16_t>(first | function);
        if (at(rid).read(0, 2) != nobody) add(rid, bridge);
      }
    }
  }

  void add(std::uint16_t rid, Bridge bridge) {
    const bool is_bridge = (at(rid).read(header_type, 1) & 0x7f) == 1;
    if (!is_bridge && !bridge) return;
    FoundFunction& made = found_.functions.emplace_back();
    made.rid = rid;
    made.bridge = bridge;
    made.is_bridge = is_bridge;
    if (is_bridge) {
      number(found_.functions.size() - 1);
    } else {
      size_bars(made);
    }
  }

  void number(std::size_t index) {
    const std::uint16_t rid = found_.functions[index].rid;
    if (next_bus_ == buses) {
      at(rid).write(reg::primary_bus, 0, 2);
      problem(rid, "has no bus number for what is below it: all 256 are taken");
      return;
    }
    const unsigned secondary = next_bus_++;
    at(rid).write(reg::primary_bus, rid >> 8, 1);
    at(rid).write(reg::secondary_bus, secondary, 1);
    at(rid).write(reg::subordinate_bus, buses - 1, 1);
    scan(secondary, rid);
    at(rid).write(reg::subordinate_bus, next_bus_ - 1, 1);
    found_.functions[index].secondary = secondary;
    found_.functions[index].subordinate = next_bus_ - 1;
  }

  void size_bars(FoundFunction& function) {
    constexpr std::uint32_t io = 1, address_64 = 4, prefetchable = 8, flags = 0xf;
    const ConfigAccess config = at(function.rid);
    for (unsigned i = 0; i != 6; ++i) {
      const std::uint32_t offset = first_bar + 4 * i;
      config.write(offset, ~std::uint32_t{0}, 4);
      const std::uint32_t low = config.read(offset, 4);
      config.write(offset, 0, 4);
      if (low == 0 || (low & io) != 0) continue;
      FoundBar bar{.index = i, .is_64_bit = (low & address_64) != 0, .prefetchable = (low & prefetchable) != 0};
      std::uint64_t mask = low & ~flags;
      if (bar.is_64_bit) {
        config.write(offset + 4, ~std::uint32_t{0}, 4);
        mask |= std::uint64_t{config.read(offset + 4, 4)} << 32;
        config.write(offset + 4, 0, 4);
        ++i;
      } else {
        mask |= ~std::uint64_t{0} << 32;
      }
      bar.bytes = ~mask + 1;
      function.bars.push_back(bar);
    }
  }

  /// What the bridge's window of a kind must hold; nothing: what all of the root ports' must.
  std::vector<Item> items_below(Bridge bridge, Kind kind) const {
    std::vector<Item> items;
    for (std::size_t i = 0; i != found_.functions.size(); ++i) {
      const FoundFunction& function = found_.functions[i];
      if (function.bridge != bridge) continue;
      if (function.is_bridge) {
        Item item = whole(items_below(function.rid, kind));
        item.function = i;
        if (item.bytes != 0) items.push_back(item);
      }
      for (std::size_t bar = 0; bar != function.bars.size(); ++bar) {
        const std::uint64_t bytes = function.bars[bar].bytes;
        if (kind_of(function.bars[bar]) == kind) items.push_back({i, bar, bytes, bytes});
      }
    }
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.alignment > b.alignment; });
    return items;
  }

  static Item whole(const std::vector<Item>& items) {
    Item sum{.alignment = window_unit};
    for (const Item& item : items) {
      sum.bytes = up_to(sum.bytes, item.alignment) + item.bytes;
      sum.alignment = std::max(sum.alignment, item.alignment);
    }
    sum.bytes = up_to(sum.bytes, window_unit);
    return sum;
  }

  void place_all(Kind kind) {
    for (const FoundFunction& function : found_.functions) {
      if (function.is_bridge) close(function, kind);
    }
    const std::uint64_t end = plan_.window.last + 1;  // 0: 2^64, which no sum reaches
    for (const Item& item : items_below(std::nullopt, kind)) {
      const std::uint64_t base = up_to(std::max(cursor_, plan_.window.first), item.alignment);
      const bool reachable = kind == Kind::prefetchable || base + item.bytes <= addresses_of_32_bits;
      if (base < plan_.window.first || item.bytes > end - base || base > plan_.window.last || !reachable) {
        problem(found_.functions[item.function].rid,
                fmt::format("has no room for 0x{:x} bytes of BARs below it; enlarge pcie.mmio_size", item.bytes));
        continue;
      }
      place(item, base, kind);
      cursor_ = base + item.bytes;
    }
  }

  void place(const Item& item, std::uint64_t base, Kind kind) {
    FoundFunction& function = found_.functions[item.function];
    if (!function.is_bridge) {
      FoundBar& bar = function.bars[item.bar];
      bar.address = base;
      at(function.rid).write(first_bar + 4 * bar.index, static_cast<std::uint32_t>(base), 4);
      if (bar.is_64_bit)
        at(function.rid).write(first_bar + 4 * bar.index + 4, static_cast<std::uint32_t>(base >> 32), 4);
      return;
    }
    open(function, kind, base, base + item.bytes - 1);
    std::uint64_t cursor = base;
    for (const Item& below : items_below(function.rid, kind)) {
      cursor = up_to(cursor, below.alignment);
      place(below, cursor, kind);
      cursor += below.bytes;
    }
  }

  void open(const FoundFunction& bridge, Kind kind, std::uint64_t first, std::uint64_t last) const {
    const ConfigAccess config = at(bridge.rid);
    const bool prefetchable = kind == Kind::prefetchable;
    const auto field = [](std::uint64_t address) { return static_cast<std::uint32_t>(address >> 16 & 0xfff0); };
    config.write(prefetchable ? reg::prefetchable_base : reg::memory_base, field(first), 2);
    config.write(prefetchable ? reg::prefetchable_limit : reg::memory_limit, field(last), 2);
    if (!prefetchable) return;
    config.write(reg::prefetchable_base_upper, static_cast<std::uint32_t>(first >> 32), 4);
    config.write(reg::prefetchable_limit_upper, static_cast<std::uint32_t>(last >> 32), 4);
  }

  void close(const FoundFunction& bridge, Kind kind) const { open(bridge, kind, addresses_of_32_bits - 1, 0); }

  /// A function whose BARs have no address answers in none.
  void enable(const FoundFunction& function) {
    constexpr std::uint32_t memory_space = 2, bus_master = 4;
    constexpr std::uint16_t pcie_id = 0x10, acs_id = 0x0d;
    const ConfigAccess config = at(function.rid);
    const bool placed =
        std::all_of(function.bars.begin(), function.bars.end(), [](const FoundBar& bar) { return bar.address != 0; });
    config.write(reg::command, bus_master | (placed ? memory_space : 0), 2);
    if (!function.is_bridge) return;
    if (const std::uint32_t acs = config.find_extended(acs_id); acs != 0) {
      config.write(acs + platform::cap::acs_control, plan_.acs & config.read(acs + 4, 2), 2);
    }
    const auto size_code = static_cast<std::uint32_t>(std::bit_width(plan_.mps_bytes)) - 8;  // 128: 0
    const std::uint32_t control = config.find(pcie_id) + platform::cap::pcie_device_control;
    config.write(control, (config.read(control, 2) & ~0xe0U) | size_code << 5, 2);
  }

  void problem(std::uint16_t rid, const std::string& sentence) {
    found_.problems.push_back(format_bdf(rid) + " " + sentence);
  }

  const PciAccess& access_;
  const EnumerationPlan& plan_;
  Enumeration found_;
  unsigned next_bus_ = 1;
  std::uint64_t cursor_ = 0;
};

}  // namespace

Enumeration enumerate_buses(const PciAccess& access, const EnumerationPlan& plan) {
  return Enumerator(access, plan).run();
}

}  // namespace smmusim

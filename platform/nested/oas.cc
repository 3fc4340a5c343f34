// SPDX-License-Identifier: MIT
// Output sizes; see the header. 56 bits exist with 128-bit descriptors only (SM-ID-010), which this version lacks.
#include "platform/nested/oas.h"

#include <fmt/format.h>

#include <bit>

#include "model/spec/codes.h"
#include "model/spec/id_registers.h"
#include "platform/driver/geometry.h"

namespace smmusim::nested {
namespace {

constexpr unsigned architected[] = {32, 36, 40, 42, 44, 48, 52, 56};
constexpr unsigned stage1_levels = 4;

/// Levels of a stage-2 table of `bits` input bits; 0 where the granule has none that large.
unsigned stage2_levels(unsigned bits, unsigned granule_bits) {
  constexpr unsigned bits_max = 52;
  if (bits > bits_max) return 0;
  Geometry geometry;
  geometry.granule_bits = granule_bits;
  geometry.input_bits = bits;
  geometry.concatenated = true;
  return static_cast<unsigned>(Geometry::last_level + 1 - geometry.start_level());
}

unsigned nested_fetches(unsigned levels) {
  return levels == 0 ? 0 : stage1_levels * (levels + 1) + levels;
}

std::string reason_of(const OasChoice& choice, const OasLimits& limits, OasCheck check, bool granule64_or_ds) {
  if (choice.bits == 56) return "56 bits need 128-bit descriptors (IDR5.D128), which are never offered";
  if (choice.bits == 52 && !granule64_or_ds)
    return "52 bits need the 64 KiB granule or IDR5.DS, and neither is offered";
  if (choice.bits > limits.of(check)) {
    return fmt::format("the vSMMU's OAS would be {} bits, and the host takes IPAs of {} bits ({}; {} = {})",
                       choice.bits, limits.of(check), check == OasCheck::aperture ? "its aperture" : "its IDR5.OAS",
                       check == OasCheck::aperture ? "its IDR5.OAS" : "its aperture",
                       check == OasCheck::aperture ? limits.idr5 : limits.aperture);
  }
  if (choice.unreachable_part) {
    return fmt::format("IPAs above {} bits fault at the host's stage 2, unseen by the guest", limits.aperture);
  }
  return "the host takes every IPA of that size";
}

}  // namespace

OasLimits oas_limits(const HostReport& report) {
  OasLimits limits;
  // The largest n with 2^n - 1 <= aperture_last.
  limits.aperture = report.aperture_last == ~std::uint64_t{0}
                        ? 64
                        : static_cast<unsigned>(std::bit_width(report.aperture_last + 1)) - 1;
  limits.idr5 = spec::address_bits(static_cast<unsigned>(spec::IDR5::OAS::raw(report.idr[5])));
  return limits;
}

OasChoice oas_choice(unsigned bits, const HostReport& report, OasCheck check, bool granule64_or_ds) {
  const OasLimits limits = oas_limits(report);
  OasChoice choice;
  choice.bits = bits;
  choice.levels_4k = stage2_levels(bits, 12);
  choice.levels_64k = stage2_levels(bits, 16);
  choice.fetches_4k = nested_fetches(choice.levels_4k);
  choice.fetches_64k = nested_fetches(choice.levels_64k);
  choice.unreachable_part = bits > limits.aperture;
  choice.possible = bits != 56 && (bits != 52 || granule64_or_ds) && bits <= limits.of(check);
  choice.reason = reason_of(choice, limits, check, granule64_or_ds);
  return choice;
}

std::vector<OasChoice> oas_choices(const HostReport& report, OasCheck check, bool granule64_or_ds) {
  std::vector<OasChoice> choices;
  for (const unsigned bits : architected) choices.push_back(oas_choice(bits, report, check, granule64_or_ds));
  return choices;
}

unsigned largest_oas(const HostReport& report, OasCheck check, bool granule64_or_ds) {
  unsigned largest = 0;
  for (const OasChoice& choice : oas_choices(report, check, granule64_or_ds)) {
    if (choice.possible) largest = choice.bits;
  }
  return largest;
}

}  // namespace smmusim::nested

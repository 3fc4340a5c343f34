// SPDX-License-Identifier: MIT
// Layout: what firmware tells an operating system about a platform's SMMUs and root complex, taken from the
// PlatformConfig and address_map.h. The device tree and the IORT table say the same because both are written from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "platform/config/platform_config.h"

namespace smmusim::emit {

struct Region {
  std::uint64_t base = 0;  ///< bytes
  std::uint64_t bytes = 0;
};

/// Whether they have a byte in common.
bool overlap(const Region& a, const Region& b);

struct SmmuPlace {
  Region frame;
  std::optional<std::uint64_t> vatos;  ///< address of the VATOS page (IDR2.BA_VATOS), if there is one
  unsigned first_spi = 0;              ///< the others follow as in address_map.h
  bool pri = false;                    ///< IDR0.PRI: there is a PRI queue interrupt
  bool coherent = false;               ///< IDR0.COHACC
  bool msi = false;                    ///< IDR0.MSI, and there is an ITS for its messages
  unsigned httu = 0;                   ///< IDR0.HTTU
  std::uint32_t device_id = 0;         ///< of the SMMU's own messages at the ITS

  unsigned spi(unsigned which) const { return first_spi + which; }
};

/// RIDs [rid_base, rid_base + count) have StreamIDs stream_base + (RID - rid_base) at one SMMU.
struct RidRange {
  std::uint32_t rid_base = 0;
  std::uint32_t count = 0;
  std::uint32_t stream_base = 0;
  std::size_t smmu = 0;
};

struct Layout {
  Region memory;
  Region doorbells;
  std::optional<Region> its;  ///< absent: the doorbells have no room for one
  std::vector<SmmuPlace> smmus;
  std::vector<RidRange> rids;  ///< ascending, as few as possible
  bool ats = false;            ///< some function is behind an SMMU with ATS
  bool pri = false;
  unsigned pasid_bits = 0;  ///< widest PASID that a function has and its SMMU takes; 0: none
};

/// A configuration without endpoints gives every RID its own number as StreamID, as far as SIDSIZE reaches, at
/// endpoint_template's SMMU: what a run makes of a trace's streams. Throws InputError, all reasons in one text, for two
/// endpoints with one RID, an ITS that is not aligned, and more SMMUs than interrupts.
Layout layout_of(const PlatformConfig& config);

/// Throws InputError if a part whose place is fixed (address_map.h) overlaps memory, doorbells or a register frame.
void require_room(const Layout& layout);

}  // namespace smmusim::emit

// SPDX-License-Identifier: MIT
// The messages of ATS and PRI between the SMMU and the devices behind a Root Complex (IHI 0070 sections 3.9.1, 4.5 and
// chapter 8; the formats on the wire are PCIe's). Plain values: who carries them, and how long that takes, is outside.
#pragma once

#include <cstdint>

#include "model/base/types.h"
#include "model/smmu/transaction.h"

namespace smmusim {

/// An ATS Invalidate Request, from CMD_ATC_INV.
struct AtcInvalidate {
  StreamId stream_id{};
  bool substream_valid = false;  ///< it has a PASID
  SubstreamId substream_id{};
  bool global = false;        ///< Global Invalidate
  std::uint64_t address = 0;  ///< of the device's address space, aligned to the span
  unsigned span_bits = 12;    ///< log2 of the bytes; 64: everything
  std::uint32_t tag = 0;      ///< what the device's completion names; the ITag is its low five bits
};

/// A PCIe Page Request Message. With a PASID, `last` and neither `read` nor `write` it is a Stop Marker.
struct PageRequest {
  StreamId stream_id{};
  bool substream_valid = false;  ///< it has a PASID
  SubstreamId substream_id{};
  SecurityState security = SecurityState::non_secure;
  bool privileged = false;
  bool execute = false;
  bool read = false;
  bool write = false;
  bool last = false;
  unsigned group = 0;  ///< Page Request Group Index, 9 bits
  std::uint64_t address = 0;

  constexpr bool stop_marker() const { return substream_valid && last && !read && !write; }
};

/// Response Code of a Page Request Group Response (section 8.3).
enum class PageResponseCode : std::uint8_t { success = 0, invalid_request = 1, response_failure = 15 };

/// A PCIe Page Request Group Response, from CMD_PRI_RESP or made by the SMMU itself.
struct PageResponse {
  StreamId stream_id{};
  bool substream_valid = false;  ///< it has a PASID
  SubstreamId substream_id{};
  unsigned group = 0;
  PageResponseCode code = PageResponseCode::success;
};

}  // namespace smmusim

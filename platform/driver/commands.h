// SPDX-License-Identifier: MIT
// The commands that an operating system's driver issues, as values (IHI 0070 chapter 4). Encoding only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/base/types.h"
#include "model/spec/command.h"

namespace smmusim {

spec::Command make_cfgi_ste(StreamId stream, bool leaf = true);
/// Covers 2^(range + 1) StreamIDs, aligned; range is 0 to 31.
spec::Command make_cfgi_ste_range(StreamId stream, unsigned range);
spec::Command make_cfgi_all();
spec::Command make_cfgi_cd(StreamId stream, SubstreamId substream, bool leaf = true);
spec::Command make_cfgi_cd_all(StreamId stream);
spec::Command make_tlbi_nh_all(Vmid vmid);
spec::Command make_tlbi_nh_asid(Vmid vmid, Asid asid);
spec::Command make_tlbi_nsnh_all();
spec::Command make_tlbi_s12_vmall(Vmid vmid);
/// Invalidates a device's ATC for addresses without SubstreamID: the smallest aligned power of two of pages around
/// [first, last], as Linux does.
spec::Command make_atc_inv(StreamId stream, std::uint64_t first, std::uint64_t last);
/// The same for addresses with this SubstreamID.
spec::Command make_atc_inv(StreamId stream, SubstreamId substream, std::uint64_t first, std::uint64_t last);
/// Answers the Page Request Group `group`; `with_pasid`: the device wants to see its PASID.
spec::Command make_pri_resp(StreamId stream, std::optional<SubstreamId> with_pasid, unsigned group,
                            spec::PriResp response);
/// Completion is polled at CMDQ_CONS; `signal` is what Linux uses then.
spec::Command make_sync(spec::SyncSignal signal = spec::SyncSignal::sev);

/// What an invalidation by address covers.
struct TlbiRange {
  spec::Opcode opcode = spec::Opcode::CMD_TLBI_NH_VA;  ///< NH_VA, NH_VAA or S2_IPA
  Asid asid{};                                         ///< of NH_VA
  Vmid vmid{};
  std::uint64_t address = 0;   ///< a multiple of the granule
  std::uint64_t granules = 1;  ///< how many
  unsigned granule_bits = 12;  ///< 12, 14 or 16
  bool leaf = true;
  unsigned ttl = 0;  ///< level of the leaf, 0: any
};

/// More commands than this for one range are not worth it: the whole ASID (or VMID) is invalidated instead, as Linux
/// does for what exceeds one last-level table.
inline constexpr std::uint64_t tlbi_commands_max = 512;

/// Appends the commands that invalidate `range`: with range invalidation (IDR3.RIL) as few as its NUM and SCALE
/// allow, else one for each granule; or one for the whole ASID or VMID (tlbi_commands_max).
void append_tlbi_range(std::vector<spec::Command>& commands, const TlbiRange& range, bool range_invalidation);

}  // namespace smmusim

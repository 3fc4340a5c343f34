// SPDX-License-Identifier: MIT
// The used bits are those that IHI 0070 sections 5.2 and 5.4 give a meaning for each STE.Config and for CD.EPD0, as far
// as the driver ever sets them.
#include "tests/support/linux_entry_writer.h"

namespace smmusim::linux_driver {
namespace {

using raw::Bits;
namespace ste = raw::ste;
namespace cd = raw::cd;

constexpr Bits S2FWB{89, 89}, VTCR{178, 160}, S2AA64{179, 179}, S2ENDI{180, 180}, S2PTW{182, 182}, S2S{185, 185};
constexpr Bits S2R{186, 186}, S2TTB{243, 196};

void use(Entry& mask, std::initializer_list<Bits> fields) {
  for (const Bits bits : fields) mask.put(bits, ~std::uint64_t{0});
}

Entry used_of_ste(const Entry& entry) {
  Entry mask;
  use(mask, {ste::V});
  if (entry.get(ste::V) == 0) return mask;
  use(mask, {ste::Config});
  const std::uint64_t config = entry.get(ste::Config);
  if ((config & 4) == 0) return mask;
  if (config == 4) use(mask, {ste::SHCFG});
  if ((config & 1) != 0) {
    use(mask, {ste::S1Fmt, ste::S1ContextPtr, ste::S1CDMax, ste::S1DSS, ste::S1CIR, ste::S1COR, ste::S1CSH,
               ste::S1STALLD, ste::STRW, ste::EATS, ste::MEV, ste::S2VMID});
    if (entry.get(ste::S1DSS) == 1) use(mask, {ste::SHCFG});
  }
  if ((config & 2) != 0) {
    use(mask, {S2FWB, ste::EATS, ste::SHCFG, ste::MEV, ste::S2VMID, VTCR, S2AA64, S2ENDI, S2PTW, S2S, S2R, S2TTB});
  }
  return mask;
}

/// ATS is off at the device while EATS changes, and MEV is only a permission; but EATS with S2S would be ILLEGAL, and
/// split-stage ATS means something else.
Entry safe_of_ste(const Entry& from, const Entry& to) {
  Entry mask;
  use(mask, {ste::MEV});
  const bool split_stage = ((from.get(ste::EATS) | to.get(ste::EATS)) & 2) != 0;
  const bool stalls = (from.get(S2S) | to.get(S2S)) != 0;
  if (!split_stage && !stalls) use(mask, {ste::EATS});
  return mask;
}

Entry used_of_cd(const Entry& entry) {
  Entry mask;
  use(mask, {cd::V});
  if (entry.get(cd::V) == 0) return mask;
  for (std::uint64_t& word : mask.dw) word = ~std::uint64_t{0};
  if (entry.get(cd::EPD0) != 0) {
    for (const Bits bits : {cd::T0SZ, cd::TG0, cd::IR0, cd::OR0, cd::SH0, cd::TTB0}) mask.put(bits, 0);
  }
  return mask;
}

Entry nothing_safe(const Entry&, const Entry&) {
  return {};
}

class StepMaker {
 public:
  explicit StepMaker(const Entry& from) : now_(from) {}

  /// One step that brings words [first, last) to `wanted`; none if they are there already.
  void bring(const Entry& wanted, std::size_t first = 0, std::size_t last = 8) {
    Step step;
    for (std::size_t i = first; i < last; ++i) {
      if (now_.dw[i] == wanted.dw[i]) continue;
      now_.dw[i] = wanted.dw[i];
      step.push_back({i, wanted.dw[i]});
    }
    if (!step.empty()) steps.push_back(step);
  }
  std::vector<Step> steps;

 private:
  Entry now_;
};

}  // namespace

const EntryKind stream_table_entry{used_of_ste, safe_of_ste};
const EntryKind context_descriptor{used_of_cd, nothing_safe};

Update plan_update(const EntryKind& kind, const Entry& from, const Entry& to) {
  const Entry used_before = kind.used(from), used_after = kind.used(to), safe = kind.safe(from, to);
  Entry prepared;  // `from` for the SMMU, with all of `to` that the SMMU does not look at yet
  std::vector<std::size_t> critical;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint64_t keep = used_before.dw[i] & ~(safe.dw[i] & used_after.dw[i]);
    prepared.dw[i] = (from.dw[i] & keep) | (to.dw[i] & ~keep);
    if (((prepared.dw[i] ^ to.dw[i]) & used_after.dw[i]) != 0) critical.push_back(i);
  }
  StepMaker maker(from);
  if (critical.size() > 1) {
    maker.bring(Entry{}, 0, 1);  // V=0
    maker.bring(to, 1, 8);
    maker.bring(to, 0, 1);
    return {maker.steps, false};
  }
  if (critical.size() == 1) prepared.dw[critical[0]] = from.dw[critical[0]];
  maker.bring(prepared);
  for (const std::size_t i : critical) maker.bring(to, i, i + 1);
  maker.bring(to);
  return {maker.steps, true};
}

bool looks_like(const EntryKind& kind, const Entry& image, const Entry& end, const Entry& safe) {
  const Entry used = kind.used(end);
  for (std::size_t i = 0; i < 8; ++i) {
    if (((image.dw[i] ^ end.dw[i]) & used.dw[i] & ~safe.dw[i]) != 0) return false;
  }
  return true;
}

}  // namespace smmusim::linux_driver

// SPDX-License-Identifier: MIT
// Addresses and decoded fields of a configuration: see configuration_check.h. The log has no words of STE and CD; what
// it decodes from them is compared field by field.
#include "tests/oracle/configuration_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/spec/cd.h"
#include "model/spec/l1.h"
#include "model/spec/registers.h"
#include "model/spec/ste.h"

namespace smmusim::oracle {
namespace {

using spec::Cd;
using spec::Ste;

class Comparison {
 public:
  void equal(const char* what, std::uint64_t ours, std::uint64_t logged) {
    if (ours != logged) findings.push_back(fmt::format("{} is {:#x}, logged {:#x}", what, ours, logged));
  }
  std::vector<std::string> findings;
};

template <class Structure>
Structure words_of(const SeenStructure& seen) {
  Structure structure;
  std::copy_n(seen.words.begin(), structure.dw.size(), structure.dw.begin());
  return structure;
}

unsigned granule_bits(spec::Tg0 tg0) {
  constexpr unsigned bits[4] = {12, 16, 14, 0};
  return bits[static_cast<unsigned>(tg0) & 3];
}

}  // namespace

std::vector<std::string> compare_configuration(const LoggedConfiguration& logged, const StreamTableRegisters& registers,
                                               unsigned oas, const SeenStructure& l1std, const SeenStructure& ste,
                                               const SeenStructure& cd, std::uint64_t& span_bound_of_qemu) {
  using CFG = spec::STRTAB_BASE_CFG;
  Comparison c;
  c.equal("STRTAB_BASE", registers.strtab_base, logged.strtab_base);
  c.equal("STRTAB_BASE_CFG.FMT", CFG::FMT::raw(registers.strtab_base_cfg), logged.features & 1);
  c.equal("STRTAB_BASE_CFG.SPLIT", CFG::SPLIT::raw(registers.strtab_base_cfg), logged.sid_split);
  c.equal("StreamID above SPLIT", logged.sid >> logged.sid_split, logged.l1_off);
  c.equal("address of the L1STD", l1std.address, logged.l1ptr + 8 * logged.l1_off);

  const auto l1 = words_of<spec::L1std>(l1std);
  c.equal("L1STD.L2Ptr", l1.get<spec::L1std::L2Ptr>(), logged.l2ptr);
  // The table has 2^(Span-1) STEs (section 5.1). QEMU bounds the index by 2^Span - 1 (reference/qemu.md, 5.2 number 1).
  const unsigned span = l1.get<spec::L1std::Span>();
  if (span != 0 && logged.max_l2_ste == low_mask(span)) {
    ++span_bound_of_qemu;
  } else {
    c.equal("last index of the level-2 table", span == 0 ? 0 : low_mask(span - 1), logged.max_l2_ste);
  }
  c.equal("StreamID below SPLIT", logged.sid & low_mask(static_cast<unsigned>(logged.sid_split)), logged.l2_off);
  c.equal("address of the STE", ste.address, logged.ste);
  c.equal("L2Ptr + 64 * index", logged.l2ptr + 64 * logged.l2_off, logged.ste);

  const auto stream = words_of<Ste>(ste);
  c.equal("STE.V", stream.get<Ste::V>(), 1);
  c.equal("STE.Config", static_cast<std::uint64_t>(stream.get<Ste::Config>()), 5);  // the log has a CD and no stage 2
  c.equal("STE.S1ContextPtr", stream.get<Ste::S1ContextPtr>(), logged.cd);
  c.equal("address of the CD", cd.address, logged.cd);

  const auto context = words_of<Cd>(cd);
  c.equal("CD.V", context.get<Cd::V>(), 1);
  c.equal("CD.IPS in bits, at most OAS", std::min(spec::address_bits(context.get<Cd::IPS>()), oas), logged.oas);
  c.equal("CD.T0SZ", context.get<Cd::T0SZ>(), logged.tsz);
  c.equal("CD.TTB0", context.get<Cd::TTB0>(), logged.ttb);
  c.equal("CD.TG0 in bits", granule_bits(context.get<Cd::TG0>()), logged.granule_sz);
  c.equal("CD.HAD0", context.get<Cd::HAD0>(), logged.had);
  c.equal("CD.EPD0", context.get<Cd::EPD0>(), 0);
  c.equal("CD.EPD1", context.get<Cd::EPD1>(), 1);  // else the log would have a line TT[1]
  return c.findings;
}

}  // namespace smmusim::oracle

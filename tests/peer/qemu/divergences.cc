// SPDX-License-Identifier: MIT
// The table. Rows were found by running, then read in QEMU's sources (hw/arm/smmuv3.c, smmu-common.c); each has a
// hand-made case in vectors.cc that shows it. The first row that fits explains a difference: rows that let only some
// bits of a record differ come first.
#include "tests/peer/qemu/divergences.h"

#include <algorithm>

#include "tests/peer/qemu/rules.h"

namespace smmusim::peer {
namespace {

constexpr unsigned none = 0, bad_streamid = 0x02, ste_fetch = 0x03, bad_ste = 0x04, cd_fetch = 0x09;
constexpr unsigned walk_eabt = 0x0b, translation = 0x10, addr_size = 0x11, access_flag = 0x12, permission = 0x13;
// Bits of the second doubleword of an event.
constexpr std::uint64_t rnw = std::uint64_t{1} << 35, s2 = std::uint64_t{1} << 39, ttrnw = std::uint64_t{1} << 44;
constexpr std::uint64_t all = ~std::uint64_t{0};

const std::vector<Divergence>& table() {
  const std::vector<unsigned> any{};
  // clang-format off
  static const std::vector<Divergence> rows = {
      {"ips-reserved", "5.4 IPS", "stops in an assertion at CD.IPS 6 and 7, which act as the OAS", rules::ips_reserved, any, any, {}, true},
      {"s2aa64", "5.2 S2AA64", "stops in an assertion at S2AA64=0 instead of C_BAD_STE", rules::s2aa64, any, any, {}, true},
      {"cd-fetch-address", "7.3.10", "puts FetchAddr of F_CD_FETCH into the place of InputAddr", rules::cd_fetch_address, {cd_fetch}, {cd_fetch}, {0, 0, all, all}},
      {"ttrnw", "7.3.16", "never sets TTRnW", rules::nested, {permission}, {permission}, {0, ttrnw, 0, 0}},
      {"class-rnw", "7.3.13", "reports RnW=1 for a write where stage 2 refuses the CD or TTB", rules::nested_write, any, any, {0, rnw | ttrnw, 0, 0}},
      {"table-fault-stage", "7.3.13", "reports S2=0 where stage 2 refuses a stage-1 table", rules::nested, any, any, {0, s2 | ttrnw, 0, 0}},
      {"table-fault-address", "7.3.12, 7.3.13", "reports the IPA of a refused stage-1 table's start for that of the descriptor or for FetchAddr", rules::nested, any, any, {0, rnw | s2 | ttrnw, 0, all}},
      {"recinvsid", "6.3.12, 7.3.3", "records C_BAD_STREAMID with CR2.RECINVSID=0", rules::recinvsid, {none}, {bad_streamid, ste_fetch, bad_ste}},
      {"l2-span", "5.1.2", "takes 2^Span STEs for 2^(Span-1), and reports C_BAD_STE beyond", rules::l2_span, {bad_streamid, none}, any},
      {"l2ptr-bits", "5.1.2", "uses bits above L2Ptr as address", rules::l2ptr_bits, any, {ste_fetch}},
      {"s1cdmax", "5.2 S1CDMax", "takes S1CDMax for illegal where SSIDSIZE=0 makes it ignored", rules::s1cdmax, any, {bad_ste}},
      {"s1stalld", "5.2 S1STALLD", "takes S1STALLD for illegal without stage 1", rules::s1stalld, any, {bad_ste}},
      {"s2t0sz-ps", "5.2 S2T0SZ", "limits the IPA size to S2PS, not to the IAS", rules::s2t0sz_ps, any, {bad_ste}},
      {"s2-start-level", "5.2 S2SL0", "takes a start level above all bits of the IPA for legal", rules::s2_start_level, {bad_ste}, any},
      {"s2ha-s2hd", "5.2 S2HA", "does not take S2HA or S2HD without HTTU for illegal", rules::s2ha_s2hd, {bad_ste}, any},
      {"context-pointer", "3.4.3, 5.2", "fetches a CD beyond the OAS instead of C_BAD_STE; nested, it then records nothing", rules::context_pointer, {bad_ste}, {cd_fetch, none}},
      {"bypass-size", "3.4.2", "lets STE bypass go on at or above 2^OAS", rules::bypass_size, {addr_size}, {none}},
      {"input-ias", "3.4.2", "does not record F_ADDR_SIZE of an input beyond the IAS where stage 1 is off", rules::input_ias, {addr_size}, {none}},
      {"tbi1", "5.4 TBI1", "applies TBI0 where VA[55] selects TBI1", rules::tbi1, any, any},
      {"aptable-early", "DDI 0487 D8.4", "faults at a table with APTable[1], not at the leaf", rules::aptable_early, any, {permission, none}},
      {"unprivileged", "DDI 0487 D8.4", "takes every access for privileged: AP[1]=0 and APTable[0] do not fault", rules::unprivileged, {permission, none}, any},
      {"block-level", "DDI 0487 D8.3", "takes a block descriptor for a block at levels that have none", rules::block_level, {translation, none}, any},
      {"table-size", "3.4, DDI 0487 D8.2", "checks no next-table address against the output size", rules::table_size, {addr_size, none}, any},
      {"leaf-priority", "DDI 0487 D8.15", "checks the output address of a leaf last", rules::leaf_priority, {addr_size, none}, {access_flag, permission, none}},
      {"s2ptw", "5.2 S2PTW", "ignores S2PTW: tables and CDs in Device memory are read", rules::s2ptw, {permission, none}, any},
      {"ttb-early", "3.4, 7.3.13", "translates both TTBs before it looks at the address", rules::ttb_early, any, {walk_eabt, translation, addr_size, access_flag, permission, none}},
      {"table-fault-record", "5.2 S2R", "takes CD.R for S2R where stage 2 refuses a stage-1 table", rules::table_fault_record, any, any},
      {"split-table", "DDI 0487 D8.2", "translates only the start of a stage-1 table, aligns that to the table's size and takes the rest for contiguous", rules::split_table, any, any},
      {"ttb-truncated", "3.4", "cuts the physical address of TTBx to CD.IPS", rules::ttb_truncated, any, any},
      {"concatenation", "DDI 0487 D8.2.2", "always starts in the first of concatenated stage-2 tables", rules::concatenation, any, any},
  };
  // clang-format on
  return rows;
}

bool allowed(const std::vector<unsigned>& events, const Observation& seen) {
  if (events.empty()) return true;
  const unsigned first = seen.events.empty() ? 0 : static_cast<unsigned>(seen.events[0][0] & 0xff);
  return std::find(events.begin(), events.end(), first) != events.end();
}

}  // namespace

bool version_known(const std::string& version) {
  return version == "11.1";
}

std::span<const Divergence> divergences() {
  return table();
}

const Divergence* explain(const Sides& sides) {
  const Facts facts = facts_of(sides.one);
  const EventRecord nothing{};
  for (const Divergence& row : table()) {
    if (sides.qemu.died != row.stops || !row.holds(sides.one, facts)) continue;
    if (!allowed(row.model, sides.model) || !allowed(row.qemu, sides.qemu)) continue;
    if (row.ignored == nothing || differences(sides, row.ignored).empty()) return &row;
  }
  return nullptr;
}

}  // namespace smmusim::peer

// SPDX-License-Identifier: MIT
// The VMSAv8-64 stage-2 walk of the reference (DDI 0487 D8.2 to D8.4, IHI 0070 3.4, 5.2), used for the output of
// stage 1, for stage-1 descriptors and for CDs. Tables are at physical addresses.
#include "tests/random/reference/translation.h"

namespace refwalk {

namespace {

constexpr uint64_t kS2AP1 = uint64_t{1} << 7;

}  // namespace

// What the leaf grants to the client's own access.
Grant Translation::stage2_grant(uint64_t leaf) const {
  // XN[1] is bit 54, XN[0] is bit 53. 00 both, 01 unprivileged only, 10 none, 11 privileged only.
  bool may_execute = !bit(leaf, 54);
  if (features_.xnx) {
    const unsigned xn = static_cast<unsigned>(bits(leaf, 54, 53));
    may_execute = xn == 0 || (xn == 1 && !privileged_) || (xn == 3 && privileged_);
  }
  return {bit(leaf, 6), bit(leaf, 7), may_execute};
}

// CD fetches and stage-1 walks are data reads, updates of stage-1 descriptors data writes; everything else is the
// client's own access. A writable-clean leaf is given here as a writable one.
void Translation::check_stage2_permission(uint64_t leaf, bool clean, const Visit& visit) {
  const bool client = visit.fault_class == FaultClass::IN;
  const Grant grant = stage2_grant(leaf);
  const bool allowed = client ? allows(grant, clean) : (visit.for_update ? grant.write : grant.read);
  if (!allowed) stage2_fault(EventNumber::F_PERMISSION, visit);

  if (client || !ste_.S2PTW) return;
  const bool forced = features_.fwb && ste_.S2FWB;
  const bool device = forced ? !bit(leaf, 4) : bits(leaf, 5, 4) == 0;
  if (device) stage2_fault(EventNumber::F_PERMISSION, visit);
}

Translation::Stage2 Translation::stage2(uint64_t ipa, FaultClass fault_class, bool for_update) {
  const Visit visit{ipa, fault_class, for_update};
  const HardwareUpdate managed = hardware_update(features_, ste_);
  TableFormat format;
  format.granule = granule_of_tg0(ste_.S2TG);
  format.ds = stage2_ds(features_, ste_) && format.granule != 16;
  format.lpa = features_.oas == 52;
  format.big_endian = ste_.S2ENDI;
  format.input_size = 64 - ste_.S2T0SZ;
  format.output_size = effective_output_size(features_, ste_.S2PS);
  format.start_level = 3;
  stage2_start_level(features_, ste_, &format.start_level);
  if (exceeds(ipa, format.input_size)) stage2_fault(EventNumber::F_TRANSLATION, visit);

  uint64_t table = start_table(format, ste_.S2TTB);
  for (int level = format.start_level;;) {
    const uint64_t address = descriptor_address(format, table, level, ipa);
    Word word{Fetch{FetchKind::TTD, 2, level, address, fault_class, for_update}, format.big_endian, 1, 0};
    if (!read_word(word.fetch, format.big_endian, &word.descriptor)) walk_abort(true, fault_class, address);
    const uint64_t descriptor = word.descriptor;
    const DescriptorKind kind = kind_of(format, level, descriptor);
    if (kind == DescriptorKind::Invalid) stage2_fault(EventNumber::F_TRANSLATION, visit);
    const unsigned low = kind == DescriptorKind::Table ? format.granule : entry_size_log2(format, level);
    const uint64_t output = address_of(format, descriptor, low);
    if (exceeds(output, format.output_size)) stage2_fault(EventNumber::F_ADDR_SIZE, visit);
    if (kind == DescriptorKind::Table) {
      if (managed.table_flag && !update(word, descriptor | kAccessFlag, true)) continue;
      table = output;
      ++level;
      continue;
    }
    const bool refused = !bit(descriptor, 10) && !managed.access_flag && !ste_.S2AFFD;
    if (refused) stage2_fault(EventNumber::F_ACCESS, visit);
    const bool clean = managed.dirty && bit(descriptor, 51) && !bit(descriptor, 7) && fault_class != FaultClass::CD;
    check_stage2_permission(clean ? descriptor | kS2AP1 : descriptor, clean, visit);
    uint64_t after = descriptor;
    if (managed.access_flag) after |= kAccessFlag;
    if (clean && makes_dirty(visit)) after |= kS2AP1;
    word.run = run_length(format, level, descriptor);
    if (!update(word, after, true)) continue;
    const unsigned sh = format.ds ? ste_.S2SH0 : static_cast<unsigned>(bits(descriptor, 9, 8));
    return Stage2{output | low_bits(ipa, low), low, static_cast<unsigned>(bits(descriptor, 5, 2)), sh};
  }
}

}  // namespace refwalk

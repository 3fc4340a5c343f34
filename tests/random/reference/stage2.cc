// SPDX-License-Identifier: MIT
// The VMSAv8-64 stage-2 walk of the reference (DDI 0487 D8.2 to D8.4, IHI 0070 3.4, 5.2), used for the output of
// stage 1, for stage-1 descriptors and for CDs. Tables are at physical addresses.
#include "tests/random/reference/translation.h"

namespace refwalk {

// CD fetches and stage-1 walks are data reads; everything else is the client's own access.
void Translation::check_stage2_permission(uint64_t leaf, FaultClass fault_class, uint64_t ipa) {
  const bool client = fault_class == FaultClass::IN;
  const bool may_read = bit(leaf, 6);
  const bool may_write = bit(leaf, 7);
  // XN[1] is bit 54, XN[0] is bit 53. 00 both, 01 unprivileged only, 10 none, 11 privileged only.
  bool may_execute = !bit(leaf, 54);
  if (features_.xnx) {
    const unsigned xn = static_cast<unsigned>(bits(leaf, 54, 53));
    may_execute = xn == 0 || (xn == 1 && !privileged_) || (xn == 3 && privileged_);
  }
  bool allowed = may_read;
  if (client && access_.write) allowed = may_write;
  if (client && !access_.write && instruction_) allowed = may_execute;
  if (!allowed) stage2_fault(EventNumber::F_PERMISSION, fault_class, ipa);

  if (client || !ste_.S2PTW) return;
  const bool forced = features_.fwb && ste_.S2FWB;
  const bool device = forced ? !bit(leaf, 4) : bits(leaf, 5, 4) == 0;
  if (device) stage2_fault(EventNumber::F_PERMISSION, fault_class, ipa);
}

Translation::Stage2 Translation::stage2(uint64_t ipa, FaultClass fault_class) {
  TableFormat format;
  format.granule = granule_of_tg0(ste_.S2TG);
  format.ds = stage2_ds(features_, ste_) && format.granule != 16;
  format.lpa = features_.oas == 52;
  format.big_endian = ste_.S2ENDI;
  format.input_size = 64 - ste_.S2T0SZ;
  format.output_size = effective_output_size(features_, ste_.S2PS);
  format.start_level = 3;
  stage2_start_level(features_, ste_, &format.start_level);
  if (exceeds(ipa, format.input_size)) stage2_fault(EventNumber::F_TRANSLATION, fault_class, ipa);

  uint64_t table = start_table(format, ste_.S2TTB);
  for (int level = format.start_level;; ++level) {
    const uint64_t address = descriptor_address(format, table, level, ipa);
    uint64_t descriptor = 0;
    const Fetch fetch{FetchKind::TTD, 2, level, address, fault_class};
    if (!read_word(fetch, format.big_endian, &descriptor)) walk_abort(true, fault_class, address);
    const DescriptorKind kind = kind_of(format, level, descriptor);
    if (kind == DescriptorKind::Invalid) stage2_fault(EventNumber::F_TRANSLATION, fault_class, ipa);
    const unsigned low = kind == DescriptorKind::Table ? format.granule : entry_size_log2(format, level);
    const uint64_t output = address_of(format, descriptor, low);
    if (exceeds(output, format.output_size)) stage2_fault(EventNumber::F_ADDR_SIZE, fault_class, ipa);
    if (kind == DescriptorKind::Table) {
      table = output;
      continue;
    }
    if (!bit(descriptor, 10) && !ste_.S2AFFD) stage2_fault(EventNumber::F_ACCESS, fault_class, ipa);
    check_stage2_permission(descriptor, fault_class, ipa);
    const unsigned sh = format.ds ? ste_.S2SH0 : static_cast<unsigned>(bits(descriptor, 9, 8));
    return Stage2{output | low_bits(ipa, low), low, static_cast<unsigned>(bits(descriptor, 5, 2)), sh};
  }
}

}  // namespace refwalk

// SPDX-License-Identifier: MIT
// The VMSAv8-64 stage-1 walk of the reference (DDI 0487 D8.2 to D8.4, IHI 0070 3.4, 5.4): range checks, levels,
// hierarchical attributes, access flag, direct permissions, hardware updates (D8.5). Descriptors are read through stage
// 2 if it is enabled.
#include "tests/random/reference/translation.h"

namespace refwalk {

namespace {

constexpr unsigned kPXNTable = 59;
constexpr unsigned kUXNTable = 60;
constexpr unsigned kAPTableNoUnprivileged = 61;
constexpr unsigned kAPTableReadOnly = 62;

constexpr uint64_t kAP2 = uint64_t{1} << 7;

struct Permissions {
  bool unprivileged_read, unprivileged_write, unprivileged_execute;
  bool privileged_read, privileged_write, privileged_execute;
};

// EL1&0 and EL2&0: AP, UXN and PXN of the leaf limited by the Table attributes met on the way.
Permissions two_level_permissions(uint64_t leaf, uint64_t table_bits) {
  const bool read_only = bit(leaf, 7) || bit(table_bits, kAPTableReadOnly);
  const bool unprivileged = bit(leaf, 6) && !bit(table_bits, kAPTableNoUnprivileged);
  Permissions p;
  p.privileged_read = true;
  p.privileged_write = !read_only;
  p.unprivileged_read = unprivileged;
  p.unprivileged_write = unprivileged && !read_only;
  p.unprivileged_execute = !bit(leaf, 54) && !bit(table_bits, kUXNTable);
  // What unprivileged code can write, privileged code never executes.
  p.privileged_execute = !bit(leaf, 53) && !bit(table_bits, kPXNTable) && !p.unprivileged_write;
  return p;
}

// EL2: AP[1], APTable[0], PXN and PXNTable do not exist; every access is privileged.
Permissions one_level_permissions(uint64_t leaf, uint64_t table_bits) {
  Permissions p{};
  p.privileged_read = true;
  p.privileged_write = !bit(leaf, 7) && !bit(table_bits, kAPTableReadOnly);
  p.privileged_execute = !bit(leaf, 54) && !bit(table_bits, kUXNTable);
  return p;
}

}  // namespace

// TTB0 or TTB1 for the address; everything that faults before the first descriptor is fetched.
unsigned Translation::select_half(const Cd& cd) {
  const unsigned index = world_ != StreamWorld::EL2 && bit(access_.address, 55) ? 1 : 0;
  const CdHalf& half = cd.half[index];
  if (walk_disabled(cd, index, world_)) stage1_fault(EventNumber::F_TRANSLATION);
  const unsigned top = half.TBIx ? 55 : 63;
  for (unsigned position = 64 - half.TxSZ; position <= top; ++position) {
    if (bit(access_.address, position) != (index == 1)) stage1_fault(EventNumber::F_TRANSLATION);
  }
  const bool e0pd = features_.e0pd && world_ != StreamWorld::EL2 && half.E0PDx;
  if (e0pd && !privileged_) stage1_fault(EventNumber::F_TRANSLATION);
  return index;
}

// Reads one descriptor, through stage 2 where the stream has one.
Translation::Word Translation::stage1_descriptor(const TableFormat& format, int level, uint64_t address) {
  uint64_t pa = address;
  if ((ste_.Config & 2) != 0) pa = stage2(address, FaultClass::TT).address;
  Word word{Fetch{FetchKind::TTD, 1, level, pa, FaultClass::TT, false}, format.big_endian, 1, 0};
  if (!read_word(word.fetch, format.big_endian, &word.descriptor)) walk_abort(false, FaultClass::TT, pa);
  return word;
}

// Updates the descriptor that was read from `address`, a write of the stage-1 walk; false if it must be read again.
bool Translation::update_stage1(const Word& word, uint64_t address, uint64_t after) {
  if (after == word.descriptor) return true;
  if ((ste_.Config & 2) != 0) stage2(address, FaultClass::TT, true);
  return update(word, after, false);
}

Grant Translation::stage1_grant(const Cd& cd, const CdHalf& half, uint64_t leaf, uint64_t table_bits) const {
  if (features_.had && half.HADx) table_bits = 0;
  const bool one_level = world_ == StreamWorld::EL2;
  Permissions p = one_level ? one_level_permissions(leaf, table_bits) : two_level_permissions(leaf, table_bits);
  if (cd.WXN) {
    if (p.unprivileged_write) p.unprivileged_execute = false;
    if (p.privileged_write) p.privileged_execute = false;
  }
  if (cd.PAN && !one_level) {
    const bool by_execute = features_.epan && cd.EPAN && p.unprivileged_execute;
    if (p.unprivileged_read || by_execute) p.privileged_read = p.privileged_write = false;
  }
  if (one_level || privileged_) return {p.privileged_read, p.privileged_write, p.privileged_execute};
  return {p.unprivileged_read, p.unprivileged_write, p.unprivileged_execute};
}

Translation::Stage1 Translation::stage1(const Cd& cd) {
  const CdHalf& half = cd.half[select_half(cd)];
  TableFormat format;
  format.granule = half.granule_log2;
  format.ds = features_.ds && cd.DS && format.granule != 16;
  format.lpa = features_.oas == 52;
  format.big_endian = cd.ENDI;
  format.input_size = 64 - half.TxSZ;
  format.output_size = effective_output_size(features_, cd.IPS);
  format.start_level = stage1_start_level(format.granule, format.input_size);

  const HardwareUpdate managed = hardware_update(features_, cd);
  uint64_t table = start_table(format, half.TTBx);
  uint64_t table_bits = 0;
  for (int level = format.start_level;;) {
    const uint64_t address = descriptor_address(format, table, level, access_.address);
    Word word = stage1_descriptor(format, level, address);
    const uint64_t descriptor = word.descriptor;
    const DescriptorKind kind = kind_of(format, level, descriptor);
    if (kind == DescriptorKind::Invalid) stage1_fault(EventNumber::F_TRANSLATION);
    const unsigned low = kind == DescriptorKind::Table ? format.granule : entry_size_log2(format, level);
    const uint64_t output = address_of(format, descriptor, low);
    if (exceeds(output, format.output_size)) stage1_fault(EventNumber::F_ADDR_SIZE);
    if (kind == DescriptorKind::Table) {
      if (managed.table_flag && !update_stage1(word, address, descriptor | kAccessFlag)) continue;
      table = output;
      table_bits |= descriptor;
      ++level;
      continue;
    }
    if (!bit(descriptor, 10) && !managed.access_flag && !cd.AFFD) stage1_fault(EventNumber::F_ACCESS);
    // A writable-clean leaf counts as writable, for WXN and for what unprivileged code can write too (D8.5.2.2).
    const bool clean = managed.dirty && bit(descriptor, 51) && bit(descriptor, 7);
    const Grant grant = stage1_grant(cd, half, clean ? descriptor & ~kAP2 : descriptor, table_bits);
    if (!allows(grant, clean)) stage1_fault(EventNumber::F_PERMISSION);
    uint64_t after = descriptor;
    if (managed.access_flag) after |= kAccessFlag;
    if (clean && writes()) after &= ~kAP2;
    word.run = run_length(format, level, descriptor);
    if (!update_stage1(word, address, after)) continue;
    Stage1 result;
    result.address = output | low_bits(access_.address, low);
    result.size_log2 = low;
    result.mair_attr = static_cast<uint8_t>(low_bits(cd.mair >> (8 * bits(descriptor, 4, 2)), 8));
    result.sh = static_cast<uint8_t>(format.ds ? half.SHx : bits(descriptor, 9, 8));
    return result;
  }
}

}  // namespace refwalk

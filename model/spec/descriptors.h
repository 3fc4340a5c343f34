// SPDX-License-Identifier: MIT
// VMSAv8-64 translation table descriptors, 8 bytes each (Arm ARM DDI 0487 section D8.3): stage-1 table, stage-1 leaf
// (block or page) and stage-2 leaf, in the layout of 48-bit addresses, plus where 52-bit addresses put the upper bits.
// What a descriptor means at which level belongs to model/vmsa.
#pragma once

#include <cstdint>

#include "model/base/field.h"
#include "model/spec/codes.h"

namespace smmusim::spec {

/// Where a descriptor keeps address bits above 47.
enum class AddressLayout : unsigned {
  direct_48,  ///< it has none
  lpa_64k,    ///< 64 KiB granule: address [51:48] at [15:12]
  lpa2,       ///< 4 and 16 KiB granules with DS: address [49:48] at [49:48], [51:50] at [9:8]
};

struct S1Table : Words<S1Table, 1> {
  using Valid = Field<0, 0, bool>;
  using Type = Field<1, 1, bool>;
  using IGNORED1 = Field<9, 2, unsigned>;
  using AF = Field<10, 10, bool>;  ///< hardware access flag of table descriptors (HAFT)
  using IGNORED2 = Field<11, 11, bool>;
  using NextLevelTable = Field<47, 12, std::uint64_t, 12>;
  using IGNORED3 = Field<58, 51, unsigned>;
  using PXNTable = Field<59, 59, bool>;
  using XNTable = Field<60, 60, bool>;
  using APTable = Field<62, 61, unsigned>;
  using NSTable = Field<63, 63, bool>;
};
inline constexpr FieldRow s1_table_fields[] = {
    field_row<S1Table::Valid>("Valid", "0=invalid 1=valid"),
    field_row<S1Table::Type>("Type", "1=table"),
    field_row<S1Table::IGNORED1>("IGNORED[9:2]"),
    field_row<S1Table::AF>("AF"),
    field_row<S1Table::IGNORED2>("IGNORED[11]"),
    field_row<S1Table::NextLevelTable>("NextLevelTable"),
    field_row<S1Table::IGNORED3>("IGNORED[58:51]"),
    field_row<S1Table::PXNTable>("PXNTable"),
    field_row<S1Table::XNTable>("XNTable"),
    field_row<S1Table::APTable>("APTable", "0=no-effect 1=no-unprivileged 2=read-only 3=read-only+no-unprivileged"),
    field_row<S1Table::NSTable>("NSTable"),
};

struct S1Leaf : Words<S1Leaf, 1> {
  using Valid = Field<0, 0, bool>;
  using Type = Field<1, 1, bool>;
  using AttrIndx = Field<4, 2, unsigned>;
  using NS = Field<5, 5, bool>;
  using AP = Field<7, 6, unsigned>;  ///< AP[2:1]
  using SH = Field<9, 8, Shareability>;
  using AF = Field<10, 10, bool>;
  using nG = Field<11, 11, bool>;
  using OutputAddress = Field<47, 12, std::uint64_t, 12>;
  using GP = Field<50, 50, bool>;  ///< guarded page, of PEs only
  using DBM = Field<51, 51, bool>;
  using Contiguous = Field<52, 52, bool>;
  using PXN = Field<53, 53, bool>;
  using UXN = Field<54, 54, bool>;
  using SW = Field<58, 55, unsigned>;  ///< for software
  using PBHA = Field<62, 59, unsigned>;
  using IGNORED = Field<63, 63, bool>;
};
inline constexpr FieldRow s1_leaf_fields[] = {
    field_row<S1Leaf::Valid>("Valid", "0=invalid 1=valid"),
    field_row<S1Leaf::Type>("Type", "0=block 1=page"),
    field_row<S1Leaf::AttrIndx>("AttrIndx"),
    field_row<S1Leaf::NS>("NS"),
    field_row<S1Leaf::AP>("AP", "0=RW-priv 1=RW-all 2=RO-priv 3=RO-all"),
    field_row<S1Leaf::SH>("SH", meaning::sh),
    field_row<S1Leaf::AF>("AF"),
    field_row<S1Leaf::nG>("nG"),
    field_row<S1Leaf::OutputAddress>("OutputAddress"),
    field_row<S1Leaf::GP>("GP"),
    field_row<S1Leaf::DBM>("DBM"),
    field_row<S1Leaf::Contiguous>("Contiguous"),
    field_row<S1Leaf::PXN>("PXN"),
    field_row<S1Leaf::UXN>("UXN"),
    field_row<S1Leaf::SW>("SW"),
    field_row<S1Leaf::PBHA>("PBHA"),
    field_row<S1Leaf::IGNORED>("IGNORED[63]"),
};

struct S2Leaf : Words<S2Leaf, 1> {
  using Valid = Field<0, 0, bool>;
  using Type = Field<1, 1, bool>;
  using MemAttr = Field<5, 2, unsigned>;
  using S2AP = Field<7, 6, unsigned>;
  using SH = Field<9, 8, Shareability>;
  using AF = Field<10, 10, bool>;
  using OutputAddress = Field<47, 12, std::uint64_t, 12>;
  using DBM = Field<51, 51, bool>;
  using Contiguous = Field<52, 52, bool>;
  using XN = Field<54, 53, unsigned>;  ///< with XNX, else bit 54 alone
  using SW = Field<58, 55, unsigned>;  ///< for software
  using PBHA = Field<62, 59, unsigned>;
  using IGNORED = Field<63, 63, bool>;
};
inline constexpr FieldRow s2_leaf_fields[] = {
    field_row<S2Leaf::Valid>("Valid", "0=invalid 1=valid"),
    field_row<S2Leaf::Type>("Type", "0=block 1=page"),
    field_row<S2Leaf::MemAttr>("MemAttr"),
    field_row<S2Leaf::S2AP>("S2AP", "0=none 1=read 2=write 3=read+write"),
    field_row<S2Leaf::SH>("SH", meaning::sh),
    field_row<S2Leaf::AF>("AF"),
    field_row<S2Leaf::OutputAddress>("OutputAddress"),
    field_row<S2Leaf::DBM>("DBM"),
    field_row<S2Leaf::Contiguous>("Contiguous"),
    field_row<S2Leaf::XN>("XN", "0=exec-all 1=exec-unprivileged 2=exec-none 3=exec-privileged"),
    field_row<S2Leaf::SW>("SW"),
    field_row<S2Leaf::PBHA>("PBHA"),
    field_row<S2Leaf::IGNORED>("IGNORED[63]"),
};

/// What leaves and tables call some of the same bits with other granules, address sizes and BBML.
struct DescriptorOverlay : Words<DescriptorOverlay, 1> {
  using nT = Field<16, 16, bool>;                     ///< block entries, BBML
  using OA_51_48 = Field<15, 12, unsigned>;           ///< 64 KiB granule with 52-bit addresses
  using OA_51_50 = Field<9, 8, unsigned>;             ///< 4 and 16 KiB granules with DS
  using OA_49_12 = Field<49, 12, std::uint64_t, 12>;  ///< the same
};
inline constexpr FieldRow descriptor_overlay_fields[] = {
    field_row<DescriptorOverlay::nT>("nT"),
    field_row<DescriptorOverlay::OA_51_48>("OutputAddress[51:48]"),
    field_row<DescriptorOverlay::OA_51_50>("OutputAddress[51:50]"),
    field_row<DescriptorOverlay::OA_49_12>("OutputAddress[49:12]"),
};

/// The output or next-table address of a descriptor whose lowest address bit is `lowest` (12 to 47).
constexpr std::uint64_t descriptor_address(std::uint64_t word, unsigned lowest, AddressLayout layout) {
  const std::uint64_t above_lowest = ~low_mask(lowest);
  switch (layout) {
    case AddressLayout::lpa_64k:
      return (word & low_mask(48) & ~low_mask(16) & above_lowest) | (DescriptorOverlay::OA_51_48::raw(word) << 48);
    case AddressLayout::lpa2:
      return (word & low_mask(50) & above_lowest) | (DescriptorOverlay::OA_51_50::raw(word) << 50);
    case AddressLayout::direct_48:
      break;
  }
  return word & low_mask(48) & above_lowest;
}

/// Its inverse: where a descriptor keeps `address`, which has no bits that the layout lacks.
constexpr std::uint64_t descriptor_bits(std::uint64_t address, AddressLayout layout) {
  switch (layout) {
    case AddressLayout::lpa_64k:
      return (address & low_mask(48)) | (address >> 48) << DescriptorOverlay::OA_51_48::lo;
    case AddressLayout::lpa2:
      return (address & low_mask(50)) | (address >> 50) << DescriptorOverlay::OA_51_50::lo;
    case AddressLayout::direct_48:
      break;
  }
  return address;
}

}  // namespace smmusim::spec

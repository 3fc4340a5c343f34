// SPDX-License-Identifier: MIT
// What an SMMU advertises to Non-secure software: IDR0 to IDR6, IIDR, AIDR and MPAMIDR as named members, the rules that
// tie them together (IHI 0070 sections 2.9, 6.3.1 to 6.3.8, 6.3.45), and the registers derived from them.
// It says nothing about behaviour. Secure, Realm and Root ID registers are not described here, so rules that
// depend on them (STT with S_IDR1.SEL2, the REALM_IMPL list) have no row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace smmusim::spec {

enum class StallModel : unsigned { stall_and_terminate = 0, terminate = 1, stall_forced = 2, reserved = 3 };
enum class Ttendian : unsigned { mixed = 0, reserved = 1, little = 2, big = 3 };
enum class Httu : unsigned { none = 0, access = 1, access_dirty = 2, access_dirty_table = 3 };

/// The defaults are SMMUv3.1 with stage 1 of VMSAv8-64, 4 KiB granule and linear or two-level stream tables.
struct Features {
  // AIDR and IIDR
  unsigned version_major = 0;
  unsigned version_minor = 1;  ///< 0 to 4: SMMUv3.0 to SMMUv3.4
  unsigned product_id = 0;     ///< 12 bits
  unsigned variant = 0;        ///< 4 bits
  unsigned revision = 0;       ///< 4 bits
  unsigned implementer = 0;    ///< 12 bits, JEP106

  // IDR0
  bool s1p = true;
  bool s2p = false;
  bool ttf_lpae = false;
  bool ttf_vmsav8_64 = true;
  bool cohacc = true;
  bool btm = false;
  Httu httu = Httu::none;
  bool dormhint = false;
  bool hyp = false;
  bool ats = false;
  bool split_stage_ats = false;  ///< positive form of NS1ATS
  bool asid16 = true;
  bool msi = true;
  bool sev = true;
  bool atos = false;
  bool pri = false;
  bool vmw = false;
  bool vmid16 = false;
  bool cd2l = false;
  bool vatos = false;
  Ttendian ttendian = Ttendian::little;
  bool atsrecerr = false;
  StallModel stall_model = StallModel::terminate;
  bool term_model = false;  ///< true: terminated transactions always abort, CD.A must be 1
  unsigned st_level = 1;    ///< 0: linear stream table; 1: two-level too
  bool rme_impl = false;

  // IDR1
  bool ecmdq = false;
  bool tables_preset = false;
  bool queues_preset = false;
  bool rel = false;
  bool attr_types_ovr = false;
  bool attr_perms_ovr = false;
  unsigned cmdqs = 19;    ///< log2 of the most entries, 0 to 19
  unsigned eventqs = 19;  ///< the same
  unsigned priqs = 0;     ///< the same; meaningless without pri
  unsigned ssidsize = 0;  ///< bits, 0 (no substreams) to 20
  unsigned sidsize = 16;  ///< bits, 0 to 32

  unsigned ba_vatos = 0;  ///< IDR2: the VATOS page is at 0x20000 + ba_vatos * 64 KiB

  // IDR3
  bool had = true;
  bool pbha = false;
  bool xnx = false;
  bool pps = false;
  bool mpam = false;
  bool fwb = false;
  bool stt = false;
  bool ril = true;
  unsigned bbml = 0;  ///< level 0, 1 or 2
  bool e0pd = false;
  bool ptwnnc = false;
  bool dpt = false;
  bool pasidtt = false;
  bool epan = false;
  bool s1pi = false;
  bool s2pi = false;
  bool s2po = false;
  bool the = false;
  bool mteperm = false;
  bool aie = false;

  // MPAMIDR
  unsigned partid_max = 0;  ///< 16 bits; 0 without mpam
  unsigned pmg_max = 0;     ///< 8 bits; 0 without mpam

  std::uint32_t idr4 = 0;  ///< IMPLEMENTATION DEFINED

  // IDR5
  unsigned oas = 48;  ///< bits: 32 36 40 42 44 48 52 56
  bool gran4k = true;
  bool gran16k = false;
  bool gran64k = false;
  bool ds = false;
  bool d128 = false;
  unsigned vax = 48;       ///< bits of VA per TTB: 48, 52 or 56
  unsigned stall_max = 0;  ///< 16 bits

  // IDR6
  unsigned cmdq_control_page_log2nump = 0;  ///< 0 to 8
  unsigned cmdq_control_page_log2numq = 0;  ///< 0 to 8

  friend bool operator==(const Features&, const Features&) = default;
};

/// IAS (section 3.4): the width of the IPAs that stage 1 can give and stage 2 can take.
constexpr unsigned intermediate_address_size(const Features& f) {
  const unsigned lpae = f.ttf_lpae ? 40 : 0;
  const unsigned vmsav8_64 = f.ttf_vmsav8_64 ? f.oas : 0;
  return lpae > vmsav8_64 ? lpae : vmsav8_64;
}

/// The raw 32-bit registers.
struct IdRegisters {
  std::uint32_t idr[7] = {};
  std::uint32_t iidr = 0;
  std::uint32_t aidr = 0;
  std::uint32_t mpamidr = 0;

  friend bool operator==(const IdRegisters&, const IdRegisters&) = default;
};

/// The registers that advertise `features`. Throws std::invalid_argument if a number does not fit its field;
/// other inconsistencies are the business of check().
IdRegisters id_registers(const Features& features);

/// The inverse, for dumps of real systems; RES0 bits are ignored. A reserved VAX gives vax = 0, which check() reports.
Features features_from(const IdRegisters& registers);

/// One rule: what must hold, in words and as a predicate.
struct FeatureRule {
  std::string_view members;   ///< the members of Features it is about, separated by one space
  std::string_view sentence;  ///< "what is wrong; what would be right"
  std::string_view section;   ///< of IHI 0070
  std::string_view rule;      ///< its row of the conformance list
  bool (*holds)(const Features&);
};

/// Every rule, in the order of the ID registers.
std::span<const FeatureRule> feature_rules();

/// A rule that some Features break.
struct FeatureError {
  std::string_view members;
  std::string_view sentence;
  std::string_view section;
  std::string_view rule;
};

/// Every rule that `features` breaks, in table order; empty if they are possible.
std::vector<FeatureError> check(const Features& features);

/// Throws std::invalid_argument with one line "sentence (section S, RULE)" per broken rule.
void require_valid(const Features& features);

}  // namespace smmusim::spec

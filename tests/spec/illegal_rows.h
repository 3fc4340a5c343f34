// SPDX-License-Identifier: MIT
// The rows with which the tests of ILLEGAL structures are written (IHI 0070 sections 5.2, 5.4): a machine, a structure
// and the rule that it breaks. Bit positions come from the specification, not from the model's headers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/spec/features.h"
#include "model/spec/ste.h"
#include "tests/support/raw_words.h"

namespace smmusim::illegal {

using raw::Bits;
using raw::Edit;
using spec::Features;

namespace ste {
using namespace raw::ste;
inline constexpr Bits S2HWU59{72, 72}, S2HWU60{73, 73}, S2HWU61{74, 74}, S2HWU62{75, 75}, S1PIE{88, 88};
inline constexpr Bits S2FWB{89, 89}, S2T0SZ{165, 160}, S2SL0{167, 166}, S2TG{175, 174}, S2PS{178, 176};
inline constexpr Bits S2AA64{179, 179}, S2ENDI{180, 180}, S2HD{183, 183}, S2HA{184, 184}, S2S{185, 185};
inline constexpr Bits S2R{186, 186}, S2HAFT{187, 187}, S2PIE{188, 188}, S2POE{189, 189}, S2SL0_2{194, 194};
inline constexpr Bits S2DS{195, 195}, S2TTB{247, 196}, S2SKL{254, 253};
/// S2POI<p>.
constexpr Bits S2POI(unsigned p) {
  return {4 * p + 451, 4 * p + 448};
}
}  // namespace ste

namespace cd {
using namespace raw::cd;
inline constexpr Bits HAFT{67, 67}, SKL0{127, 126}, SKL1{191, 190}, DS{186, 186}, PIE{187, 187};
constexpr Bits PIIU(unsigned p) {
  return {3 * p + 386, 3 * p + 384};
}
constexpr Bits PIIP(unsigned p) {
  return {3 * p + 450, 3 * p + 448};
}
}  // namespace cd

using Machine = void (*)(Features&);

/// SMMUv3.1 with both stages, EL2, 8 bits of SubstreamID, all granules, both endiannesses, 48 bits, 16-bit tags;
/// stalls, ATS and hardware update are absent.
Features base_machine();
/// SMMUv3.4 with what is mandatory there; for `Machine` functions to start from.
void newest(Features& f);
void newest_d128(Features& f);
void newest_overlays(Features& f);
void newest_ds(Features& f);
void oas40(Features& f);
void lpae(Features& f);
void big(Features& f);
void httu_access(Features& f);
void httu_dirty(Features& f);
void httu_table(Features& f);
/// LPAE beside a 36-bit OAS: the IAS is 40 bits.
void lpae_oas36(Features& f);
/// 40 bits and PARTIDs up to 7.
void mpam_oas40(Features& f);
void stalls(Features& f);
void stalls_forced(Features& f);

/// An address field as it is stored.
constexpr std::uint64_t stored(unsigned power_of_two, unsigned low_bit) {
  return std::uint64_t{1} << (power_of_two - low_bit);
}

struct SteCase {
  std::string name;
  unsigned config;          ///< STE.Config
  std::vector<Edit> edits;  ///< on base_ste(config)
  Machine machine;          ///< on base_machine(); may be null
  std::string_view breaks;  ///< how the sentence of the broken rule begins; "" if the STE is legal
};
/// A sound STE: 40 bits of IPA from level 1, 4 KiB, in a way that VMSAv8-32 LPAE accepts as well.
raw::Ste base_ste(unsigned config);
const std::vector<SteCase>& ste_config_cases();
const std::vector<SteCase>& ste_stage1_cases();
const std::vector<SteCase>& ste_ats_cases();
const std::vector<SteCase>& ste_format_cases();
const std::vector<SteCase>& ste_geometry_cases();
const std::vector<SteCase>& ste_base_cases();
const std::vector<SteCase>& ste_fault_cases();
const std::vector<SteCase>& ste_permission_cases();

/// Through which STE the CD is reached.
enum class Through {
  el1,
  el2,
  el2_e2h,
  nested,
  nested_lpae,
  stalls_disabled,
  with_s1pie,
  el2_with_s1pie,
  e2h_with_s1pie
};
struct CdCase {
  std::string name;
  std::vector<Edit> edits;  ///< on base_cd()
  Through through;
  Machine machine;
  std::string_view breaks;
};
/// A sound CD: both halves of 48 bits and 4 KiB.
raw::Cd base_cd();
raw::Ste ste_of(Through through);
const std::vector<CdCase>& cd_fault_cases();
const std::vector<CdCase>& cd_format_cases();
const std::vector<CdCase>& cd_update_cases();
const std::vector<CdCase>& cd_permission_cases();
const std::vector<CdCase>& cd_size_cases();
const std::vector<CdCase>& cd_d128_cases();
const std::vector<CdCase>& cd_base_cases();

inline Features machine_of(Machine change) {
  Features features = base_machine();
  if (change != nullptr) change(features);
  return features;
}

}  // namespace smmusim::illegal

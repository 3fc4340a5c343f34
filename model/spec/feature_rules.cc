// SPDX-License-Identifier: MIT
// The rules between ID register fields (IHI 0070 sections 2.9, 6.3.1 to 6.3.8 and 6.3.45): one row per rule.
// Version rule of section 2.9: SMMUv3.x may have any feature of v3.(x+1) and none of v3.(x+2). Where a field's text
// calls an older version's field RES0, section 2.9 is followed.
#include <stdexcept>
#include <string>

#include "model/spec/codes.h"
#include "model/spec/features.h"

namespace smmusim::spec {
namespace {

using F = const Features&;

/// SMMUv3.x may have features of v3.`introduced`.
bool may_have(F f, unsigned introduced) {
  return f.version_minor + 1 >= introduced;
}
bool at_least(F f, unsigned minor) {
  return f.version_minor >= minor;
}
bool stages_both(F f) {
  return f.s1p && f.s2p;
}

constexpr FeatureRule rules[] = {
    // SM-ID-004: the version, and features of later versions.
    {"version_major version_minor", "the version is not architected; legal are 3.0, 3.1, 3.2, 3.3 and 3.4", "6.3.8",
     "SM-ID-004", [](F f) { return f.version_major == 0 && f.version_minor <= 4; }},
    {"ril bbml fwb mpam stt", "RIL, BBML, FWB, MPAM and STT are features of v3.2; they need version 3.1 or later",
     "2.9", "SM-ID-004", [](F f) { return may_have(f, 2) || !(f.ril || f.bbml || f.fwb || f.mpam || f.stt); }},
    {"e0pd ptwnnc ecmdq atsrecerr",
     "E0PD, PTWNNC, ECMDQ and ATSRECERR are features of v3.3; they need version 3.2 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 3) || !(f.e0pd || f.ptwnnc || f.ecmdq || f.atsrecerr); }},
    {"dpt rme_impl", "DPT and RME_IMPL are features of v3.3; they need version 3.2 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 3) || !(f.dpt || f.rme_impl); }},
    {"epan mteperm s1pi s2pi s2po",
     "EPAN, MTEPERM, S1PI, S2PI and S2PO are features of v3.4; they need version 3.3 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 4) || !(f.epan || f.mteperm || f.s1pi || f.s2pi || f.s2po); }},
    {"the aie pasidtt", "THE, AIE and PASIDTT are features of v3.4; they need version 3.3 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 4) || !(f.the || f.aie || f.pasidtt); }},
    {"httu", "the table access flag (HTTU 3) is a feature of v3.4; it needs version 3.3 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 4) || f.httu != Httu::access_dirty_table; }},
    {"ds d128", "DS and D128 are features of v3.4; they need version 3.3 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 4) || !(f.ds || f.d128); }},
    {"oas vax", "56-bit addresses are a feature of v3.4; they need version 3.3 or later", "2.9", "SM-ID-004",
     [](F f) { return may_have(f, 4) || (f.oas != 56 && f.vax != 56); }},

    // SM-ID-005: IDR0.
    {"s1p s2p", "no stage of translation is supported; set s1p, s2p or both", "6.3.1", "SM-ID-005",
     [](F f) { return f.s1p || f.s2p; }},
    {"ttf_lpae ttf_vmsav8_64", "no translation table format is supported; set ttf_lpae, ttf_vmsav8_64 or both", "6.3.1",
     "SM-ID-005", [](F f) { return f.ttf_lpae || f.ttf_vmsav8_64; }},
    {"ttf_lpae dpt", "VMSAv8-32 LPAE tables exclude the Device Permission Table; clear ttf_lpae or dpt", "6.3.1",
     "SM-ID-005", [](F f) { return !(f.ttf_lpae && f.dpt); }},
    {"ttf_lpae d128", "VMSAv8-32 LPAE tables exclude 128-bit descriptors; clear ttf_lpae or d128", "6.3.6", "SM-ID-005",
     [](F f) { return !(f.ttf_lpae && f.d128); }},
    {"st_level", "st_level is reserved; legal are 0 (linear) and 1 (linear and two-level)", "6.3.1", "SM-ID-005",
     [](F f) { return f.st_level <= 1; }},
    {"st_level sidsize", "sidsize of 7 or more needs two-level stream tables; set st_level to 1", "6.3.2", "SM-ID-005",
     [](F f) { return f.sidsize < 7 || f.st_level != 0; }},
    {"vatos atos s1p s2p", "VATOS needs ATOS and both stages; set atos, s1p and s2p or clear vatos", "6.3.1",
     "SM-ID-005", [](F f) { return !f.vatos || (f.atos && stages_both(f)); }},
    {"pri ats", "PRI needs ATS; set ats or clear pri", "6.3.1", "SM-ID-005", [](F f) { return !f.pri || f.ats; }},
    {"split_stage_ats ats s1p s2p", "split-stage ATS needs ATS and both stages; set them or clear split_stage_ats",
     "6.3.1", "SM-ID-005", [](F f) { return !f.split_stage_ats || (f.ats && stages_both(f)); }},
    {"hyp s1p s2p", "HYP needs both stages; set s1p and s2p or clear hyp", "6.3.1", "SM-ID-005",
     [](F f) { return !f.hyp || stages_both(f); }},
    {"hyp", "HYP is mandatory from version 3.2 with both stages; set hyp", "6.3.1", "SM-ID-005",
     [](F f) { return !(at_least(f, 2) && stages_both(f)) || f.hyp; }},
    {"vmw s2p", "VMW needs stage 2; set s2p or clear vmw", "6.3.1", "SM-ID-005", [](F f) { return !f.vmw || f.s2p; }},
    {"atsrecerr ats", "ATSRECERR needs ATS; set ats or clear atsrecerr", "6.3.1", "SM-ID-005",
     [](F f) { return !f.atsrecerr || f.ats; }},
    {"stall_model", "stall_model is reserved; legal are stall and terminate, terminate only, stall forced", "6.3.1",
     "SM-ID-005", [](F f) { return f.stall_model <= StallModel::stall_forced; }},
    {"ttendian", "ttendian is reserved; legal are mixed, little and big", "6.3.1", "SM-ID-005",
     [](F f) { return f.ttendian != Ttendian::reserved && f.ttendian <= Ttendian::big; }},
    {"httu", "httu is not architected; legal are 0 to 3", "6.3.1", "SM-ID-005",
     [](F f) { return f.httu <= Httu::access_dirty_table; }},
    {"ba_vatos vatos", "ba_vatos is the place of the VATOS page; it is 0 without vatos and at most 1023", "6.3.3",
     "SM-ID-005", [](F f) { return f.ba_vatos <= (f.vatos ? 1023U : 0U); }},

    // SM-ID-007: IDR1 and IDR6.
    {"ecmdq cohacc msi queues_preset", "ECMDQ needs COHACC and MSI and excludes QUEUES_PRESET; change one of them",
     "6.3.2", "SM-ID-007", [](F f) { return !f.ecmdq || (f.cohacc && f.msi && !f.queues_preset); }},
    {"cmdqs", "cmdqs is out of range; legal are 0 to 19 (log2 of the entries)", "6.3.2", "SM-ID-007",
     [](F f) { return f.cmdqs <= 19; }},
    {"eventqs", "eventqs is out of range; legal are 0 to 19 (log2 of the entries)", "6.3.2", "SM-ID-007",
     [](F f) { return f.eventqs <= 19; }},
    {"priqs", "priqs is out of range; legal are 0 to 19 (log2 of the entries)", "6.3.2", "SM-ID-007",
     [](F f) { return f.priqs <= (f.pri ? 19U : 31U); }},
    {"ssidsize", "ssidsize is out of range; legal are 0 to 20 bits", "6.3.2", "SM-ID-007",
     [](F f) { return f.ssidsize <= 20; }},
    {"sidsize", "sidsize is out of range; legal are 0 to 32 bits", "6.3.2", "SM-ID-007",
     [](F f) { return f.sidsize <= 32; }},
    {"rel tables_preset queues_preset", "REL needs preset tables or queues; set one of them or clear rel", "6.3.2",
     "SM-ID-007", [](F f) { return !f.rel || f.tables_preset || f.queues_preset; }},
    {"cmdq_control_page_log2nump cmdq_control_page_log2numq ecmdq",
     "the numbers of ECMDQ pages and queues are log2 values; they are 0 without ecmdq and at most 8", "6.3.45",
     "SM-ID-007",
     [](F f) {
       const unsigned most = f.ecmdq ? 8U : 0U;
       return f.cmdq_control_page_log2nump <= most && f.cmdq_control_page_log2numq <= most;
     }},

    // SM-ID-008: IDR3.
    {"had s1p", "HAD is mandatory from version 3.1 with stage 1; set had", "6.3.4", "SM-ID-008",
     [](F f) { return !(at_least(f, 1) && f.s1p) || f.had; }},
    {"had s1p", "HAD needs stage 1; set s1p or clear had", "6.3.4", "SM-ID-008", [](F f) { return !f.had || f.s1p; }},
    {"xnx s2p", "XNX is mandatory from version 3.1 with stage 2; set xnx", "6.3.4", "SM-ID-008",
     [](F f) { return !(at_least(f, 1) && f.s2p) || f.xnx; }},
    {"ril", "RIL is mandatory from version 3.2; set ril", "6.3.4", "SM-ID-008",
     [](F f) { return !at_least(f, 2) || f.ril; }},
    {"fwb", "FWB is mandatory from version 3.2; set fwb", "6.3.4", "SM-ID-008",
     [](F f) { return !at_least(f, 2) || f.fwb; }},
    {"bbml", "BBML of 1 or 2 is mandatory from version 3.2; set bbml to 1 or 2", "6.3.4", "SM-ID-008",
     [](F f) { return !at_least(f, 2) || f.bbml >= 1; }},
    {"bbml", "bbml is reserved; legal are 0, 1 and 2", "6.3.4", "SM-ID-008", [](F f) { return f.bbml <= 2; }},
    {"e0pd", "E0PD is mandatory from version 3.3; set e0pd", "6.3.4", "SM-ID-008",
     [](F f) { return !at_least(f, 3) || f.e0pd; }},
    {"ptwnnc s2p", "PTWNNC is mandatory from version 3.3 with stage 2; set ptwnnc", "6.3.4", "SM-ID-008",
     [](F f) { return !(at_least(f, 3) && f.s2p) || f.ptwnnc; }},
    {"ptwnnc s2p", "PTWNNC needs stage 2; set s2p or clear ptwnnc", "6.3.4", "SM-ID-008",
     [](F f) { return !f.ptwnnc || f.s2p; }},
    {"epan", "EPAN is mandatory from version 3.4; set epan", "6.3.4", "SM-ID-008",
     [](F f) { return !at_least(f, 4) || f.epan; }},
    {"mteperm s2p", "MTEPERM is mandatory from version 3.4 with stage 2; set mteperm", "6.3.4", "SM-ID-008",
     [](F f) { return !(at_least(f, 4) && f.s2p) || f.mteperm; }},
    {"mteperm s2p", "MTEPERM needs stage 2; set s2p or clear mteperm", "6.3.4", "SM-ID-008",
     [](F f) { return !f.mteperm || f.s2p; }},
    {"pbha had", "PBHA needs HAD; set had or clear pbha", "6.3.4", "SM-ID-008", [](F f) { return !f.pbha || f.had; }},
    {"pps pri ssidsize", "PPS needs PRI and substreams; set pri and ssidsize or clear pps", "6.3.4", "SM-ID-008",
     [](F f) { return !f.pps || (f.pri && f.ssidsize != 0); }},
    {"s1pi the aie s1p", "S1PI, THE and AIE need stage 1; set s1p or clear them", "6.3.4", "SM-ID-008",
     [](F f) { return !(f.s1pi || f.the || f.aie) || f.s1p; }},
    {"s2pi s2p", "S2PI needs stage 2; set s2p or clear s2pi", "6.3.4", "SM-ID-008",
     [](F f) { return !f.s2pi || f.s2p; }},
    {"s2po s2pi", "S2PO needs S2PI; set s2pi or clear s2po", "6.3.4", "SM-ID-008",
     [](F f) { return !f.s2po || f.s2pi; }},
    {"the s2pi s2p", "THE with stage 2 needs S2PI; set s2pi or clear the", "6.3.4", "SM-ID-008",
     [](F f) { return !(f.the && f.s2p) || f.s2pi; }},
    {"d128 s1pi s2po aie mteperm", "D128 needs S1PI, S2PO, AIE and MTEPERM; set them or clear d128", "6.3.6",
     "SM-ID-008", [](F f) { return !f.d128 || (f.s1pi && f.s2po && f.aie && f.mteperm); }},
    {"d128 ttf_vmsav8_64 ttf_lpae",
     "D128 needs VMSAv8-64 and excludes VMSAv8-32 LPAE; change the formats or clear d128", "6.3.6", "SM-ID-008",
     [](F f) { return !f.d128 || (f.ttf_vmsav8_64 && !f.ttf_lpae); }},
    {"dpt ats", "DPT needs ATS; set ats or clear dpt", "6.3.4", "SM-ID-008", [](F f) { return !f.dpt || f.ats; }},

    // MPAMIDR, which exists with IDR3.MPAM.
    {"partid_max mpam", "partid_max is the largest PARTID; it is 0 without mpam and at most 65535", "6.3.41",
     "SM-MPM-001", [](F f) { return f.partid_max <= (f.mpam ? 0xFFFFU : 0U); }},
    {"pmg_max mpam", "pmg_max is the largest PMG; it is 0 without mpam and at most 255", "6.3.41", "SM-MPM-001",
     [](F f) { return f.pmg_max <= (f.mpam ? 0xFFU : 0U); }},

    // SM-ID-009.
    {"pasidtt ats ssidsize", "PASIDTT needs ATS and substreams; set ats and ssidsize or clear pasidtt", "6.3.4",
     "SM-ID-009", [](F f) { return !f.pasidtt || (f.ats && f.ssidsize != 0); }},

    // SM-ID-010: IDR5.
    {"oas", "oas is not an architected size; legal are 32, 36, 40, 42, 44, 48, 52 and 56 bits", "6.3.6", "SM-ID-010",
     [](F f) { return address_size_code(f.oas) >= 0; }},
    {"oas gran64k ds d128", "oas of 52 bits needs the 64 KiB granule, DS or D128; set one of them or lower oas",
     "6.3.6", "SM-ID-010", [](F f) { return f.oas != 52 || f.gran64k || f.ds || f.d128; }},
    {"oas d128", "oas of 56 bits needs D128; set d128 or lower oas", "6.3.6", "SM-ID-010",
     [](F f) { return f.oas != 56 || f.d128; }},
    {"vax", "vax is not an architected size; legal are 48, 52 and 56 bits", "6.3.6", "SM-ID-010",
     [](F f) { return f.vax == 48 || f.vax == 52 || f.vax == 56; }},
    {"ds vax", "DS needs vax of 52 bits or more; set vax or clear ds", "6.3.6", "SM-ID-010",
     [](F f) { return !f.ds || f.vax >= 52; }},
    {"ds gran4k gran16k", "DS needs the 4 KiB or the 16 KiB granule; set one of them or clear ds", "6.3.6", "SM-ID-010",
     [](F f) { return !f.ds || f.gran4k || f.gran16k; }},
    {"vax gran64k ds", "vax above 48 bits needs the 64 KiB granule or DS; set one of them or lower vax", "6.3.6",
     "SM-ID-010", [](F f) { return f.vax <= 48 || f.gran64k || f.ds; }},
    {"vax d128", "vax of 56 bits needs D128; set d128 or lower vax", "6.3.6", "SM-ID-010",
     [](F f) { return f.vax != 56 || f.d128; }},
    {"gran4k ttf_lpae", "VMSAv8-32 LPAE tables need the 4 KiB granule; set gran4k or clear ttf_lpae", "6.3.6",
     "SM-ID-010", [](F f) { return !f.ttf_lpae || f.gran4k; }},
    {"gran4k gran16k gran64k", "no granule is supported; set gran4k, gran16k or gran64k", "6.3.6", "SM-ID-010",
     [](F f) { return f.gran4k || f.gran16k || f.gran64k; }},
    {"stall_max stall_model", "stall_max counts stalls; it is 0 with terminate only and at most 65535", "6.3.6",
     "SM-ID-010", [](F f) { return f.stall_max <= (f.stall_model == StallModel::terminate ? 0U : 0xFFFFU); }},

    // IIDR has no conformance row; its numbers must fit their fields.
    {"product_id variant revision implementer",
     "an IIDR number is too large; product_id and implementer have 12 bits, "
     "variant and revision 4",
     "6.3.7", "",
     [](F f) { return f.product_id <= 0xFFF && f.implementer <= 0xFFF && f.variant <= 0xF && f.revision <= 0xF; }},
};

}  // namespace

std::span<const FeatureRule> feature_rules() {
  return rules;
}

std::vector<FeatureError> check(const Features& features) {
  std::vector<FeatureError> errors;
  for (const FeatureRule& rule : rules) {
    if (!rule.holds(features)) errors.push_back({rule.members, rule.sentence, rule.section, rule.rule});
  }
  return errors;
}

void require_valid(const Features& features) {
  std::string message;
  for (const FeatureError& error : check(features)) {
    if (!message.empty()) message += '\n';
    message.append(error.sentence).append(" (section ").append(error.section);
    if (!error.rule.empty()) message.append(", ").append(error.rule);
    message += ')';
  }
  if (!message.empty()) throw std::invalid_argument(message);
}

}  // namespace smmusim::spec

// SPDX-License-Identifier: MIT
// Every rule between ID register fields (SM-ID-004 to SM-ID-010), broken once and then mended: the broken Features
// report exactly the named rule among their errors, the mended ones report nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "model/spec/features.h"

namespace smmusim::spec {
namespace {

using Change = void (*)(Features&);

/// SMMUv3.4 with both stages and everything that is mandatory there.
void v34(Features& f) {
  f.version_minor = 4;
  f.s2p = f.hyp = f.had = f.xnx = f.ril = f.fwb = f.e0pd = f.ptwnnc = f.epan = f.mteperm = true;
  f.bbml = 1;
}

struct Case {
  const char* sentence;  ///< the beginning of the rule's sentence
  Change broken;
  Change mended;  ///< applied to the broken Features
};

const Case version_cases[] = {
    {"the version is not", [](Features& f) { v34(f), f.version_minor = 5; }, [](Features& f) { f.version_minor = 4; }},
    {"the version is not", [](Features& f) { f.version_major = 1; }, [](Features& f) { f.version_major = 0; }},
    {"RIL, BBML, FWB", [](Features& f) { f.version_minor = 0; }, [](Features& f) { f.ril = false; }},
    {"RIL, BBML, FWB", [](Features& f) { f.version_minor = 0, f.ril = false, f.stt = true; },
     [](Features& f) { f.version_minor = 1; }},
    {"E0PD, PTWNNC, ECMDQ", [](Features& f) { f.e0pd = true; },
     [](Features& f) { f.version_minor = 2, f.fwb = true, f.bbml = 1; }},
    {"DPT and RME_IMPL", [](Features& f) { f.rme_impl = true; }, [](Features& f) { f.rme_impl = false; }},
    {"EPAN, MTEPERM, S1PI", [](Features& f) { f.s1pi = true; }, [](Features& f) { f.s1pi = false; }},
    {"THE, AIE and PASIDTT", [](Features& f) { f.aie = true; },
     [](Features& f) { f.version_minor = 3, f.fwb = true, f.bbml = 1, f.e0pd = true; }},
    {"the table access flag", [](Features& f) { f.httu = Httu::access_dirty_table; },
     [](Features& f) { f.httu = Httu::access_dirty; }},
    {"DS and D128", [](Features& f) { f.ds = true, f.vax = 52; },
     [](Features& f) { f.version_minor = 3, f.fwb = true, f.bbml = 1, f.e0pd = true; }},
    {"56-bit addresses", [](Features& f) { f.oas = 56; }, [](Features& f) { f.oas = 48; }},
};

const Case idr0_cases[] = {
    {"no stage of", [](Features& f) { f.s1p = f.had = false; }, [](Features& f) { f.s2p = f.xnx = true; }},
    {"no translation table format", [](Features& f) { f.ttf_vmsav8_64 = false; },
     [](Features& f) { f.ttf_lpae = true; }},
    {"VMSAv8-32 LPAE tables exclude the Device", [](Features& f) { v34(f), f.ats = f.dpt = f.ttf_lpae = true; },
     [](Features& f) { f.ttf_lpae = false; }},
    {"VMSAv8-32 LPAE tables exclude 128",
     [](Features& f) { v34(f), f.ttf_lpae = f.d128 = f.s1pi = f.s2pi = f.s2po = f.aie = true; },
     [](Features& f) { f.ttf_lpae = false; }},
    {"st_level is reserved", [](Features& f) { f.st_level = 2; }, [](Features& f) { f.st_level = 1; }},
    {"sidsize of 7", [](Features& f) { f.st_level = 0, f.sidsize = 7; }, [](Features& f) { f.sidsize = 6; }},
    {"VATOS needs", [](Features& f) { f.vatos = f.atos = true; }, [](Features& f) { f.s2p = f.xnx = true; }},
    {"PRI needs ATS", [](Features& f) { f.pri = true; }, [](Features& f) { f.ats = true; }},
    {"split-stage ATS", [](Features& f) { f.ats = f.split_stage_ats = true; },
     [](Features& f) { f.s2p = f.xnx = true; }},
    {"HYP needs", [](Features& f) { f.hyp = true; }, [](Features& f) { f.s2p = f.xnx = true; }},
    {"HYP is mandatory", [](Features& f) { v34(f), f.hyp = false; }, [](Features& f) { f.hyp = true; }},
    {"VMW needs", [](Features& f) { f.vmw = true; }, [](Features& f) { f.s2p = f.xnx = true; }},
    {"ATSRECERR needs", [](Features& f) { v34(f), f.atsrecerr = true; }, [](Features& f) { f.ats = true; }},
    {"stall_model is reserved", [](Features& f) { f.stall_model = StallModel::reserved; },
     [](Features& f) { f.stall_model = StallModel::stall_forced; }},
    {"ttendian is reserved", [](Features& f) { f.ttendian = Ttendian::reserved; },
     [](Features& f) { f.ttendian = Ttendian::big; }},
    {"httu is not", [](Features& f) { f.httu = static_cast<Httu>(4); }, [](Features& f) { f.httu = Httu::access; }},
    {"ba_vatos is", [](Features& f) { f.ba_vatos = 1; }, [](Features& f) { f.vatos = f.atos = f.s2p = f.xnx = true; }},
};

const Case idr1_cases[] = {
    {"ECMDQ needs", [](Features& f) { v34(f), f.ecmdq = true, f.cohacc = false; },
     [](Features& f) { f.cohacc = true; }},
    {"ECMDQ needs", [](Features& f) { v34(f), f.ecmdq = true, f.msi = false; }, [](Features& f) { f.msi = true; }},
    {"ECMDQ needs", [](Features& f) { v34(f), f.ecmdq = f.queues_preset = true; },
     [](Features& f) { f.queues_preset = false; }},
    {"cmdqs is", [](Features& f) { f.cmdqs = 20; }, [](Features& f) { f.cmdqs = 0; }},
    {"eventqs is", [](Features& f) { f.eventqs = 20; }, [](Features& f) { f.eventqs = 0; }},
    {"priqs is", [](Features& f) { f.ats = f.pri = true, f.priqs = 20; }, [](Features& f) { f.priqs = 19; }},
    {"ssidsize is", [](Features& f) { f.ssidsize = 21; }, [](Features& f) { f.ssidsize = 20; }},
    {"sidsize is", [](Features& f) { f.sidsize = 33; }, [](Features& f) { f.sidsize = 32; }},
    {"REL needs", [](Features& f) { f.rel = true; }, [](Features& f) { f.tables_preset = true; }},
    {"the numbers of ECMDQ", [](Features& f) { v34(f), f.cmdq_control_page_log2numq = 8; },
     [](Features& f) { f.ecmdq = true; }},
    {"the numbers of ECMDQ", [](Features& f) { v34(f), f.ecmdq = true, f.cmdq_control_page_log2nump = 9; },
     [](Features& f) { f.cmdq_control_page_log2nump = 8; }},
};

const Case mandatory_cases[] = {
    {"HAD is mandatory", [](Features& f) { f.had = false; }, [](Features& f) { f.version_minor = 0, f.ril = false; }},
    {"XNX is mandatory", [](Features& f) { f.s2p = true; }, [](Features& f) { f.xnx = true; }},
    {"RIL is mandatory", [](Features& f) { v34(f), f.ril = false; }, [](Features& f) { f.ril = true; }},
    {"FWB is mandatory", [](Features& f) { v34(f), f.fwb = false; }, [](Features& f) { f.fwb = true; }},
    {"BBML of 1", [](Features& f) { v34(f), f.bbml = 0; }, [](Features& f) { f.bbml = 2; }},
    {"E0PD is mandatory", [](Features& f) { v34(f), f.e0pd = false; }, [](Features& f) { f.e0pd = true; }},
    {"PTWNNC is mandatory", [](Features& f) { v34(f), f.ptwnnc = false; }, [](Features& f) { f.ptwnnc = true; }},
    {"EPAN is mandatory", [](Features& f) { v34(f), f.epan = false; }, [](Features& f) { f.version_minor = 3; }},
    {"MTEPERM is mandatory", [](Features& f) { v34(f), f.mteperm = false; }, [](Features& f) { f.mteperm = true; }},
};

const Case idr3_cases[] = {
    {"HAD needs", [](Features& f) { f.s1p = false, f.s2p = f.xnx = true; }, [](Features& f) { f.had = false; }},
    {"bbml is reserved", [](Features& f) { f.bbml = 3; }, [](Features& f) { f.bbml = 2; }},
    {"PTWNNC needs", [](Features& f) { v34(f), f.s2p = f.hyp = f.mteperm = false; },
     [](Features& f) { f.ptwnnc = false; }},
    {"MTEPERM needs", [](Features& f) { v34(f), f.s2p = f.hyp = f.ptwnnc = false; },
     [](Features& f) { f.mteperm = false; }},
    {"PBHA needs", [](Features& f) { f.version_minor = 0, f.ril = f.had = false, f.pbha = true; },
     [](Features& f) { f.had = true; }},
    {"PPS needs", [](Features& f) { f.ats = f.pri = f.pps = true; }, [](Features& f) { f.ssidsize = 8; }},
    {"S1PI, THE and AIE", [](Features& f) { v34(f), f.s1p = f.had = f.hyp = false, f.s1pi = true; },
     [](Features& f) { f.s1p = f.had = f.hyp = true; }},
    {"S2PI needs", [](Features& f) { v34(f), f.s2p = f.hyp = f.ptwnnc = f.mteperm = false, f.s2pi = true; },
     [](Features& f) { f.s2pi = false; }},
    {"S2PO needs", [](Features& f) { v34(f), f.s2po = true; }, [](Features& f) { f.s2pi = true; }},
    {"THE with stage 2", [](Features& f) { v34(f), f.the = true; }, [](Features& f) { f.s2pi = true; }},
    {"D128 needs S1PI", [](Features& f) { v34(f), f.d128 = f.s2pi = f.s2po = f.aie = true; },
     [](Features& f) { f.s1pi = true; }},
    {"D128 needs VMSAv8-64",
     [](Features& f) {
       v34(f), f.d128 = f.s1pi = f.s2pi = f.s2po = f.aie = f.ttf_lpae = true, f.ttf_vmsav8_64 = false;
     },
     [](Features& f) { f.ttf_lpae = false, f.ttf_vmsav8_64 = true; }},
    {"DPT needs ATS", [](Features& f) { v34(f), f.dpt = true; }, [](Features& f) { f.ats = true; }},
};

const Case pasidtt_cases[] = {
    {"PASIDTT needs", [](Features& f) { v34(f), f.pasidtt = true, f.ssidsize = 8; }, [](Features& f) { f.ats = true; }},
    {"PASIDTT needs", [](Features& f) { v34(f), f.pasidtt = f.ats = true; }, [](Features& f) { f.ssidsize = 8; }},
};

const Case mpamidr_cases[] = {
    {"partid_max is", [](Features& f) { f.partid_max = 1; }, [](Features& f) { f.mpam = true; }},
    {"partid_max is", [](Features& f) { f.mpam = true, f.partid_max = 65536; }, [](Features& f) { --f.partid_max; }},
    {"pmg_max is", [](Features& f) { f.pmg_max = 1; }, [](Features& f) { f.mpam = true; }},
    {"pmg_max is", [](Features& f) { f.mpam = true, f.pmg_max = 256; }, [](Features& f) { --f.pmg_max; }},
};

const Case idr5_cases[] = {
    {"oas is not", [](Features& f) { f.oas = 47; }, [](Features& f) { f.oas = 42; }},
    {"oas of 52", [](Features& f) { f.oas = 52; }, [](Features& f) { f.gran64k = true; }},
    {"oas of 52", [](Features& f) { v34(f), f.oas = 52; }, [](Features& f) { f.ds = true, f.vax = 52; }},
    {"oas of 56", [](Features& f) { v34(f), f.oas = 56; },
     [](Features& f) { f.d128 = f.s1pi = f.s2pi = f.s2po = f.aie = true; }},
    {"vax is not", [](Features& f) { f.vax = 49; }, [](Features& f) { f.vax = 48; }},
    {"DS needs vax", [](Features& f) { v34(f), f.ds = true; }, [](Features& f) { f.vax = 52; }},
    {"DS needs the", [](Features& f) { v34(f), f.ds = f.gran64k = true, f.gran4k = false, f.vax = 52; },
     [](Features& f) { f.gran16k = true; }},
    {"vax above 48", [](Features& f) { f.vax = 52; }, [](Features& f) { f.gran64k = true; }},
    {"vax of 56", [](Features& f) { v34(f), f.vax = 56, f.gran64k = true; },
     [](Features& f) { f.d128 = f.s1pi = f.s2pi = f.s2po = f.aie = true; }},
    {"VMSAv8-32 LPAE tables need", [](Features& f) { f.ttf_lpae = f.gran64k = true, f.gran4k = false; },
     [](Features& f) { f.gran4k = true; }},
    {"no granule", [](Features& f) { f.gran4k = false; }, [](Features& f) { f.gran16k = true; }},
    {"stall_max counts", [](Features& f) { f.stall_max = 1; },
     [](Features& f) { f.stall_model = StallModel::stall_and_terminate; }},
};

const Case iidr_cases[] = {
    {"an IIDR number", [](Features& f) { f.product_id = 0x1000; }, [](Features& f) { f.product_id = 0xFFF; }},
    {"an IIDR number", [](Features& f) { f.variant = 0x10; }, [](Features& f) { f.variant = 0xF; }},
};

std::string all_sentences(const Features& f) {
  std::string text;
  for (const FeatureError& error : check(f)) text.append(error.sentence).append("\n");
  return text;
}

void expect_broken_then_mended(std::span<const Case> cases, std::string_view rule) {
  for (const Case& c : cases) {
    Features f;
    c.broken(f);
    const std::vector<FeatureError> errors = check(f);
    const bool reported = std::ranges::any_of(errors, [&](const FeatureError& error) {
      return error.sentence.starts_with(c.sentence) && error.rule == rule;
    });
    EXPECT_TRUE(reported) << c.sentence << "; reported were:\n" << all_sentences(f);
    c.mended(f);
    EXPECT_EQ(all_sentences(f), "") << c.sentence;
  }
}

TEST(SpecFeatureRules, AVersionHasNoFeatureOfTheVersionAfterNext) {
  RecordProperty("rule", "SM-ID-004");
  expect_broken_then_mended(version_cases, "SM-ID-004");
}

TEST(SpecFeatureRules, FieldsOfIdr0) {
  RecordProperty("rule", "SM-ID-005");
  expect_broken_then_mended(idr0_cases, "SM-ID-005");
}

TEST(SpecFeatureRules, FieldsOfIdr1) {
  RecordProperty("rule", "SM-ID-007");
  expect_broken_then_mended(idr1_cases, "SM-ID-007");
}

TEST(SpecFeatureRules, MandatoryFeaturesOfEachVersion) {
  RecordProperty("rule", "SM-ID-001 SM-ID-008");
  expect_broken_then_mended(mandatory_cases, "SM-ID-008");
}

TEST(SpecFeatureRules, FieldsOfIdr3) {
  RecordProperty("rule", "SM-ID-008");
  expect_broken_then_mended(idr3_cases, "SM-ID-008");
}

TEST(SpecFeatureRules, PasidttNeedsAtsAndSubstreams) {
  expect_broken_then_mended(pasidtt_cases, "SM-ID-009");
}

TEST(SpecFeatureRules, FieldsOfIdr5) {
  RecordProperty("rule", "SM-ID-010");
  expect_broken_then_mended(idr5_cases, "SM-ID-010");
}

TEST(SpecFeatureRules, MaximaOfMpamidr) {
  RecordProperty("rule", "SM-MPM-001");
  expect_broken_then_mended(mpamidr_cases, "SM-MPM-001");
}

TEST(SpecFeatureRules, NumbersOfIidr) {
  expect_broken_then_mended(iidr_cases, "");
}

TEST(SpecFeatureRules, EveryVersionHasAPossibleMinimum) {
  RecordProperty("rule", "SM-ID-001");
  for (unsigned minor = 0; minor <= 4; ++minor) {
    Features f;
    f.ril = minor >= 2;
    f.fwb = minor >= 2;
    f.bbml = minor >= 2 ? 1 : 0;
    f.e0pd = minor >= 3;
    f.epan = minor >= 4;
    f.version_minor = minor;
    EXPECT_EQ(all_sentences(f), "") << "v3." << minor;
  }
}

TEST(SpecFeatureRules, EveryRuleIsBrokenByACase) {
  std::set<std::string_view> broken;
  const std::span<const Case> all[] = {version_cases, idr0_cases,    idr1_cases, mandatory_cases, idr3_cases,
                                       pasidtt_cases, mpamidr_cases, idr5_cases, iidr_cases};
  for (const std::span<const Case> cases : all) {
    for (const Case& c : cases) {
      for (const FeatureRule& rule : feature_rules()) {
        if (rule.sentence.starts_with(c.sentence)) broken.insert(rule.sentence);
      }
    }
  }
  for (const FeatureRule& rule : feature_rules()) EXPECT_TRUE(broken.contains(rule.sentence)) << rule.sentence;
}

TEST(SpecFeatureRules, EverySentenceSaysWhatWouldBeRight) {
  for (const FeatureRule& rule : feature_rules()) {
    EXPECT_NE(rule.sentence.find("; "), std::string_view::npos) << rule.sentence;
    EXPECT_FALSE(rule.section.empty()) << rule.sentence;
    EXPECT_FALSE(rule.members.empty()) << rule.sentence;
  }
}

}  // namespace
}  // namespace smmusim::spec

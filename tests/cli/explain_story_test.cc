// SPDX-License-Identifier: MIT
// What a translation that gets through is told like: order, addresses, indentation, JSON. And that a RegisterDump takes
// what a real system's dump can have.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform/explain/register_dump.h"
#include "tests/cli/explain_world.h"
#include "tests/cli/process.h"

namespace smmusim::test {
namespace {

using spec::Ste;

/// Fails unless the parts come in this order in `text`.
void expect_in_order(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t from = 0;
  for (const std::string& part : parts) {
    const std::size_t at = text.find(part, from);
    ASSERT_NE(at, std::string::npos) << "missing after what came before: " << part << "\n" << text;
    from = at + part.size();
  }
}

TEST(ExplainStory, ANestedTranslationIsToldInTheOrderOfItsFetches) {
  World world;
  const std::string text = explain::to_text(world.tell(), false);
  expect_in_order(
      text,
      {"read of 1 byte at 0x12345678 by StreamID 0x8, unprivileged data\n",
       "   1  the stream table is linear and has 2^8 entries  [6.3.25]\n",
       "   2  STE @0x40000200 (stream table 0x40000000 + 64 * 0x8)  [5.2]\n",
       "Config = 7 (stage1+stage2), S1ContextPtr = 0x50000000",
       "      -> stage 1 and stage 2 translate; StreamWorld is NS-EL1\n",
       "   3  stage 2 of IPA 0x50000000, where to find the CD  [3.3.2]\n",
       "     3.1  stage-2 level-1 descriptor @0x70000008 (S2TTB 0x70000000 + 8 * 0x1) = ",
       "     3.2  stage-2 level-2 descriptor @",
       "     3.3  stage-2 level-3 descriptor @",
       "          -> page of 4 KiB at PA 0x150000000\n",
       "          -> IPA 0x50000000 is PA 0x150000000  [3.3.2]\n",
       "   4  CD @0x150000000 (IPA 0x50000000 = CD table 0x50000000 + 64 * 0x0)  [5.4]\n",
       "T0SZ = 25, TG0 = 0 (4KiB)",
       "      -> the CD is valid\n",
       "   5  stage 1: 0x12345678 lies in the range of TTB0 (T0SZ = 25: 39 bits of address); granule 4 "
       "KiB, output of 44 "
       "bits  [3.4.1]\n",
       "   6  stage 2 of IPA 0x50010000, where to find the stage-1 level-1 descriptor  [3.3.2]\n",
       "   7  stage-1 level-1 descriptor @0x150010000 (IPA 0x50010000 = TTB0 0x50010000 + 8 * 0x0) = ",
       "      -> table: the level-2 table lies at 0x50011000\n",
       "   8  stage 2 of IPA 0x50011488, where to find the stage-1 level-2 descriptor",
       "   9  stage-1 level-2 descriptor @0x150011488 (IPA 0x50011488 = table 0x50011000 + 8 * 0x91)",
       "  10  stage 2 of IPA 0x50012a28, where to find the stage-1 level-3 descriptor",
       "  11  stage-1 level-3 descriptor @0x150012a28",
       "      -> page of 4 KiB at IPA 0x60000000\n",
       "  12  stage 2 of IPA 0x60000678, the address of the access",
       "  13  stage-2 level-1 descriptor @",
       "      -> IPA 0x60000678 is PA 0x160000678",
       "the translation grants unprivileged read+write+execute, privileged read+write; the output is PA 0x160000678",
       "response: proceed, PA 0x160000678, Normal iWB-oWB, inner shareable, mapping of 4 KiB, read allowed",
       "event:    none\n",
       "the access proceeds to PA 0x160000678, in a mapping of 4 KiB\n"});
}

TEST(ExplainStory, ANestedWalkFetchesWhatTheArchitectureAsksFor) {
  World world;
  std::size_t descriptors = 0;
  for (const explain::StoryStep& step : world.tell().steps) {
    descriptors += step.fetch && step.fetch->structure == "descriptor" ? 1 : 0;
  }
  // (3+1)(3+1)-1 of the walk, and three for the CD.
  EXPECT_EQ(descriptors, 15u + 3u);
}

TEST(ExplainStory, Stage1AloneSpeaksOfPhysicalAddresses) {
  World world;
  world.without_stage2();
  const std::string text = explain::to_text(world.tell(), false);
  EXPECT_EQ(text.find("IPA"), std::string::npos) << text;
  EXPECT_EQ(text.find("S2TTB"), std::string::npos) << text;
  EXPECT_NE(text.find("the access proceeds to PA 0x60000678"), std::string::npos) << text;
}

TEST(ExplainStory, BypassIsToldWithTheWidthThatWasChecked) {
  World world;
  world.ste.set<Ste::Config>(spec::SteConfig::bypass);
  world.write();
  const explain::Story story = world.tell();
  EXPECT_EQ(story.verdict, "the access proceeds untranslated to PA 0x12345678");
  EXPECT_NE(explain::to_text(story, false).find("no stage translates; the address may have 44 bits, those of the OAS"),
            std::string::npos);
}

TEST(ExplainStory, ABigEndianDescriptorIsShownAsStoredAndReadAsMeant) {
  World world;
  world.cd.set<spec::Cd::ENDI>(true);
  world.write();
  for (int level = 1; level != 4; ++level) {
    const std::uint64_t at = world.stage1_descriptor(level);
    world.put(at, __builtin_bswap64(world.get(at)));
  }
  const explain::Story story = world.tell();
  EXPECT_EQ(story.response.outcome, Outcome::proceed) << story.verdict;
  EXPECT_NE(explain::to_text(story, false).find(" = 0x0310015000000000, big-endian"), std::string::npos)
      << explain::to_text(story, false);
}

TEST(ExplainStory, ColourOnlyAddsEscapeSequences) {
  World world;
  const explain::Story story = world.tell();
  std::string coloured = explain::to_text(story, true);
  EXPECT_NE(coloured.find("\x1b["), std::string::npos);
  for (std::size_t at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, explain::to_text(story, false));
}

TEST(ExplainStory, JsonHasTheDocumentedKeys) {
  World world;
  world.put(world.stage2_descriptor(World::page, 3), 0);
  const auto json = nlohmann::json::parse(explain::to_json(world.tell()));
  EXPECT_EQ(json["request"]["sid"], 8);
  EXPECT_EQ(json["request"]["ssid"], nullptr);
  EXPECT_EQ(json["request"]["access"], "read");
  EXPECT_EQ(json["outcome"], "abort");
  EXPECT_EQ(json["pa"], nullptr);
  EXPECT_EQ(json["event"]["name"], "F_TRANSLATION");
  EXPECT_EQ(json["event"]["words"].size(), 4u);
  const auto& ste = json["steps"][1];
  EXPECT_EQ(ste["number"], "2");
  EXPECT_EQ(ste["structure"], "STE");
  EXPECT_EQ(ste["address"], "0x40000200");
  EXPECT_EQ(ste["words"].size(), 8u);
  EXPECT_EQ(ste["fields"][0]["name"], "V");
  EXPECT_EQ(ste["decisions"][0]["step"], "ste_decoded");
  const auto& last = json["steps"].back();
  EXPECT_EQ(last["stage"], 2);
  EXPECT_EQ(last["level"], 3);
  EXPECT_EQ(last["decisions"][0]["step"], "walk_fault");
  EXPECT_EQ(last["decisions"][0]["section"], "7.3.13");
}

TEST(ExplainStory, FeaturesThatThisVersionDoesNotModelAreNamed) {
  World world;
  world.features.version_minor = 3;  // which may have a feature of v3.4
  world.features.fwb = world.features.e0pd = world.features.hyp = world.features.ptwnnc = true;
  world.features.bbml = 1;
  spec::Features told = world.features;
  told.s1pi = true;
  world.registers["IDR3"] = spec::id_registers(told).idr[3];
  const explain::Story story = world.tell();
  ASSERT_EQ(story.notes.size(), 1u);
  EXPECT_NE(story.notes[0].find("does not model: s1pi"), std::string::npos) << story.notes[0];
}

TEST(ExplainStory, AnEventWithoutAQueueIsNoted) {
  World world;
  world.registers["CR0"] = 1;
  world.put(world.stage1_descriptor(1), 0);
  const explain::Story story = world.tell();
  ASSERT_EQ(story.notes.size(), 1u);
  EXPECT_NE(story.notes[0].find("CR0.EVENTQEN is 0"), std::string::npos) << story.notes[0];
}

TEST(ExplainRegisters, TheFeaturesOfIdRegistersComeBack) {
  World world;
  explain::RegisterDump dump;
  const spec::IdRegisters ids = spec::id_registers(world.features);
  for (const std::uint32_t n : {0u, 1u, 2u, 3u, 4u, 5u}) dump.set("IDR" + std::to_string(n), ids.idr[n]);
  dump.set("SMMU_AIDR", ids.aidr);
  EXPECT_EQ(dump.features({}), world.features);
}

TEST(ExplainRegisters, WithoutAidrAVersionThatFitsIsTaken) {
  spec::Features later;
  later.version_minor = 3;
  later.bbml = 2;
  later.fwb = true;
  later.e0pd = true;
  ASSERT_TRUE(spec::check(later).empty()) << spec::check(later)[0].sentence;
  explain::RegisterDump dump;
  const spec::IdRegisters ids = spec::id_registers(later);
  for (const std::uint32_t n : {0u, 1u, 3u, 5u}) dump.set("IDR" + std::to_string(n), ids.idr[n]);
  spec::Features old;
  old.version_minor = 0;
  old.had = false;
  old.ril = false;
  EXPECT_TRUE(spec::check(dump.features(old)).empty());
}

TEST(ExplainRegisters, IdRegistersThatContradictEachOtherAreRefused) {
  explain::RegisterDump dump;
  dump.set("IDR0", 0);
  try {
    dump.features({});
    FAIL() << "an SMMU without stages was accepted";
  } catch (const std::invalid_argument& wrong) {
    EXPECT_NE(std::string(wrong.what()).find("no stage of translation is supported; "), std::string::npos)
        << wrong.what();
  }
}

TEST(ExplainRegisters, HalvesOfA64BitRegisterAreJoined) {
  explain::RegisterDump dump;
  dump.set("0x84", 0x4000'0000);
  dump.set("0x80", 0x4195'd000);
  EXPECT_EQ(dump.get(0x80), 0x4000'0000'4195'd000u);
}

TEST(ExplainRegisters, PresetTablesOfADumpAreTaken) {
  World world;
  world.features.tables_preset = true;
  explain::RegisterDump dump;
  const spec::IdRegisters ids = spec::id_registers(world.features);
  for (const std::uint32_t n : {0u, 1u, 2u, 3u, 5u}) dump.set("IDR" + std::to_string(n), ids.idr[n]);
  EXPECT_FALSE(dump.features({}).tables_preset);
}

TEST(ExplainRegisters, ADumpOfTheWholeFrameIsTaken) {
  explain::RegisterDump dump;
  dump.set("CR0", 1);
  for (const char* unused : {"CR0ACK", "GERROR", "PIDR0", "0x24", "EVENTQ_PROD", "0xac"}) dump.set(unused, 1);
  EXPECT_EQ(dump.get(0x24), std::nullopt);
  EXPECT_EQ(dump.get(0x100ac), 1u);
}

struct BadRegister {
  const char* key;
  std::uint64_t value;
  const char* says;
};
class BadRegisters : public testing::TestWithParam<BadRegister> {};

TEST_P(BadRegisters, AreRefused) {
  explain::RegisterDump dump;
  dump.set("CR0", 1);
  dump.set("CMDQ_BASE", 0x4000'0000'0000'0000);
  try {
    dump.set(GetParam().key, GetParam().value);
    FAIL() << GetParam().key << " was accepted";
  } catch (const std::invalid_argument& wrong) {
    EXPECT_NE(std::string(wrong.what()).find(GetParam().says), std::string::npos) << wrong.what();
    EXPECT_NE(std::string(wrong.what()).find("; "), std::string::npos) << wrong.what();
  }
}

const BadRegister bad_registers[] = {
    {"STRTABBASE", 0, "unknown register \"STRTABBASE\""},
    {"0x3000", 0, "no register lies at offset 0x3000"},
    {"0x100000080", 0, "no register lies at offset 0x100000080"},
    {"0x82", 0, "offset 0x82 lies inside STRTAB_BASE"},
    {"CR1", 0x1'0000'0000, "CR1 = 0x100000000 has more than 32 bits"},
    {"0x84", 0x1'0000'0000, "has more than 32 bits"},
    {"SMMU_CR0", 0, "CR0 is there twice"},
    {"0x94", 0, "CMDQ_BASE is there as a whole and again its upper half"},
};
INSTANTIATE_TEST_SUITE_P(Every, BadRegisters, testing::ValuesIn(bad_registers));

}  // namespace
}  // namespace smmusim::test

// SPDX-License-Identifier: MIT
// What explain tells of each kind of fault: the event, where it happened and why. One row is one thing broken in a
// nested stream that otherwise translates.
#include <gtest/gtest.h>

#include "tests/cli/explain_world.h"

namespace smmusim::test {
namespace {

using spec::Cd;
using spec::EventClass;
using spec::EventType;
using spec::Ste;

struct Row {
  const char* name;
  EventType event;
  int stage;         ///< S2 + 1; 0: the event does not say
  EventClass klass;  ///< only with a stage
  const char* says;  ///< how the verdict begins
  void (*spoil)(World&, Transaction&);
};

void make_write(Transaction& t) {
  t.access = AccessType::write;
}
void add_substreams(World& world, unsigned max, spec::S1Dss dss) {
  world.ste.set<Ste::S1CDMax>(max).set<Ste::S1DSS>(dss);
  world.write();
}
void set_substream(Transaction& t, std::uint32_t ssid) {
  t.substream_valid = true;
  t.substream_id = SubstreamId(ssid);
}
/// Clears and sets bits of a descriptor.
void change(World& world, std::uint64_t pa, std::uint64_t clear, std::uint64_t set = 0) {
  world.put(pa, (world.get(pa) & ~clear) | set);
}

constexpr std::uint64_t valid = 1, type = 2, af = 0x400, s2ap = 0xc0;
constexpr std::uint64_t beyond_output = std::uint64_t{1} << 44;
constexpr auto no_class = EventClass::CD;

const Row rows[] = {
    {"StreamIdBeyondTable", EventType::C_BAD_STREAMID, 0, no_class,
     "C_BAD_STREAMID: StreamID 0x100 lies beyond the 2^8 entries of the stream table; the access aborts",
     [](World&, Transaction& t) { t.stream_id = StreamId(0x100); }},
    {"StreamIdNotSpanned", EventType::C_BAD_STREAMID, 0, no_class,
     "C_BAD_STREAMID: Span is 0: there is no second level",
     [](World& w, Transaction&) {
       w.registers["STRTAB_BASE_CFG"] = 0x1'0188;
       w.put(World::stream_table, 0);
     }},
    {"SpanTooLarge", EventType::C_BAD_STREAMID, 0, no_class, "C_BAD_STREAMID: Span = 8 is more than SPLIT = 6 allows",
     [](World& w, Transaction&) {
       w.registers["STRTAB_BASE_CFG"] = 0x1'0188;
       w.put(World::stream_table, 8);
     }},
    {"SteBeyondOas", EventType::F_STE_FETCH, 0, no_class,
     "F_STE_FETCH: 0x200000000200 has more than the 44 bits of the OAS: the read aborts",
     [](World& w, Transaction&) { w.registers["STRTAB_BASE"] = 0x2000'0000'0000; }},
    {"SteNotInDump", EventType::F_STE_FETCH, 0, no_class, "F_STE_FETCH: there is no memory at 0x40000240",
     [](World& w, Transaction& t) {
       w.strict = true;
       t.stream_id = StreamId(9);
     }},
    {"SteInvalid", EventType::C_BAD_STE, 0, no_class, "C_BAD_STE: ",
     [](World& w, Transaction&) {
       w.ste.set<Ste::V>(false);
       w.write();
     }},
    {"SubstreamOfStreamWithout", EventType::C_BAD_SUBSTREAMID, 0, no_class,
     "C_BAD_SUBSTREAMID: the access has a SubstreamID, but the stream has no substreams",
     [](World&, Transaction& t) { set_substream(t, 1); }},
    {"SubstreamTooLarge", EventType::C_BAD_SUBSTREAMID, 0, no_class,
     "C_BAD_SUBSTREAMID: SubstreamID 0x10 lies beyond the 2^4 of S1CDMax",
     [](World& w, Transaction& t) {
       add_substreams(w, 4, spec::S1Dss::terminate);
       set_substream(t, 0x10);
     }},
    {"L1CdInvalid", EventType::C_BAD_SUBSTREAMID, 0, no_class, "C_BAD_SUBSTREAMID: V is 0: there is no CD table here",
     [](World& w, Transaction& t) {
       w.ste.set<Ste::S1Fmt>(spec::S1Format::two_level_4k);
       add_substreams(w, 8, spec::S1Dss::terminate);
       w.put(World::contexts + World::offset + 8, 0);
       set_substream(t, 0x40);
     }},
    {"NoSubstream", EventType::F_STREAM_DISABLED, 0, no_class,
     "F_STREAM_DISABLED: the stream has substreams, the access has none, and S1DSS terminates such accesses",
     [](World& w, Transaction&) { add_substreams(w, 4, spec::S1Dss::terminate); }},
    {"SubstreamZeroReserved", EventType::F_STREAM_DISABLED, 0, no_class,
     "F_STREAM_DISABLED: SubstreamID 0 may not be used, because S1DSS is 2",
     [](World& w, Transaction& t) {
       add_substreams(w, 4, spec::S1Dss::substream0);
       set_substream(t, 0);
     }},
    {"CdNotInDump", EventType::F_CD_FETCH, 0, no_class, "F_CD_FETCH: there is no memory at 0x150000000",
     [](World& w, Transaction&) {
       w.strict = true;
       w.forget(World::contexts + World::offset);
     }},
    {"VmsNotInDump", EventType::F_VMS_FETCH, 0, no_class, "F_VMS_FETCH: there is no memory at 0x160000000",
     [](World& w, Transaction&) {
       w.strict = true;
       w.features.mpam = true;
       w.features.partid_max = 7;
       w.ste.set<Ste::S1MPAM>(true).set<Ste::VMSPtr>(World::page + World::offset);
       w.write();
     }},
    {"CdInvalid", EventType::C_BAD_CD, 0, no_class, "C_BAD_CD: ",
     [](World& w, Transaction&) {
       w.cd.set<Cd::V>(false);
       w.write();
     }},
    {"CdNotMapped", EventType::F_TRANSLATION, 2, EventClass::CD,
     "F_TRANSLATION, stage 2, while reading the CD at IPA 0x50000000: the stage-2 level-3 descriptor is invalid",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::contexts, 3), valid); }},
    {"CdBeyondStage2", EventType::F_TRANSLATION, 2, EventClass::CD,
     "F_TRANSLATION, stage 2, while reading the CD at IPA 0x8000000000: IPA 0x8000000000 lies outside the range of "
     "S2TTB "
     "(S2T0SZ = 25: 39 bits)",
     [](World& w, Transaction&) {
       w.ste.set<Ste::S1ContextPtr>(std::uint64_t{1} << 39);
       w.write();
     }},
    {"L1CdNotMapped", EventType::F_TRANSLATION, 2, EventClass::CD,
     "F_TRANSLATION, stage 2, while reading the L1CD at IPA 0x50000000: the stage-2 level-3 descriptor is invalid",
     [](World& w, Transaction& t) {
       w.ste.set<Ste::S1Fmt>(spec::S1Format::two_level_4k);
       add_substreams(w, 8, spec::S1Dss::terminate);
       set_substream(t, 1);
       change(w, w.stage2_descriptor(World::contexts, 3), valid);
     }},
    {"CdNotAccessed", EventType::F_ACCESS, 2, EventClass::CD,
     "F_ACCESS, stage 2, while reading the CD at IPA 0x50000000: ",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::contexts, 3), af); }},
    {"CdNotReadable", EventType::F_PERMISSION, 2, EventClass::CD,
     "F_PERMISSION, stage 2, while reading the CD at IPA 0x50000000: stage 2 does not let the SMMU read the CD there",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::contexts, 3), s2ap, 0x80); }},
    {"CdAddressTooLarge", EventType::F_ADDR_SIZE, 2, EventClass::CD,
     "F_ADDR_SIZE, stage 2, while reading the CD at IPA 0x50000000: the stage-2 level-3 descriptor names an address of "
     "more than 44 bits",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::contexts, 3), 0, beyond_output); }},
    {"CdWalkAborts", EventType::F_WALK_EABT, 2, EventClass::CD,
     "F_WALK_EABT, stage 2, while reading the CD at IPA 0x50000000: there is no memory at 0x7",
     [](World& w, Transaction&) {
       w.strict = true;
       w.forget(w.stage2_descriptor(World::contexts, 3));
     }},
    {"OutsideTtb0", EventType::F_TRANSLATION, 1, EventClass::IN,
     "F_TRANSLATION, stage 1: 0x8000000000 lies outside the range of TTB0 (T0SZ = 25: 39 bits of address)",
     [](World&, Transaction& t) { t.address = Va(std::uint64_t{1} << 39); }},
    {"Ttb1NotWalked", EventType::F_TRANSLATION, 1, EventClass::IN,
     "F_TRANSLATION, stage 1: EPD1 = 1: TTB1 is not walked",
     [](World& w, Transaction& t) {
       w.cd.set<Cd::T1SZ>(25).set<Cd::TG1>(spec::Tg1::kib4);
       w.write();
       t.address = Va(~std::uint64_t{0xfff});
     }},
    {"Level1Invalid", EventType::F_TRANSLATION, 1, EventClass::IN,
     "F_TRANSLATION, stage 1: the stage-1 level-1 descriptor is invalid (bit 0 is 0); the access aborts",
     [](World& w, Transaction&) { w.put(w.stage1_descriptor(1), 0); }},
    {"Level3Reserved", EventType::F_TRANSLATION, 1, EventClass::IN,
     "F_TRANSLATION, stage 1: the stage-1 level-3 descriptor is reserved",
     [](World& w, Transaction&) { change(w, w.stage1_descriptor(3), type); }},
    {"Stage1AddressTooLarge", EventType::F_ADDR_SIZE, 1, EventClass::IN,
     "F_ADDR_SIZE, stage 1: the stage-1 level-3 descriptor names an address of more than 44 bits, the output size",
     [](World& w, Transaction&) { change(w, w.stage1_descriptor(3), 0, beyond_output); }},
    {"Stage1NotAccessed", EventType::F_ACCESS, 1, EventClass::IN,
     "F_ACCESS, stage 1: the stage-1 level-3 descriptor has AF = 0, and CD.AFFD does not waive that",
     [](World& w, Transaction&) { change(w, w.stage1_descriptor(3), af); }},
    {"Stage1ReadOnly", EventType::F_PERMISSION, 1, EventClass::IN,
     "F_PERMISSION, stage 1: stage 1 grants read+execute; the access needs unprivileged write",
     [](World& w, Transaction& t) {
       change(w, w.stage1_descriptor(3), 0, 0x80);
       make_write(t);
     }},
    {"Stage1WalkAborts", EventType::F_WALK_EABT, 1, EventClass::TT,
     "F_WALK_EABT, stage 1, while reading the level-2 descriptor: there is no memory at 0x150011",
     [](World& w, Transaction&) {
       w.strict = true;
       w.forget(w.stage1_descriptor(2));
     }},
    {"TableNotMapped", EventType::F_TRANSLATION, 2, EventClass::TT,
     "F_TRANSLATION, stage 2, while reading the stage-1 level-2 descriptor at IPA 0x50011488: the stage-2 level-3 "
     "descriptor is invalid",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::stage1_root + 0x1000, 3), valid); }},
    {"TableNotAccessed", EventType::F_ACCESS, 2, EventClass::TT,
     "F_ACCESS, stage 2, while reading the stage-1 level-1 descriptor at IPA 0x50010000: ",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::stage1_root, 3), af); }},
    {"TableNotReadable", EventType::F_PERMISSION, 2, EventClass::TT,
     "F_PERMISSION, stage 2, while reading the stage-1 level-3 descriptor at IPA 0x50012a28: stage 2 does not let",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::stage1_root + 0x2000, 3), s2ap, 0x80); }},
    {"TableAddressTooLarge", EventType::F_ADDR_SIZE, 2, EventClass::TT,
     "F_ADDR_SIZE, stage 2, while reading the stage-1 level-1 descriptor at IPA 0x50010000: ",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::stage1_root, 3), 0, beyond_output); }},
    {"TableWalkAborts", EventType::F_WALK_EABT, 2, EventClass::TT,
     "F_WALK_EABT, stage 2, while reading the stage-1 level-1 descriptor at IPA 0x50010000: there is no memory at 0x7",
     [](World& w, Transaction&) {
       w.strict = true;
       w.forget(w.stage2_descriptor(World::stage1_root, 3));
     }},
    {"PageNotMapped", EventType::F_TRANSLATION, 2, EventClass::IN,
     "F_TRANSLATION, stage 2, translating IPA 0x60000678 of the access: the stage-2 level-3 descriptor is invalid",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::page, 3), valid); }},
    {"PageBeyondStage2", EventType::F_TRANSLATION, 2, EventClass::IN,
     "F_TRANSLATION, stage 2, translating IPA 0x8000000678 of the access: IPA 0x8000000678 lies outside the range of "
     "S2TTB",
     [](World& w, Transaction&) { w.put(w.stage1_descriptor(3), (std::uint64_t{1} << 39) | 0xf43); }},
    {"PageAddressTooLarge", EventType::F_ADDR_SIZE, 2, EventClass::IN,
     "F_ADDR_SIZE, stage 2, translating IPA 0x60000678 of the access: ",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::page, 3), 0, beyond_output); }},
    {"PageNotAccessed", EventType::F_ACCESS, 2, EventClass::IN,
     "F_ACCESS, stage 2, translating IPA 0x60000678 of the access: the stage-2 level-3 descriptor has AF = 0, and "
     "STE.S2AFFD",
     [](World& w, Transaction&) { change(w, w.stage2_descriptor(World::page, 3), af); }},
    {"PageReadOnly", EventType::F_PERMISSION, 2, EventClass::IN,
     "F_PERMISSION, stage 2, translating IPA 0x60000678 of the access: stage 2 grants ",
     [](World& w, Transaction& t) {
       change(w, w.stage2_descriptor(World::page, 3), s2ap, 0x40);
       make_write(t);
     }},
    {"PageWalkAborts", EventType::F_WALK_EABT, 2, EventClass::IN,
     "F_WALK_EABT, stage 2, translating IPA 0x60000678 of the access: there is no memory at 0x7",
     [](World& w, Transaction&) {
       w.strict = true;
       w.forget(w.stage2_descriptor(World::page, 3));
     }},
};

class ExplainFault : public testing::TestWithParam<Row> {};

TEST_P(ExplainFault, IsToldWithItsPlaceAndItsCause) {
  const Row& row = GetParam();
  World world;
  Transaction transaction = World::access();
  row.spoil(world, transaction);
  const explain::Story story = world.tell(transaction);
  ASSERT_TRUE(story.event.has_value()) << explain::to_text(story, false);
  const spec::Event& event = story.event->event;
  EXPECT_EQ(event.get<spec::Event::Type>(), row.event);
  EXPECT_TRUE(story.event->recorded);
  EXPECT_EQ(story.response.outcome, Outcome::abort);
  EXPECT_EQ(story.verdict.find(row.says), 0u) << story.verdict;
  if (row.stage == 0) return;
  EXPECT_EQ(event.get<spec::Event::S2>(), row.stage == 2);
  EXPECT_EQ(event.get<spec::Event::CLASS>(), row.klass);
}

INSTANTIATE_TEST_SUITE_P(Every, ExplainFault, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ExplainStory, AnIllegalSteIsToldWithTheRuleAndEveryFieldThatIsSet) {
  World world;
  world.ste.set<Ste::V>(false);
  world.write();
  const std::string text = explain::to_text(world.tell(), false);
  EXPECT_NE(text.find("-> it is ILLEGAL: "), std::string::npos) << text;
  EXPECT_NE(text.find("V = 0 (invalid), Config = 7 (stage1+stage2)"), std::string::npos) << text;
}

TEST(ExplainStory, AFaultThatCdRSuppressesIsToldAsNotRecorded) {
  World world;
  world.cd.set<Cd::R>(false);
  world.write();
  world.put(world.stage1_descriptor(1), 0);
  const explain::Story story = world.tell();
  ASSERT_TRUE(story.event.has_value());
  EXPECT_FALSE(story.event->recorded);
  EXPECT_NE(story.verdict.find("; the access aborts, no event is recorded because CD.R is 0"), std::string::npos)
      << story.verdict;
}

TEST(ExplainStory, ADisabledSmmuHasNoEventAndOneStep) {
  World world;
  world.registers["CR0"] = 4;
  world.registers["GBPA"] = 0x10'0000;
  const explain::Story story = world.tell();
  EXPECT_FALSE(story.event.has_value());
  EXPECT_EQ(story.steps.size(), 1u);
  EXPECT_EQ(story.verdict, "the access aborts: SMMUEN is 0 and GBPA.ABORT is 1: every access aborts, without an event");
}

TEST(ExplainStory, AnAbortingSteIsTheCause) {
  World world;
  world.ste.set<Ste::Config>(spec::SteConfig::abort);
  world.write();
  EXPECT_EQ(world.tell().verdict, "the access aborts: STE.Config = 0 aborts every access, without an event");
}

}  // namespace
}  // namespace smmusim::test

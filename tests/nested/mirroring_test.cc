// SPDX-License-Identifier: MIT
// What a guest's registers, STEs and commands make of its passthrough devices: where their DMA goes, and what the guest
// hears of it. QEMU's divergences of the same design are the tests of GBPA, SMMUEN, failed look-ups and late devices.
#include <gtest/gtest.h>

#include "model/spec/registers.h"
#include "tests/nested/nested_bench.h"

namespace smmusim::nested {
namespace {

using spec::Event;
using spec::EventType;
using spec::Ste;

constexpr std::uint64_t iova = NestedBench::iova;
namespace reg = spec::reg;

void set_gbpa(NestedBench& bench, bool abort) {
  bench.smmu().write_register(reg::GBPA, spec::GBPA::Update::mask | (abort ? spec::GBPA::ABORT::mask : 0), 4);
  bench.engine().run();
}

/// An STE that is legal and says nothing.
Ste invalid_ste() {
  return Ste{};
}

class Mirroring : public testing::TestWithParam<bool> {
 protected:
  static BenchOptions options() {
    BenchOptions options;
    options.timed = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Mirroring, testing::Bool(),
                         [](const auto& row) { return row.param ? "timed" : "untimed"; });

TEST_P(Mirroring, StageOneOfTheGuestOverStageTwoOfTheHost) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  EXPECT_EQ(bench.reaches(0, iova + 0x123), bench.page_of(0) + 0x123);
  EXPECT_EQ(bench.reaches(1, iova), std::nullopt) << "its STE aborts";
  EXPECT_TRUE(bench.configure(1, bench.stage1_ste(1)));
  EXPECT_EQ(bench.reaches(1, iova), bench.page_of(1));
  EXPECT_TRUE(bench.events().empty());
}

TEST_P(Mirroring, BeforeSmmuenGbpaRules) {
  NestedBench bench(options());
  const std::uint64_t address = NestedBench::ram + 0x5000;
  EXPECT_EQ(bench.reaches(0, address), address) << "bypass after reset";
  set_gbpa(bench, true);
  EXPECT_EQ(bench.reaches(0, address), std::nullopt);
  set_gbpa(bench, false);
  EXPECT_EQ(bench.reaches(1, address), address) << "the second device follows too";
}

TEST_P(Mirroring, GbpaChangesNothingWhileSmmuenIsOne) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  set_gbpa(bench, true);
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
  set_gbpa(bench, false);
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
}

TEST_P(Mirroring, SmmuenOffHandsOverToGbpaAndOnReadsTheStesAgain) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  ASSERT_EQ(bench.reaches(0, iova), bench.page_of(0));
  set_gbpa(bench, true);
  ASSERT_TRUE(bench.disable());
  EXPECT_EQ(bench.reaches(0, iova), std::nullopt);
  set_gbpa(bench, false);
  EXPECT_EQ(bench.reaches(0, NestedBench::ram), NestedBench::ram);
  bench.write_stage1_ste(1);  // changed while off: no command tells of it
  ASSERT_TRUE(bench.enable());
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
  EXPECT_EQ(bench.reaches(1, iova), bench.page_of(1));
}

TEST_P(Mirroring, EachConfigOfAnSte) {
  NestedBench bench(options());
  ASSERT_TRUE(bench.enable());
  const std::uint64_t address = NestedBench::ram + 0x9000;
  EXPECT_TRUE(bench.configure(0, make_bypass_ste()));
  EXPECT_EQ(bench.reaches(0, address), address);
  EXPECT_TRUE(bench.configure(0, make_abort_ste()));
  EXPECT_EQ(bench.reaches(0, address), std::nullopt);
  EXPECT_TRUE(bench.configure(0, bench.stage1_ste(0)));
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
  EXPECT_TRUE(bench.configure(0, make_bypass_ste()));
  EXPECT_EQ(bench.reaches(0, address), address);
  EXPECT_TRUE(bench.events().empty());
}

TEST_P(Mirroring, AnSteThatIsAsBeforeIsNotAttachedAgain) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  const std::uint64_t attaches = bench.vsmmu().counters().attaches;
  EXPECT_TRUE(bench.execute({make_cfgi_ste(NestedBench::stream(0)), make_cfgi_all()}));
  EXPECT_EQ(bench.vsmmu().counters().attaches, attaches);
  EXPECT_EQ(bench.vsmmu().counters().unchanged, 2u);
  // A bit that the host never sees is no change either.
  Ste ste = bench.read_ste(0);
  ste.set<Ste::MEV>(true).set<Ste::SHCFG>(1);
  EXPECT_TRUE(bench.configure(0, ste));
  EXPECT_EQ(bench.vsmmu().counters().attaches, attaches);
}

TEST_P(Mirroring, CfgiSteOfAnUnchangedSteStillInvalidatesItsCds) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  ASSERT_EQ(bench.reaches(0, iova), bench.page_of(0));
  bench.contexts_of(0).write(0, make_stage1_cd(bench.table_of(1), Asid(7)));
  EXPECT_TRUE(bench.execute({make_cfgi_ste(NestedBench::stream(0))}));
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(1));
}

TEST_P(Mirroring, ARangeSetsEveryDeviceInIt) {
  NestedBench bench(options());
  ASSERT_TRUE(bench.enable());
  bench.write_stage1_ste(0);
  bench.write_stage1_ste(1);
  EXPECT_TRUE(bench.execute({make_cfgi_ste_range(NestedBench::stream(0), 0)}));  // 8 and 9
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
  EXPECT_EQ(bench.reaches(1, iova), bench.page_of(1));
}

TEST_P(Mirroring, InvalidationsReachTheHost) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  ASSERT_EQ(bench.reaches(0, iova), bench.page_of(0));
  bench.table_of(0).map(iova, Pa(bench.page_of(1)), 0x1000, {});
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0)) << "from the TLB";
  EXPECT_TRUE(bench.execute({make_tlbi_nh_asid(Vmid(0), Asid(1))}));
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(1));
}

// Faults that the host reports.

TEST_P(Mirroring, FaultsOfTheHostBecomeTheGuestsEvents) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  EXPECT_EQ(bench.reaches(0, 0x7777'0000, true), std::nullopt);
  const std::vector<Event> events = bench.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].get<Event::Type>(), EventType::F_TRANSLATION);
  EXPECT_EQ(events[0].get<Event::StreamID>(), NestedBench::stream(0).value) << "the guest's number";
  EXPECT_EQ(events[0].get<Event::InputAddr>(), 0x7777'0000u);
  EXPECT_FALSE(events[0].get<Event::RnW>());
  EXPECT_FALSE(events[0].get<Event::S2>());
}

// Faults that it can't report, and that are made from the trap's.

struct TrapRow {
  const char* name;
  Ste (*ste)(NestedBench& bench);
  EventType event;
};

const TrapRow trap_rows[] = {
    {"an STE that is not valid", [](NestedBench&) { return invalid_ste(); }, EventType::C_BAD_STE},
    {"stage 2 of the guest's",
     [](NestedBench& bench) { return bench.stage1_ste(0).set<Ste::Config>(spec::SteConfig::stage2); },
     EventType::C_BAD_STE},
    {"a CD beyond the guest's memory",
     [](NestedBench& bench) { return bench.stage1_ste(0).set<Ste::S1ContextPtr>(0x8000'0000'0040); },
     EventType::F_CD_FETCH},
    {"a CD in the host's MSI window",
     [](NestedBench& bench) { return bench.stage1_ste(0).set<Ste::S1ContextPtr>(0x0800'0000); }, EventType::F_CD_FETCH},
};

TEST_P(Mirroring, WhatTheHostCannotReportIsSynthesisedForEachAccess) {
  for (const TrapRow& row : trap_rows) {
    SCOPED_TRACE(row.name);
    NestedBench bench(options());
    bench.write_stage1_ste(0);
    ASSERT_TRUE(bench.enable());
    EXPECT_TRUE(bench.configure(0, row.ste(bench)));
    EXPECT_TRUE(bench.events().empty()) << "no access, no event";
    EXPECT_EQ(bench.reaches(0, iova), std::nullopt);
    EXPECT_EQ(bench.reaches(0, iova, true), std::nullopt);
    const std::vector<Event> events = bench.events();
    ASSERT_EQ(events.size(), 2u);
    for (const Event& event : events) {
      EXPECT_EQ(event.get<Event::Type>(), row.event);
      EXPECT_EQ(event.get<Event::StreamID>(), NestedBench::stream(0).value);
      if (row.event == EventType::F_CD_FETCH) {
        EXPECT_EQ(event.get<Event::FetchAddr>(), row.ste(bench).get<Ste::S1ContextPtr>());
      }
    }
    EXPECT_EQ(bench.vsmmu().counters().vevents.synthesised, 2u);
    EXPECT_TRUE(bench.configure(0, bench.stage1_ste(0)));
    EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0)) << "and back";
  }
}

TEST_P(Mirroring, AStreamBeyondTheTableStopsAndIsBadOnlyIfTheGuestWantsToKnow) {
  for (const bool recinvsid : {true, false}) {
    NestedBench bench(options());
    bench.write_stage1_ste(0);
    ASSERT_TRUE(bench.enable());
    ASSERT_EQ(bench.reaches(0, iova), bench.page_of(0));
    ASSERT_TRUE(bench.disable());
    const std::uint64_t cfg = bench.smmu().read_register(reg::STRTAB_BASE_CFG, 4);
    bench.smmu().write_register(reg::STRTAB_BASE_CFG, spec::STRTAB_BASE_CFG::LOG2SIZE::set(cfg, 3u), 4);  // SIDs 0 to 7
    bench.smmu().write_register(reg::CR2, recinvsid ? spec::CR2::RECINVSID::mask : 0, 4);
    bench.smmu().write_register(reg::CR0, 0xd, 4);
    bench.engine().run();
    EXPECT_EQ(bench.smmu().read_register(reg::CR0ACK, 4), 0xdu);
    EXPECT_EQ(bench.reaches(0, iova), std::nullopt) << "the STE of before would still translate";
    const std::vector<Event> events = bench.events();
    ASSERT_EQ(events.size(), recinvsid ? 1u : 0u);
    for (const Event& event : events) EXPECT_EQ(event.get<Event::Type>(), EventType::C_BAD_STREAMID);
  }
}

TEST_P(Mirroring, AnEventForAGuestWithoutEventQueueIsLostAsItWouldBe) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  const std::uint64_t cr0 = bench.smmu().read_register(reg::CR0, 4);
  bench.smmu().write_register(reg::CR0, cr0 & ~spec::CR0::EVENTQEN::mask, 4);
  bench.engine().run();
  EXPECT_EQ(bench.reaches(0, 0x7777'0000), std::nullopt);
  EXPECT_TRUE(bench.events().empty());
  EXPECT_EQ(bench.smmu().counters().events_lost, 1u);
  bench.smmu().write_register(reg::CR0, cr0, 4);
  bench.engine().run();
  EXPECT_EQ(bench.reaches(0, 0x7777'0000), std::nullopt);
  EXPECT_EQ(bench.events().size(), 1u);
}

TEST(MirroringEvents, AnOverflowOfTheHostsQueueIsOneOfTheGuests) {
  BenchOptions small;
  small.vsmmu.veventq_depth = 2;
  NestedBench bench(small);
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  for (std::uint64_t i = 0; i != 5; ++i) bench.fault_unseen(0, 0x7777'0000 + i * 0x1000);
  bool overflowed = false;
  const std::vector<Event> events = bench.events(&overflowed);
  EXPECT_EQ(events.size(), 2u);
  EXPECT_TRUE(overflowed) << "three are missing, and the guest has to know";
  const VeventCounters& count = bench.vsmmu().counters().vevents;
  EXPECT_EQ(count.records, 2u);
  EXPECT_EQ(count.overflows, 1u);
  EXPECT_EQ(bench.host().counters().vevents_lost, 3u);
}

// Plugging.

TEST_P(Mirroring, ALateDeviceIsWhatItsSteSaysAtOnce) {
  BenchOptions late = options();
  late.plugged = false;
  NestedBench bench(late);
  bench.write_stage1_ste(0);
  bench.write_stage1_ste(1);
  ASSERT_TRUE(bench.enable());
  ASSERT_TRUE(bench.plug(0).ok());
  bench.engine().run();
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
  ASSERT_TRUE(bench.plug(1).ok());
  bench.engine().run();
  EXPECT_EQ(bench.reaches(1, iova), bench.page_of(1));
}

TEST_P(Mirroring, AnUnpluggedDeviceIsBlockedAndOthersGoOn) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  bench.write_stage1_ste(1);
  ASSERT_TRUE(bench.enable());
  EXPECT_TRUE(bench.vsmmu().unplug(NestedBench::stream(0)));
  bench.engine().run();
  EXPECT_EQ(bench.reaches(0, iova), std::nullopt);
  EXPECT_EQ(bench.reaches(1, iova), bench.page_of(1));
  EXPECT_FALSE(bench.vsmmu().unplug(NestedBench::stream(0)));
  EXPECT_TRUE(bench.execute({make_cfgi_all(), make_cfgi_cd_all(NestedBench::stream(0))})) << "it is nobody's now";
  EXPECT_EQ(bench.vsmmu().counters().foreign_commands, 1u);
  EXPECT_TRUE(bench.vsmmu().unplug(NestedBench::stream(1)));
  bench.engine().run();
  EXPECT_TRUE(bench.execute({make_tlbi_nsnh_all()})) << "there is no vIOMMU any more";
  ASSERT_TRUE(bench.plug(0).ok());
  bench.engine().run();
  EXPECT_EQ(bench.reaches(0, iova), bench.page_of(0));
}

TEST_P(Mirroring, TwoDevicesCanNotHaveOneStreamId) {
  NestedBench bench(options());
  auto bound = bench.vsmmu().bind(NestedBench::path(0));
  EXPECT_FALSE(bound.ok()) << "it is bound already";
  const std::size_t objects = bench.host().objects();
  EXPECT_EQ(bench.host().objects(), objects);
}

TEST_P(Mirroring, ResetPutsEverythingBackUnderGbpa) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  bench.smmu().reset();
  bench.engine().run();
  EXPECT_EQ(bench.reaches(0, NestedBench::ram), NestedBench::ram);
}

TEST_P(Mirroring, NothingIsLeftOnTheHost) {
  NestedBench bench(options());
  bench.write_stage1_ste(0);
  ASSERT_TRUE(bench.enable());
  EXPECT_TRUE(bench.configure(1, invalid_ste()));
  EXPECT_GT(bench.host().objects(), 0u);
  EXPECT_EQ(bench.objects_after_the_end(), 0u);
  EXPECT_EQ(bench.log().objects_allocated(), bench.log().objects_destroyed());
}

// ATS, device by device.

TEST_P(Mirroring, EatsGoesToTheHostOnlyForADeviceThatShowsAts) {
  BenchOptions with_ats = options();
  with_ats.ats = true;
  with_ats.plugged = false;
  NestedBench bench(with_ats);
  ASSERT_TRUE(bench.plug(0, true).ok());
  ASSERT_TRUE(bench.plug(1, false).ok());
  bench.write_stage1_ste(0, true);
  bench.write_stage1_ste(1, true);
  ASSERT_TRUE(bench.enable());
  EXPECT_TRUE(bench.host().ats_enabled(0));
  EXPECT_FALSE(bench.host().ats_enabled(1)) << "the guest asked for what it is not shown";
  EXPECT_TRUE(bench.configure(0, bench.stage1_ste(0, false)));
  EXPECT_FALSE(bench.host().ats_enabled(0));
}

TEST_P(Mirroring, AtcInvalidationsGoToDevicesThatShowAts) {
  BenchOptions with_ats = options();
  with_ats.ats = true;
  with_ats.plugged = false;
  NestedBench bench(with_ats);
  ASSERT_TRUE(bench.plug(0, true).ok());
  ASSERT_TRUE(bench.plug(1, false).ok());
  ASSERT_TRUE(bench.enable());
  const std::uint64_t before = bench.vsmmu().batches().commands;
  EXPECT_TRUE(bench.execute({make_atc_inv(NestedBench::stream(0), 0, 0xfff),
                             make_atc_inv(NestedBench::stream(1), 0, 0xfff), make_atc_inv(StreamId(40), 0, 0xfff)}));
  EXPECT_EQ(bench.vsmmu().batches().commands, before + 1);
  EXPECT_EQ(bench.vsmmu().counters().foreign_commands, 2u);
}

}  // namespace
}  // namespace smmusim::nested

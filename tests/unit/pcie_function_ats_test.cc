// SPDX-License-Identifier: MIT
// ATS and PRI of a PCIe function with a root that tells the truth: what is asked for, what goes out translated, what an
// invalidation does to what is under way. Roots that lie: pcie_function_hostile_test.cc.
#include <algorithm>

#include "tests/unit/pcie_function_bench.h"

namespace smmusim::platform {
namespace {

using Bench = FunctionBench;
using Root = ScriptedRoot;

struct PcieFunctionAts : testing::Test {
  Bench bench;
  Root& root = bench.root;
  const FunctionCounters& counters = bench.function.tlp_counters();

  PcieFunctionAts() { bench.enable_ats(); }

  void hold_translations() {
    root.holds = [](const Tlp& tlp) { return tlp.is_translation_request(); };
  }
  void hold_reads() {
    root.holds = [](const Tlp& tlp) { return tlp.type == TlpType::MRd && !tlp.is_translation_request(); };
  }
  std::size_t invalidate_completions() { return root.messages(MessageCode::Invalidate_Completion).size(); }
};

// --- Translation Requests --------------------------------------------------------------------------------------------

TEST_F(PcieFunctionAts, AMissAsksAndTheAccessGoesOutTranslated) {
  bench.push_and_run(Bench::read_of(0x5008, 64, 1));
  ASSERT_EQ(root.came.size(), 2U);
  EXPECT_TRUE(root.came[0].is_translation_request());
  EXPECT_EQ(root.came[0].address, 0x5000U);
  EXPECT_EQ(root.came[0].length_dw, 2U);
  EXPECT_TRUE(root.came[0].no_write);
  EXPECT_EQ(root.came[1].at, AddressType::translated);
  EXPECT_EQ(root.came[1].address, 0x5008U + Root::offset);
  EXPECT_FALSE(root.came[1].pasid.present);
  EXPECT_EQ(bench.done.at(0).data, bytes_from(0x5008 + Root::offset, 64));
  EXPECT_EQ(bench.done[0].atc, AtcUse::requested);
  bench.push_and_run(Bench::read_of(0x5100, 64, 2));
  EXPECT_EQ(root.came.size(), 3U);
  EXPECT_EQ(bench.done.at(1).atc, AtcUse::hit);
  EXPECT_EQ(bench.function.atc().counters().hits, 1U);
  EXPECT_EQ(counters.translation_requests, 1U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, AWriteAsksForWriting) {
  bench.push_and_run(Bench::write_of(0x5000, 64));
  EXPECT_FALSE(root.translation_requests().at(0).no_write);
  EXPECT_EQ(root.of(TlpType::MWr).at(0).at, AddressType::translated);
}

TEST_F(PcieFunctionAts, AReadOnlyTranslationIsAskedForAgainByAWrite) {
  root.translate = [](const Tlp& t) { return Root::page_entry(t.address + Root::offset, true, !t.no_write); };
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.push_and_run(Bench::write_of(0x5000, 64));
  bench.push_and_run(Bench::write_of(0x5000, 64));
  EXPECT_EQ(counters.translation_requests, 2U);
  EXPECT_EQ(bench.function.atc().size(), 1U);
}

TEST_F(PcieFunctionAts, AccessesToOnePageShareOneRequest) {
  hold_translations();
  for (std::uint64_t i = 0; i != 4; ++i) bench.push(Bench::read_of(0x5000 + 64 * i, 64, i));
  bench.run();
  EXPECT_EQ(root.held.size(), 1U);
  EXPECT_EQ(counters.merged, 3U);
  root.answer_held();
  bench.run();
  EXPECT_EQ(bench.done.size(), 4U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, AWriteDoesNotWaitForARequestWithNoWrite) {
  hold_translations();
  bench.push(Bench::read_of(0x5000, 64));
  bench.push_and_run(Bench::write_of(0x5000, 64));
  EXPECT_EQ(root.held.size(), 2U);
  EXPECT_EQ(counters.merged, 0U);
}

TEST_F(PcieFunctionAts, PasidsAndPrivilegesAreAskedForByThemselves) {
  bench.disable_ats();
  bench.enable_pasid();
  bench.enable_ats();
  hold_translations();
  DmaWork privileged = Bench::with_pasid(Bench::read_of(0x5000, 64), 7);
  privileged.privileged = true;
  bench.push(Bench::read_of(0x5000, 64));
  bench.push(Bench::with_pasid(Bench::read_of(0x5000, 64), 7));
  bench.push(Bench::with_pasid(Bench::read_of(0x5000, 64), 8));
  bench.push_and_run(privileged);
  EXPECT_EQ(root.held.size(), 4U);
  root.answer_held();
  bench.run();
  EXPECT_EQ(bench.function.atc().size(), 4U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, MoreMissesThanRequestsAllowedWaitForTheirTurn) {
  PcieFunctionConfig config;
  config.translations = 2;
  Bench narrow(config);
  narrow.enable_ats();
  narrow.root.holds = [](const Tlp& tlp) { return tlp.is_translation_request(); };
  for (std::uint64_t i = 0; i != 6; ++i) narrow.push(Bench::read_of(i % 3 << 12, 64, i));
  narrow.run();
  EXPECT_EQ(narrow.root.held.size(), 2U);
  narrow.root.holds = nullptr;
  narrow.root.answer_held();
  narrow.run();
  EXPECT_EQ(narrow.done.size(), 6U);
  EXPECT_EQ(narrow.function.tlp_counters().translation_requests, 3U);
  EXPECT_EQ(narrow.function.tlp_counters().merged, 3U);
  narrow.expect_quiet();
}

TEST_F(PcieFunctionAts, PrefetchAsksForThePagesBehind) {
  PcieFunctionConfig config;
  config.prefetch_pages = 2;
  Bench ahead(config);
  ahead.enable_ats();
  ahead.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(ahead.root.translation_requests().size(), 3U);
  EXPECT_EQ(ahead.function.tlp_counters().prefetches, 2U);
  ahead.push_and_run(Bench::read_of(0x7000, 64));
  EXPECT_EQ(ahead.done.at(1).atc, AtcUse::hit);
  ahead.expect_quiet();
}

TEST_F(PcieFunctionAts, TheSmallestTranslationUnitIsWhatIsAskedFor) {
  bench.disable_ats();
  bench.enable_ats(4);  // 64 KiB
  root.translate = [](const Tlp& t) {
    TranslationEntry entry = Root::page_entry(t.address + Root::offset);
    entry.range.span_bits = 16;
    return entry;
  };
  bench.push_and_run(Bench::read_of(0x1f008, 64));
  EXPECT_EQ(root.translation_requests().at(0).address, 0x10000U);
  EXPECT_EQ(root.reads().at(0).address, 0x1f008U + Root::offset);
}

TEST_F(PcieFunctionAts, AnAccessOfSeveralPagesAsksForEach) {
  root.translate = [](const Tlp& t) { return Root::page_entry(0x9000'0000 - t.address); };  // not contiguous
  bench.push_and_run(Bench::read_of(0x5ff0, 0x20));
  ASSERT_EQ(root.reads().size(), 2U);
  EXPECT_EQ(bytes_of(root.reads()[0]).address, 0x9000'0000U - 0x5000 + 0xff0);
  EXPECT_EQ(bytes_of(root.reads()[1]).address, 0x9000'0000U - 0x6000);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
}

TEST_F(PcieFunctionAts, UMeansUntranslated) {
  root.translate = [](const Tlp& t) {
    TranslationEntry entry = Root::page_entry(t.address + Root::offset);
    entry.untranslated_only = true;
    return entry;
  };
  for (int i = 0; i != 2; ++i) bench.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(counters.translation_requests, 1U);
  for (const Tlp& tlp : root.reads()) {
    EXPECT_EQ(tlp.at, AddressType::untranslated);
    EXPECT_EQ(tlp.address, 0x5000U);
  }
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::ok, DmaStatus::ok}));
}

TEST_F(PcieFunctionAts, UrAndCaEndTheAccess) {
  for (const CplStatus status : {CplStatus::UR, CplStatus::CA}) {
    hold_translations();
    bench.push_and_run(Bench::read_of(0x5000, 64));
    root.fail(std::exchange(root.held, {}).at(0), status);
    bench.run();
    EXPECT_EQ(bench.done.back().status, DmaStatus::aborted);
  }
  EXPECT_EQ(counters.translation_completions, 2U);
  EXPECT_EQ(bench.function.atc().size(), 0U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, WithoutPriAPermissionThatIsNotThereEndsTheAccess) {
  root.translate = [](const Tlp&) { return Root::page_entry(0, false, false); };
  bench.push_and_run(Bench::write_of(0x5000, 64));
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::aborted});
  EXPECT_EQ(counters.no_permission, 1U);
  EXPECT_TRUE(root.of(TlpType::MWr).empty());
  EXPECT_EQ(bench.function.atc().size(), 0U) << "R=W=0 is not kept";
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, WritesToTheDoorbellsStayUntranslated) {
  PcieFunctionConfig config;
  config.untranslated_base = 0x8000;
  config.untranslated_bytes = 0x1000;
  Bench doorbells(config);
  doorbells.enable_ats();
  doorbells.push_and_run(Bench::write_of(0x8040, 4));
  ASSERT_EQ(doorbells.root.came.size(), 1U);
  EXPECT_EQ(doorbells.root.came[0].at, AddressType::untranslated);
  doorbells.push_and_run(Bench::read_of(0x8040, 4));
  EXPECT_EQ(doorbells.root.translation_requests().size(), 1U) << "reads are not doorbells";
}

/// What may not ask for execution is a plain read, as it is without ATS.
TEST_F(PcieFunctionAts, AnInstructionFetchWithoutExecuteEnabledNeedsReadOnly) {
  DmaWork fetch = Bench::read_of(0x5000, 64);
  fetch.instruction = true;
  bench.push_and_run(fetch);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
}

TEST_F(PcieFunctionAts, AnInstructionFetchWithExecuteEnabledNeedsExe) {
  bench.disable_ats();
  bench.enable_pasid();
  bench.enable_ats();
  DmaWork fetch = Bench::with_pasid(Bench::read_of(0x5000, 64), 3);
  fetch.instruction = true;
  bench.push_and_run(fetch);
  root.translate = [](const Tlp& t) {
    TranslationEntry entry = Root::page_entry(t.address + Root::offset);
    entry.execute = t.pasid.execute;
    return entry;
  };
  bench.push_and_run(fetch);
  EXPECT_EQ(bench.statuses(), (std::vector{DmaStatus::aborted, DmaStatus::ok}));
}

/// A raw Translation Request brings eight bytes, however few the access has.
TEST_F(PcieFunctionAts, ARawRequestMayBeOfOneByte) {
  DmaWork raw = Bench::read_of(0x5123, 1);
  raw.ats = AtsType::translation_request;
  RequestResult result;
  bench.function.set_handler([&](const DmaCompletion& d) { result = d.smmu; });
  bench.push_and_run(raw);
  EXPECT_TRUE(result.translated);
  EXPECT_EQ(result.address, Pa(0x5123 + Root::offset));
  bench.expect_quiet();
}

// --- Switching ATS off -----------------------------------------------------------------------------------------------

TEST_F(PcieFunctionAts, SwitchedOffNothingIsTranslatedOrKept) {
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.disable_ats();
  EXPECT_EQ(bench.function.atc().size(), 0U);
  bench.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(root.came.back().at, AddressType::untranslated);
}

TEST_F(PcieFunctionAts, AResetTakesTheTranslationsToo) {
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.function.config_space().reset();
  EXPECT_EQ(bench.function.atc().size(), 0U);
}

TEST_F(PcieFunctionAts, AnAnswerThatComesAfterAtsWasSwitchedOffIsNotUsed) {
  hold_translations();
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.disable_ats();
  root.answer_held();
  bench.run();
  ASSERT_EQ(root.reads().size(), 1U);
  EXPECT_EQ(root.reads()[0].at, AddressType::untranslated);
  EXPECT_EQ(bench.function.atc().size(), 0U);
  EXPECT_EQ(counters.stale_completions, 1U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, SwitchingOffIsForEveryPasid) {
  bench.disable_ats();
  bench.enable_pasid();
  bench.enable_ats();
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x5000, 64), 7));
  hold_translations();
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x6000, 64), 8));
  bench.disable_ats();
  EXPECT_EQ(bench.function.atc().size(), 0U);
  root.answer_held();
  bench.run();
  EXPECT_EQ(bench.function.atc().size(), 0U);
  EXPECT_EQ(root.reads().back().at, AddressType::untranslated);
}

// --- Invalidations ---------------------------------------------------------------------------------------------------

TEST_F(PcieFunctionAts, AnInvalidationIsAnsweredWithItsItag) {
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.invalidate(0x5000, 12, 17);
  bench.run();
  const std::vector<Tlp> answers = root.messages(MessageCode::Invalidate_Completion);
  ASSERT_EQ(answers.size(), 1U);
  const InvalidateCompletion answer = invalidate_completion(answers[0]);
  EXPECT_EQ(answer.itags, 1U << 17);
  EXPECT_EQ(answer.count, 1U);
  EXPECT_EQ(answer.requester_id, Bench::rid);
  EXPECT_EQ(answer.target_id, Root::own_id);
  bench.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(counters.translation_requests, 2U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, AnAnswerFromBeforeAnInvalidationIsNotUsed) {
  hold_translations();
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.invalidate(0x5000);
  bench.run();
  EXPECT_EQ(invalidate_completions(), 1U) << "nothing that it covers is in use";
  const std::uint64_t newer = 0x7000'0000;
  const std::vector<Tlp> old = std::exchange(root.held, {});
  root.complete_translation(old.at(0), Root::page_entry(0x6000'0000));
  root.translate = [&](const Tlp& t) { return Root::page_entry(newer + t.address); };
  root.holds = nullptr;
  bench.run();
  EXPECT_EQ(counters.stale_completions, 1U);
  ASSERT_EQ(root.reads().size(), 1U);
  EXPECT_EQ(root.reads()[0].address, newer + 0x5000);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, AnInvalidationOfAnotherPageLeavesTheAnswerAlone) {
  hold_translations();
  bench.push_and_run(Bench::read_of(0x5000, 64));
  bench.invalidate(0x6000);
  bench.run();
  root.answer_held();
  bench.run();
  EXPECT_EQ(counters.stale_completions, 0U);
  EXPECT_EQ(root.reads().size(), 1U);
}

TEST_F(PcieFunctionAts, AnAccessAfterTheInvalidationAsksForItself) {
  hold_translations();
  bench.push_and_run(Bench::read_of(0x5000, 64, 1));
  bench.invalidate(0x5000);
  bench.run();
  bench.push_and_run(Bench::read_of(0x5000, 64, 2));
  EXPECT_EQ(root.held.size(), 2U) << "the first answer is no good for it";
}

/// The answer turns out to be Global, so it would serve the PASID whose translations are gone.
TEST_F(PcieFunctionAts, AGlobalAnswerIsStaleAfterAnInvalidationOfAnyPasid) {
  bench.disable_ats();
  bench.enable_pasid();
  bench.enable_ats();
  hold_translations();
  root.translate = [](const Tlp& t) {
    TranslationEntry entry = Root::page_entry(t.address + Root::offset);
    entry.global = true;
    return entry;
  };
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x5000, 64), 7));
  bench.invalidate(0x5000, 12, 0, {true, 8, false, false});
  bench.run();
  root.holds = nullptr;
  root.answer_held();
  bench.run();
  EXPECT_EQ(counters.stale_completions, 1U);
  EXPECT_EQ(counters.translation_requests, 2U);
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
}

TEST_F(PcieFunctionAts, GlobalWithoutAPasidMeansNothing) {
  bench.disable_ats();
  bench.enable_pasid();
  bench.enable_ats();
  root.translate = [](const Tlp& t) {
    TranslationEntry entry = Root::page_entry(t.address + Root::offset);
    entry.global = true;
    return entry;
  };
  for (int i = 0; i != 2; ++i) bench.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(counters.translation_requests, 1U);
  bench.push_and_run(Bench::with_pasid(Bench::read_of(0x5000, 64), 7));
  EXPECT_EQ(counters.translation_requests, 2U);
}

TEST_F(PcieFunctionAts, TheCompletionWaitsForTranslatedReads) {
  hold_reads();
  bench.push(Bench::read_of(0x5000, 64));
  bench.push_and_run(Bench::read_of(0x9000, 64));
  bench.invalidate(0x5000);
  bench.run();
  EXPECT_EQ(invalidate_completions(), 0U);
  root.complete(root.held.at(1));
  bench.run();
  EXPECT_EQ(invalidate_completions(), 0U) << "that was another page";
  root.complete(root.held.at(0));
  bench.run();
  EXPECT_EQ(invalidate_completions(), 1U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionAts, TheCompletionFollowsTheWrites) {
  bench.push_and_run(Bench::write_of(0x5000, 64));
  for (std::uint64_t i = 0; i != 4; ++i) bench.push(Bench::write_of(0x5000 + 64 * i, 64));
  bench.invalidate(0x5000);
  bench.run();
  const auto completion = std::find_if(root.came.begin(), root.came.end(), [](const Tlp& t) { return t.is_message(); });
  ASSERT_NE(completion, root.came.end());
  EXPECT_TRUE(std::none_of(completion, root.came.end(), [](const Tlp& t) {
    return t.type == TlpType::MWr && t.at == AddressType::translated && t.address < 0x5000 + Root::offset;
  }));
  const auto later = std::find_if(completion, root.came.end(), [](const Tlp& t) { return t.type == TlpType::MWr; });
  const auto asked = std::find_if(completion, root.came.end(), [](const Tlp& t) { return t.is_translation_request(); });
  EXPECT_TRUE(later == root.came.end() || asked < later) << "a write after it needs a new translation";
}

/// Writes that have their translation and no credits yet must not go out with it behind the completion.
TEST_F(PcieFunctionAts, WritesThatWaitForCreditsAskAgainAfterAnInvalidation) {
  TlpLinkConfig narrow = Bench::untimed();
  narrow.transmit_queue = 1;
  narrow.upstream_receiver.headers[0] = 1;
  Bench starved({}, Bench::with_everything(), narrow);
  starved.enable_ats();
  starved.root.keeps = [](const Tlp& tlp) { return tlp.type == TlpType::MWr; };
  for (std::uint64_t i = 0; i != 8; ++i) starved.push(Bench::write_of(0x5000 + 64 * i, 64, i));
  starved.run();
  ASSERT_LT(starved.root.of(TlpType::MWr).size(), 4U);
  constexpr std::uint64_t newer = 0x7000'0000;
  starved.root.translate = [](const Tlp& t) { return Root::page_entry(newer + t.address); };
  starved.invalidate(0x5000);
  starved.run();
  starved.root.keeps = nullptr;
  starved.root.release_kept();
  starved.run();
  bool completed = false;
  for (const Tlp& tlp : starved.root.came) {
    completed = completed || tlp.is_message();
    EXPECT_FALSE(completed && tlp.type == TlpType::MWr && tlp.address < newer);
  }
  EXPECT_TRUE(completed);
  EXPECT_EQ(starved.root.of(TlpType::MWr).size(), 8U);
  starved.expect_quiet();
}

TEST_F(PcieFunctionAts, InvalidationsBeyondTheQueueDepthWait) {
  FunctionDescription description = Bench::with_everything();
  description.ats->invalidate_queue_depth = 2;
  Bench shallow({}, description);
  shallow.enable_ats();
  shallow.root.holds = [](const Tlp& tlp) { return tlp.type == TlpType::MRd && !tlp.is_translation_request(); };
  shallow.push_and_run(Bench::read_of(0x5000, 64));
  for (unsigned itag = 0; itag != 5; ++itag) shallow.invalidate(0x5000, 12, itag);
  shallow.invalidate(0x9000, 12, 5);
  shallow.run();
  EXPECT_TRUE(shallow.root.messages(MessageCode::Invalidate_Completion).empty()) << "two wait, the others behind";
  shallow.root.holds = nullptr;
  shallow.root.answer_held();
  shallow.run();
  std::uint32_t answered = 0;
  for (const Tlp& tlp : shallow.root.messages(MessageCode::Invalidate_Completion)) {
    answered ^= invalidate_completion(tlp).itags;
  }
  EXPECT_EQ(answered, 0x3fU);
  shallow.expect_quiet();
}

TEST_F(PcieFunctionAts, WithAtsOffAnInvalidationIsRefused) {
  bench.disable_ats();
  bench.invalidate(0x5000);
  bench.run();
  EXPECT_EQ(invalidate_completions(), 0U);
  EXPECT_EQ(counters.invalidate_unsupported, 1U);
  bench.expect_quiet();
}

}  // namespace
}  // namespace smmusim::platform

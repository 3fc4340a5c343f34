// SPDX-License-Identifier: MIT
// Page Requests of a PCIe function: when it sends them, and what it does with the responses.
#include "tests/unit/pcie_function_bench.h"

namespace smmusim::platform {
namespace {

using Bench = FunctionBench;
using Root = ScriptedRoot;

/// No page is there until `mapped`.
struct PcieFunctionPri : testing::Test {
  Bench bench;
  Root& root = bench.root;
  const FunctionCounters& counters = bench.function.tlp_counters();
  bool mapped = false;

  PcieFunctionPri() {
    bench.enable_pasid();
    bench.enable_pri();
    bench.enable_ats();
    root.translate = [this](const Tlp& t) { return Root::page_entry(t.address + Root::offset, mapped, mapped); };
  }

  std::vector<PageRequestMessage> requests() const {
    std::vector<PageRequestMessage> all;
    for (const Tlp& tlp : root.messages(MessageCode::Page_Request)) all.push_back(page_request(tlp));
    return all;
  }
  void respond(unsigned group, unsigned code = 0) {
    root.send_message(PrgResponse{Root::own_id, Bench::rid, {}, group, code});
    bench.run();
  }
};

TEST_F(PcieFunctionPri, AMissingPageIsRequestedAndTheAccessTriesAgain) {
  bench.push_and_run(Bench::read_of(0x5008, 64));
  ASSERT_EQ(requests().size(), 1U);
  const PageRequestMessage request = requests()[0];
  EXPECT_EQ(request.address, 0x5000U);
  EXPECT_EQ(request.requester_id, Bench::rid);
  EXPECT_TRUE(request.read);
  EXPECT_FALSE(request.write);
  EXPECT_TRUE(request.last);
  EXPECT_FALSE(request.pasid.present);
  EXPECT_TRUE(bench.done.empty());
  mapped = true;
  respond(request.group);
  ASSERT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
  EXPECT_EQ(bench.done[0].atc, AtcUse::paged);
  EXPECT_EQ(counters.page_responses, 1U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionPri, TheRequestSaysWhatTheAccessNeeds) {
  DmaWork write = Bench::with_pasid(Bench::write_of(0x5000, 64), 9);
  write.privileged = true;
  bench.push_and_run(write);
  ASSERT_EQ(requests().size(), 1U);
  EXPECT_TRUE(requests()[0].write);
  EXPECT_TRUE(requests()[0].pasid.present);
  EXPECT_EQ(requests()[0].pasid.pasid, 9U);
  EXPECT_TRUE(requests()[0].pasid.privileged);
}

TEST_F(PcieFunctionPri, AFailureEndsTheAccess) {
  for (const unsigned code : {1U, 15U}) {
    bench.push_and_run(Bench::read_of(0x5000, 64));
    respond(requests().back().group, code);
    EXPECT_EQ(bench.done.back().status, DmaStatus::aborted) << code;
  }
  EXPECT_EQ(counters.page_failures, 2U);
  EXPECT_EQ(counters.no_permission, 2U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionPri, AccessesToOnePageShareOneRequest) {
  for (std::uint64_t i = 0; i != 3; ++i) bench.push(Bench::read_of(0x5000 + 64 * i, 64, i));
  bench.run();
  ASSERT_EQ(requests().size(), 1U);
  mapped = true;
  respond(requests()[0].group);
  EXPECT_EQ(bench.done.size(), 3U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionPri, NoMoreAreOutThanSoftwareAllocated) {
  bench.write_capability(0x13, true, cap::pri_control, 0, 2);
  bench.enable_pri(2);
  for (std::uint64_t i = 0; i != 5; ++i) bench.push(Bench::read_of(i << 12, 64, i));
  bench.run();
  EXPECT_EQ(requests().size(), 2U);
  mapped = true;
  for (std::size_t i = 0; i != 5; ++i) respond(requests().at(i).group);
  EXPECT_EQ(bench.done.size(), 5U);
  EXPECT_EQ(requests().size(), 5U);
  bench.expect_quiet();
}

TEST_F(PcieFunctionPri, ThePatienceForOneAccessIsBounded) {
  PcieFunctionConfig config;
  config.page_retries = 3;
  Bench impatient(config);
  impatient.enable_pri();
  impatient.enable_ats();
  impatient.root.translate = [](const Tlp&) { return Root::page_entry(0, false, false); };
  impatient.push_and_run(Bench::read_of(0x5000, 64));
  for (unsigned i = 0; i != 3; ++i) {
    ASSERT_TRUE(impatient.done.empty());
    const PageRequestMessage last = page_request(impatient.root.messages(MessageCode::Page_Request).at(i));
    impatient.root.send_message(PrgResponse{Root::own_id, Bench::rid, {}, last.group, 0});
    impatient.run();
  }
  EXPECT_EQ(impatient.statuses(), std::vector{DmaStatus::aborted});
  impatient.expect_quiet();
}

/// Without the fields that a response failure leaves: R and W are clear, so size and address say nothing.
TEST_F(PcieFunctionPri, WithoutPermissionsTheRestOfAnAnswerSaysNothing) {
  root.translate = [](const Tlp&) { return TranslationEntry{.range = {0, 64}}; };
  bench.push_and_run(Bench::read_of(0x5000, 64));
  EXPECT_EQ(requests().size(), 1U);
  EXPECT_EQ(counters.unexpected, 0U);
}

TEST_F(PcieFunctionPri, AStopMarkerNamesThePasid) {
  bench.function.stop_pasid(9);
  bench.run();
  ASSERT_EQ(requests().size(), 1U);
  const PageRequestMessage marker = requests()[0];
  EXPECT_TRUE(marker.last && !marker.read && !marker.write);
  EXPECT_TRUE(marker.pasid.present);
  EXPECT_EQ(marker.pasid.pasid, 9U);
  bench.expect_quiet();
}

/// Software sees which kind of trouble there was, and clears the flags with ones.
TEST_F(PcieFunctionPri, PageRequestStatusTellsOfFailuresAndUnknownIndices) {
  ConfigSpace& space = bench.function.config_space().space();
  const std::uint32_t at = *bench.function.config_space().capability(0x13, true) + cap::pri_status;
  const auto status = [&] { return space.read(at, 2) & 3; };
  bench.push_and_run(Bench::read_of(0x5000, 64));
  respond(requests().back().group, 1);
  EXPECT_EQ(status(), 0U) << "Invalid Request";
  respond(requests().back().group);
  EXPECT_EQ(status(), 2U) << "nothing with this index is out";
  for (const unsigned code : {2U, 15U}) {
    space.write(at, 3, 2);
    EXPECT_EQ(status(), 0U);
    bench.push_and_run(Bench::read_of(0x5000, 64));
    respond(requests().back().group, code);
    EXPECT_EQ(status(), 1U) << code;
  }
}

/// The function gives up what is out and asks no more, until software has cleared the flag: directly, or by Reset while
/// Page Requests are off.
TEST_F(PcieFunctionPri, AResponseFailureStopsPageRequestsUntilSoftwareRecovers) {
  ConfigSpace& space = bench.function.config_space().space();
  const auto at = static_cast<std::uint16_t>(*bench.function.config_space().capability(0x13, true));
  for (const bool by_reset : {false, true}) {
    const std::size_t before = requests().size();
    const std::size_t done = bench.done.size();
    for (std::uint64_t i = 0; i != 3; ++i) bench.push(Bench::read_of((5 + i) << 12, 64, i));
    bench.run();
    ASSERT_EQ(requests().size(), before + 3);
    respond(requests()[before + 1].group, 15);
    EXPECT_EQ(bench.done.size(), done + 3) << "also those whose own answer has not come";
    respond(requests()[before].group);  // it is no longer expected, and not held against the root
    EXPECT_EQ(space.read(at + cap::pri_status, 2) & 3, 1U);
    bench.push_and_run(Bench::read_of(0x9000, 64));
    EXPECT_EQ(bench.done.back().status, DmaStatus::aborted);
    EXPECT_EQ(requests().size(), before + 3) << "no further requests";
    if (by_reset) {
      space.write(at + cap::pri_control, 0, 2);
      space.write(at + cap::pri_control, 2, 2);
      space.write(at + cap::pri_control, 1, 2);
    } else {
      space.write(at + cap::pri_status, 1, 2);
    }
    bench.expect_quiet();
  }
  EXPECT_EQ(counters.page_abandoned, 4U);
  bench.push_and_run(Bench::read_of(0x9000, 64));
  mapped = true;
  respond(requests().back().group);
  EXPECT_EQ(bench.done.back().status, DmaStatus::ok);
}

TEST_F(PcieFunctionPri, WhereThePasidIsRequiredAResponseWithoutItIsUnexpected) {
  FunctionDescription description = Bench::with_everything();
  description.pri->response_pasid_required = true;
  Bench strict({}, description);
  strict.enable_pasid();
  strict.enable_pri();
  strict.enable_ats();
  bool there = false;
  strict.root.translate = [&](const Tlp& t) { return Root::page_entry(t.address + Root::offset, there, there); };
  strict.push_and_run(Bench::with_pasid(Bench::read_of(0x5000, 64), 9));
  const PageRequestMessage request = page_request(strict.root.messages(MessageCode::Page_Request).at(0));
  there = true;
  for (const PasidPrefix& wrong : {PasidPrefix{}, PasidPrefix{true, 8, false, false}}) {
    strict.root.send_message(PrgResponse{Root::own_id, Bench::rid, wrong, request.group, 0});
    strict.run();
    EXPECT_TRUE(strict.done.empty());
  }
  strict.root.send_message(PrgResponse{Root::own_id, Bench::rid, {true, 9, false, false}, request.group, 0});
  strict.run();
  EXPECT_EQ(strict.statuses(), std::vector{DmaStatus::ok});
  EXPECT_EQ(strict.function.tlp_counters().unexpected, 2U);
  strict.expect_quiet();
}

// --- Responses that lie ----------------------------------------------------------------------------------------------

TEST_F(PcieFunctionPri, AResponseWithAnUnknownIndexIsUnexpected) {
  bench.push_and_run(Bench::read_of(0x5000, 64));
  const unsigned group = requests().at(0).group;
  for (const unsigned other : {group + 1, 63U, 64U, 511U}) respond(other);
  EXPECT_EQ(counters.unexpected, 4U);
  EXPECT_TRUE(bench.done.empty());
  mapped = true;
  respond(group);
  respond(group);
  EXPECT_EQ(counters.unexpected, 5U) << "a second one for the same request";
  EXPECT_EQ(bench.statuses(), std::vector{DmaStatus::ok});
  bench.expect_quiet();
}

/// There is no credit for the Page Request, so nobody can have seen it.
TEST_F(PcieFunctionPri, AResponseBeforeTheRequestWasSentIsUnexpected) {
  TlpLinkConfig narrow = Bench::untimed();
  narrow.transmit_queue = 1;
  narrow.upstream_receiver.headers[0] = 1;
  Bench starved({}, Bench::with_everything(), narrow);
  starved.enable_pri();
  starved.enable_ats();
  starved.root.keeps = [](const Tlp& tlp) { return tlp.is_message(); };
  bool there = false;
  starved.root.translate = [&](const Tlp& t) { return Root::page_entry(t.address + Root::offset, there, there); };
  for (std::uint64_t i = 0; i != 4; ++i) starved.push(Bench::read_of(i << 12, 64, i));
  starved.run();
  ASSERT_LT(starved.root.messages(MessageCode::Page_Request).size(), 3U);
  starved.root.send_message(PrgResponse{Root::own_id, Bench::rid, {}, 3, 0});
  starved.run();
  EXPECT_EQ(starved.function.tlp_counters().unexpected, 1U);
  there = true;
  starved.root.keeps = nullptr;
  starved.root.release_kept();
  starved.run();
  const std::vector<Tlp> all = starved.root.messages(MessageCode::Page_Request);
  ASSERT_EQ(all.size(), 4U);
  for (const Tlp& tlp : all) {
    starved.root.send_message(PrgResponse{Root::own_id, Bench::rid, {}, page_request(tlp).group, 0});
  }
  starved.run();
  EXPECT_EQ(starved.done.size(), 4U);
  starved.expect_quiet();
}

}  // namespace
}  // namespace smmusim::platform

// SPDX-License-Identifier: MIT
// Invalidation that overtakes walks of stage 2, alone and nested, at every moment of them (IHI 0070 sections 3.21.1,
// 3.21.3, 4.7.3). After the CMD_SYNC nothing old may be used.
#include <gtest/gtest.h>

#include "tests/support/stage2_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace cmd = raw::cmd;
constexpr std::uint64_t target = SmmuBench::target, moved = 0x1'0000'0000, vmid = 5;

raw::Command of_vmid(std::uint64_t opcode) {
  return raw::command(opcode, {{cmd::VMID, vmid}});
}
raw::Command s2_ipa(std::uint64_t ipa) {
  return raw::command(raw::cmd2::TLBI_S2_IPA, {{cmd::VMID, vmid}, {cmd::Address, ipa >> 12}});
}

struct Meeting {
  const char* what;
  std::uint64_t config;                                 // of the STE
  void (*change)(Stage2Bench&);                         // what the hypervisor writes
  std::vector<raw::Command> (*commands)(Stage2Bench&);  // what it then asks for, CMD_SYNC apart
};

void move_final_page(Stage2Bench& b) {
  b.s2.map(0x7000, moved, s2_rw);
}
/// The page of the stage-1 leaf table moves: the copy maps the VA to another IPA.
void move_table_page(Stage2Bench& b) {
  const std::uint64_t entry = b.s1.entry(0x1000, 3), copy = 0x2'0000'0000;
  b.bench.memory.write64(copy + (entry & 0xfff), raw::page(0x9000));
  b.s2.map(entry & ~std::uint64_t{0xfff}, copy, s2_rw);
}
/// Another CD page: its tables map the VA to another IPA.
void move_cd_page(Stage2Bench& b) {
  const std::uint64_t copy = 0x2'0000'0000, table = 0x7000'0000;
  TableTree other(
      b.bench.memory, {}, table + Stage2Bench::ipa_offset, [&b](std::uint64_t at) { return b.place(at); },
      [&b](std::uint64_t at, std::uint64_t bytes) { b.cover(at, bytes); });
  other.map(0x1000, 0x9000, raw::af | raw::ng | raw::ap_unprivileged);
  b.bench.memory.store(copy + Stage2Bench::cd_ipa % 0x1000, b.cd.with({{raw::cd::TTB0, other.root() >> 4}}));
  b.s2.map(Stage2Bench::cd_ipa, copy, s2_rw);
}
void change_ste(Stage2Bench& b) {
  TableTree other(b.bench.memory, {}, 0x6800'0000);
  other.map(0x7000, moved, s2_rw);
  b.edit_ste({{raw::s2::S2TTB, other.root() >> 4}, {ste::S2VMID, 6}});
}

const Meeting meetings[] = {
    {"stage 2 alone", 6, move_final_page, [](Stage2Bench&) { return std::vector{s2_ipa(0x7000)}; }},
    {"stage 2 alone, S12_VMALL", 6, move_final_page,
     [](Stage2Bench&) { return std::vector{of_vmid(raw::cmd2::TLBI_S12_VMALL)}; }},
    {"nested, the final page", 7, move_final_page,
     [](Stage2Bench&) {
       return std::vector{s2_ipa(0x7000), of_vmid(cmd::TLBI_NH_ALL)};
     }},
    {"nested, a table's page", 7, move_table_page,
     [](Stage2Bench& b) {
       return std::vector{s2_ipa(b.s1.entry(0x1000, 3)), of_vmid(cmd::TLBI_NH_ALL)};
     }},
    {"nested, the CD's page", 7, move_cd_page,
     [](Stage2Bench&) {
       return std::vector{s2_ipa(Stage2Bench::cd_ipa),
                          raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}}), of_vmid(cmd::TLBI_NH_ALL)};
     }},
    {"the STE", 6, change_ste, [](Stage2Bench&) {
       return std::vector{raw::command(cmd::CFGI_STE, {{cmd::StreamID, 1}, {cmd::Leaf, 1}})};
     }}};

/// An access under way, the change and the commands `when` later; then a second access.
void meet(const Meeting& meeting, Time when) {
  Stage2Bench::Options options;
  options.config.timed = true;
  options.latency_ps = 60'000;
  Stage2Bench b(options);
  b.edit_ste({{ste::Config, meeting.config}});
  b.s1.map(0x1000, 0x7000, raw::af | raw::ng | raw::ap_unprivileged);
  b.s2.map(0x7000, target, s2_rw);
  b.s2.map(0x9000, moved, s2_rw);
  for (const raw::Command& command : meeting.commands(b)) b.bench.push(command);
  b.bench.push(raw::command(cmd::SYNC));
  TranslationRequest request;
  request.transaction = SmmuBench::transaction(Stage2Bench::sid, meeting.config == 7 ? 0x1000 : 0x7000);
  request.fire = [](EventNode&) {};
  b.bench.smmu.submit(0, request);
  b.bench.engine.run_until(b.bench.engine.now() + when);
  meeting.change(b);
  b.bench.smmu.write_register(off::CMDQ_PROD, b.bench.prod, 4);
  b.bench.run();
  b.bench.smmu.retire(request);
  b.bench.run();
  ASSERT_TRUE(b.bench.all_consumed());
  const std::uint64_t first = request.response.address.value;
  EXPECT_TRUE(first == target || first == moved) << first;
  EXPECT_EQ(b.bench.go(request.transaction).address.value, moved) << "nothing old after the CMD_SYNC";
  EXPECT_TRUE(b.bench.take_events().empty());
}

TEST(SpecTlbiStage2Timed, InvalidationOvertakesAWalk) {
  RecordProperty("rule", "SM-TL-019 SM-CS-005 SM-TI-020 SM-TL-025");
  for (const Meeting& meeting : meetings) {
    for (Time when = 0; when <= 2'400'000; when += 31'000) {
      SCOPED_TRACE(testing::Message() << meeting.what << " at " << when << " ps");
      meet(meeting, when);
    }
  }
}

TEST(SpecTlbiStage2Timed, SyncWaitsForTheAccessOfAnOldTranslation) {
  RecordProperty("rule", "SM-TL-019 SM-CS-005");
  // The client has its answer and its access is not visible yet: CMD_SYNC is not complete before it is.
  for (const std::uint64_t config : {6u, 7u}) {
    Stage2Bench::Options options;
    options.config.timed = true;
    options.latency_ps = 60'000;
    Stage2Bench b(options);
    b.edit_ste({{ste::Config, config}});
    b.s1.map(0x1000, 0x7000, raw::af | raw::ng | raw::ap_unprivileged);
    b.s2.map(0x7000, target, s2_rw);
    TranslationRequest request;
    request.transaction = SmmuBench::transaction(Stage2Bench::sid, config == 7 ? 0x1000 : 0x7000, AccessType::write);
    request.fire = [](EventNode&) {};
    b.bench.smmu.submit(0, request);
    b.bench.run();
    ASSERT_EQ(request.response.address.value, target);
    b.s2.map(0x7000, moved, s2_rw);
    b.bench.push(s2_ipa(0x7000));
    b.bench.push(of_vmid(cmd::TLBI_NH_ALL));
    b.bench.push(raw::command(cmd::SYNC));
    b.bench.kick();
    EXPECT_FALSE(b.bench.all_consumed()) << "the write is still under way";
    b.bench.smmu.retire(request);
    b.bench.run();
    EXPECT_TRUE(b.bench.all_consumed());
  }
}

}  // namespace
}  // namespace smmusim

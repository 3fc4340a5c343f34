// SPDX-License-Identifier: MIT
// The PRI queue: registers, entries, what becomes of messages that can't be queued (IHI 0070 sections 6.3.33, 6.3.34,
// 6.3.97, 6.3.98 and chapter 8).
#include <gtest/gtest.h>

#include "tests/support/ats_bench.h"

namespace smmusim {
namespace {

namespace ste = raw::ste;
namespace pri = raw::pri;
using namespace raw::ev;
constexpr std::uint32_t flag = 0x8000'0000;
constexpr std::uint32_t entries = 1u << AtsBench::priq_log2;
constexpr auto success = PageResponseCode::success;
constexpr auto failure = PageResponseCode::response_failure;

PageRequest with_pasid(PageRequest request, std::uint32_t pasid = 9) {
  request.substream_valid = true;
  request.substream_id = SubstreamId(pasid);
  return request;
}
PageRequest stop_marker() {
  PageRequest request = with_pasid(ordinary_page_request());
  request.read = request.write = false;
  request.last = true;
  return request;
}
PageRequest not_last() {
  PageRequest request = ordinary_page_request();
  request.last = false;
  return request;
}
void fill(AtsBench& b) {
  for (std::uint32_t i = 0; i < entries; ++i) b.page_request(ordinary_page_request());
}

TEST(SpecPriQueue, Registers) {
  RecordProperty("rule", "SM-PRQ-001 SM-PRQ-002 SM-PRQ-003 SM-RU-008");
  AtsBench b;
  b.bench.w64(off::PRIQ_BASE, ~std::uint64_t{0});
  b.bench.w32(off::PRIQ_PROD, ~0u);
  EXPECT_EQ(b.bench.r64(off::PRIQ_BASE), AtsBench::priq | AtsBench::priq_log2) << "guarded by PRIQEN";
  EXPECT_EQ(b.priq_prod(), 0u);
  b.cr0(AtsBench::all_on & ~cr0::SMMUEN);
  b.bench.w64(off::PRIQ_BASE, ~std::uint64_t{0});
  EXPECT_EQ(b.bench.r64(off::PRIQ_BASE), AtsBench::priq | AtsBench::priq_log2) << "by the bit as written";
  b.bench.w32(off::PRIQ_CONS, flag | 3);
  EXPECT_EQ(b.bench.r32(off::PRIQ_CONS), flag | 3);
  b.cr0(0xc);
  b.bench.w64(off::PRIQ_BASE, ~std::uint64_t{0});
  b.bench.w32(off::PRIQ_PROD, ~0u);
  EXPECT_EQ(b.bench.r64(off::PRIQ_BASE), 0x400f'ffff'ffff'ffff & ~std::uint64_t{0});
  EXPECT_EQ(b.priq_prod(), flag | 0x1f) << "IDR1.PRIQS is 4";
  SmmuBench fresh(ats_config(), 0, false);
  EXPECT_EQ(fresh.r32(off::PRIQ_PROD) & flag, 0u) << "OVFLG is 0 after reset";
  SmmuBench without;
  for (const std::uint32_t offset : {off::PRIQ_PROD, off::PRIQ_CONS, off::PRIQ_IRQ_CFG1, off::PRIQ_IRQ_CFG2}) {
    without.w32(offset, ~0u);
    EXPECT_EQ(without.r32(offset), 0u) << "RES0 without PRI";
  }
  without.w64(off::PRIQ_BASE, ~std::uint64_t{0});
  EXPECT_EQ(without.r64(off::PRIQ_BASE), 0u);
}

TEST(SpecPriQueue, BaseBeyondTheOasIsTruncated) {
  RecordProperty("rule", "SM-PRQ-001");
  SmmuConfig config = ats_config();
  config.features.oas = 36;
  AtsBench b(config);
  b.cr0(AtsBench::all_on & ~(cr0::PRIQEN | cr0::SMMUEN));
  b.bench.w64(off::PRIQ_BASE, std::uint64_t{1} << 40 | AtsBench::priq | AtsBench::priq_log2);
  b.cr0(AtsBench::all_on);
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.priq_prod(), 1u);
  EXPECT_EQ(b.priq_entry(0).get(pri::StreamID), 1u);
}

TEST(SpecPriQueue, TheLargestQueueWraps) {
  RecordProperty("rule", "SM-QU-004 SM-QU-002");
  constexpr std::uint64_t base = 0x7000'0000;
  constexpr std::uint32_t size = 1u << 19, mask = 2 * size - 1;
  SmmuConfig config = ats_config();
  config.features.priqs = 19;
  for (const std::uint32_t start : {size - 2, 2 * size - 2}) {
    AtsBench b(config);
    b.cr0(AtsBench::all_on & ~(cr0::PRIQEN | cr0::SMMUEN));
    b.bench.w64(off::PRIQ_BASE, base | 19);
    b.bench.w32(off::PRIQ_PROD, start);
    b.bench.w32(off::PRIQ_CONS, start);
    b.cr0(AtsBench::all_on);
    for (std::uint32_t i = 0; i < 4; ++i) {
      b.page_request(ordinary_page_request());
      EXPECT_EQ(b.priq_prod(), (start + i + 1) & mask);
      EXPECT_EQ(b.bench.memory.last(Purpose::PRI).address, base + 16ull * ((start + i) & (size - 1)));
    }
  }
}

TEST(SpecPriQueue, PresetQueuesAreReadOnly) {
  RecordProperty("rule", "SM-PRQ-001");
  SmmuConfig config = ats_config();
  config.features.queues_preset = true;
  SmmuBench bench(config, 0, false);
  bench.w64(off::PRIQ_BASE, AtsBench::priq | 2);
  EXPECT_EQ(bench.r64(off::PRIQ_BASE), 0u);
}

TEST(SpecPriQueue, Entries) {
  RecordProperty("rule", "SM-PRQ-005 SM-PRQ-006 SM-PRQ-016");
  AtsBench b;
  b.edit_ste({{ste::EATS, 0}});  // neither EATS nor ATSCHK matters
  for (unsigned bits = 0; bits < 64; ++bits) {
    SCOPED_TRACE(bits);
    PageRequest request;
    request.stream_id = StreamId(0x12345678);
    request.substream_valid = (bits & 1) != 0;
    request.substream_id = SubstreamId(0xabcde);
    request.privileged = (bits & 2) != 0;
    request.execute = (bits & 4) != 0;
    request.read = (bits & 8) != 0;
    request.write = (bits & 16) != 0;
    request.last = (bits & 32) != 0;
    request.group = 0x155;
    request.address = 0xfedc'ba98'7654'3210;
    const std::uint32_t at = b.priq_prod();
    b.page_request(request);
    const bool ssv = request.substream_valid;
    EXPECT_EQ(b.priq_entry(at & (entries - 1)), raw::Words<2>{}.with({{pri::StreamID, 0x12345678},
                                                                      {pri::SubstreamID, ssv ? 0xabcdeu : 0u},
                                                                      {pri::Priv, ssv && request.privileged},
                                                                      {pri::X, ssv && request.execute},
                                                                      {pri::R, request.read},
                                                                      {pri::W, request.write},
                                                                      {pri::Last, request.last},
                                                                      {pri::SSV, ssv},
                                                                      {pri::PRGIndex, 0x155},
                                                                      {pri::Address, 0xfedc'ba98'7654'3}}));
    EXPECT_EQ(b.priq_prod(), (at + 1) & (2 * entries - 1));
    EXPECT_EQ(b.bench.memory.last(Purpose::PRI).size, 16u);
    b.bench.w32(off::PRIQ_CONS, b.priq_prod());
  }
  EXPECT_TRUE(b.responses.empty());
}

TEST(SpecPriQueue, WithoutSubstreamsThereIsNoPasid) {
  RecordProperty("rule", "SM-PRQ-005 SM-PRQ-012");
  SmmuConfig config = ats_config();
  config.features.ssidsize = 0;
  AtsBench b(config);
  b.edit_ste({{raw::ats::PPAR, 1}});
  PageRequest request = with_pasid(ordinary_page_request());
  request.privileged = request.execute = true;
  b.page_request(request);
  const raw::Words<2> entry = b.priq_entry(0);
  EXPECT_EQ(entry.get(pri::SSV) + entry.get(pri::X) + entry.get(pri::Priv) + entry.get(pri::SubstreamID), 0u);
  fill(b);
  b.responses.clear();
  b.page_request(request);
  ASSERT_EQ(b.responses.size(), 1u);
  EXPECT_EQ(b.responses[0].code, success);
  EXPECT_FALSE(b.responses[0].substream_valid);
}

TEST(SpecPriQueue, OrderIsKept) {
  RecordProperty("rule", "SM-PRQ-007");
  AtsBench b(timed(ats_config()), 70'000);
  for (unsigned group = 0; group < entries; ++group) {
    PageRequest request = ordinary_page_request();
    request.group = group;
    request.last = group + 1 == entries;
    b.bench.smmu.page_request(request);
  }
  EXPECT_FALSE(b.bench.smmu.idle());
  b.bench.run();
  EXPECT_TRUE(b.bench.smmu.idle());
  for (unsigned group = 0; group < entries; ++group) EXPECT_EQ(b.priq_entry(group).get(pri::PRGIndex), group);
}

TEST(SpecPriQueue, Overflow) {
  RecordProperty("rule", "SM-PRQ-004 SM-PRQ-008 SM-PRQ-009 SM-PRQ-006");
  AtsBench b;
  fill(b);
  EXPECT_EQ(b.priq_prod(), entries) << "full is no overflow";
  EXPECT_TRUE(b.responses.empty());
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.priq_prod(), entries | flag);
  ASSERT_EQ(b.responses.size(), 1u) << "the one that caused it is answered too";
  b.page_request(not_last());
  b.page_request(stop_marker());
  EXPECT_EQ(b.priq_prod(), entries | flag) << "one toggle";
  EXPECT_EQ(b.responses.size(), 1u) << "neither is answered";
  PageRequest no_marker = stop_marker();
  no_marker.substream_valid = false;
  b.page_request(no_marker);
  EXPECT_EQ(b.responses.size(), 2u) << "without a PASID it is an ordinary request";
  b.bench.w32(off::PRIQ_CONS, entries);  // room, but not acknowledged
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.priq_prod(), entries | flag);
  EXPECT_EQ(b.responses.size(), 3u);
  EXPECT_EQ(b.bench.memory.count(Purpose::PRI), entries);
  b.bench.w32(off::PRIQ_CONS, entries | flag);
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.priq_prod(), (entries + 1) | flag);
  EXPECT_EQ(b.responses.size(), 3u);
}

TEST(SpecPriQueue, OverflowByARequestThatIsNotAnswered) {
  RecordProperty("rule", "SM-PRQ-008 SM-PRQ-009");
  for (const PageRequest& request : {not_last(), stop_marker()}) {
    AtsBench b;
    fill(b);
    b.page_request(request);
    EXPECT_EQ(b.priq_prod(), entries | flag);
    EXPECT_TRUE(b.responses.empty());
  }
}

TEST(SpecPriQueue, InconsistentIndexesCountAsOverflow) {
  RecordProperty("rule", "SM-QU-003");
  AtsBench b;
  b.bench.w32(off::PRIQ_CONS, 2);
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.bench.memory.count(Purpose::PRI), 0u);
  EXPECT_EQ(b.responses.size(), 1u);
}

TEST(SpecPriQueue, SizeIsCapped) {
  RecordProperty("rule", "SM-PRQ-001");
  SmmuConfig config = ats_config();
  config.features.priqs = 1;
  AtsBench b(config);
  for (int i = 0; i < 2; ++i) b.page_request(ordinary_page_request());
  EXPECT_TRUE(b.responses.empty());
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.responses.size(), 1u);
  EXPECT_EQ(b.priq_prod(), 2u | flag);
}

/// Automatic responses to an overflow, with the STE that PPAR is looked up in.
struct AutomaticRow {
  const char* what;
  bool pasid, pps;
  std::uint64_t ppar;
  void (*spoil)(AtsBench&);
  std::uint32_t sid;
  PageResponseCode code;
  bool answer_has_pasid;
  std::uint64_t event;  ///< with REC_CFG_ATS and RECINVSID
};
void nothing(AtsBench&) {}
void bad_ste(AtsBench& b) {
  b.edit_ste({{ste::V, 0}});
}
void abort_ste(AtsBench& b) {
  b.bench.memory.abort_at(SmmuBench::strtab + 64, 64);
}
const AutomaticRow automatic_rows[] = {
    {"no PASID", false, false, 1, nothing, 1, success, false, 0},
    {"no PASID, no STE", false, false, 1, bad_ste, 1, success, false, 0},
    {"PPS", true, true, 0, nothing, 1, success, true, 0},
    {"PPS, no STE", true, true, 0, bad_ste, 1, success, true, 0},
    {"PPAR=1", true, false, 1, nothing, 1, success, true, 0},
    {"PPAR=0", true, false, 0, nothing, 1, success, false, 0},
    {"PPAR=1, Config=000", true, false, 1,
     [](AtsBench& b) {
       b.edit_ste({{ste::Config, 0}});
     },
     1, success, true, 0},
    {"PPAR=1, EATS=00, substreams off", true, false, 1,
     [](AtsBench& b) {
       b.edit_ste({{ste::EATS, 0}});
     },
     1, success, true, 0},
    {"PPAR=1, bad CD", true, false, 1,
     [](AtsBench& b) {
       b.edit_cd({{raw::cd::V, 0}});
     },
     1, success, true, 0},
    {"STE is ILLEGAL", true, false, 1, bad_ste, 1, failure, false, C_BAD_STE},
    {"STE can't be read", true, false, 1, abort_ste, 1, failure, false, F_STE_FETCH},
    {"StreamID out of range", true, false, 1, nothing, 0x5000, failure, false, C_BAD_STREAMID}};

TEST(SpecPriQueue, AutomaticResponsesToAnOverflow) {
  RecordProperty("rule", "SM-PRQ-010 SM-PRQ-011 SM-PRQ-017 SM-PC-043");
  for (const AutomaticRow& row : automatic_rows) {
    for (const std::uint32_t cr2 : {0u, cr2::RECINVSID, cr2::REC_CFG_ATS, cr2::RECINVSID | cr2::REC_CFG_ATS}) {
      SCOPED_TRACE(testing::Message() << row.what << " CR2 " << cr2);
      SmmuConfig config = ats_config();
      config.features.pps = row.pps;
      AtsBench b(config);
      b.set_cr2(cr2);
      b.edit_ste({{raw::ats::PPAR, row.ppar}});
      row.spoil(b);
      fill(b);
      PageRequest request = ordinary_page_request();
      if (row.pasid) request = with_pasid(request, 0x123);
      request.stream_id = StreamId(row.sid);
      request.group = 0xfff;  // nine bits count
      b.page_request(request);
      ASSERT_EQ(b.responses.size(), 1u);
      EXPECT_EQ(b.responses[0].stream_id.value, row.sid);
      EXPECT_EQ(b.responses[0].group, 0x1ffu);
      EXPECT_EQ(b.responses[0].code, row.code);
      EXPECT_EQ(b.responses[0].substream_valid, row.answer_has_pasid);
      EXPECT_EQ(b.responses[0].substream_id.value, row.answer_has_pasid ? 0x123u : 0u);
      const bool recorded =
          (cr2 & cr2::REC_CFG_ATS) != 0 && (row.event != C_BAD_STREAMID || (cr2 & cr2::RECINVSID) != 0);
      EXPECT_EQ(b.bench.take_event().get(Type), recorded ? row.event : 0);
    }
  }
}

TEST(SpecPriQueue, NotWritable) {
  RecordProperty("rule", "SM-PRQ-015 SM-PRQ-017 SM-RU-009 SM-RU-008");
  for (const std::uint32_t cr0 : {AtsBench::all_on & ~cr0::PRIQEN, AtsBench::all_on & ~cr0::SMMUEN}) {
    AtsBench b;
    b.edit_ste({{raw::ats::PPAR, 1}});
    b.cr0(cr0);
    EXPECT_EQ(b.bench.r32(off::CR0ACK), cr0) << "the ACK follows the bit as written";
    b.page_request(with_pasid(ordinary_page_request()));
    b.page_request(not_last());
    b.page_request(stop_marker());
    ASSERT_EQ(b.responses.size(), 2u) << "every request, no Stop Marker";
    for (const PageResponse& response : b.responses) {
      EXPECT_EQ(response.code, failure);
      EXPECT_FALSE(response.substream_valid);
      EXPECT_EQ(response.group, 5u);
    }
    EXPECT_EQ(b.priq_prod(), 0u) << "no overflow either";
    EXPECT_EQ(b.bench.memory.count(Purpose::PRI), 0u);
  }
}

TEST(SpecPriQueue, AbortedWrite) {
  RecordProperty("rule", "SM-PRQ-013 SM-PRQ-015 SM-GER-005 SM-GER-007");
  AtsBench b;
  b.bench.w32(off::IRQ_CTRL, irq::GERROR | irq::PRIQ);
  b.bench.smmu.take_interrupts();
  b.bench.memory.abort_at(AtsBench::priq, 16);
  b.edit_ste({{raw::ats::PPAR, 1}});
  b.page_request(with_pasid(not_last()));
  EXPECT_EQ(b.bench.active_errors(), gerror::PRIQ_ABT_ERR);
  EXPECT_EQ(b.bench.smmu.take_interrupts(), wire_gerror);
  EXPECT_EQ(b.priq_prod(), 0u);
  ASSERT_EQ(b.responses.size(), 1u);
  EXPECT_EQ(b.responses[0].code, failure);
  EXPECT_FALSE(b.responses[0].substream_valid);
  b.bench.memory.clear_aborts();
  b.page_request(not_last());
  EXPECT_EQ(b.responses.size(), 2u) << "nothing is written while the error is active";
  EXPECT_EQ(b.priq_prod(), 0u);
  b.page_request(stop_marker());
  EXPECT_EQ(b.responses.size(), 2u);
  b.bench.acknowledge_errors();
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.priq_prod(), 1u);
  EXPECT_EQ(b.responses.size(), 2u);
}

TEST(SpecPriQueue, OtherSecurityStates) {
  RecordProperty("rule", "SM-PRQ-014");
  AtsBench b;
  PageRequest request = with_pasid(ordinary_page_request());
  request.security = SecurityState::secure;
  b.page_request(request);
  EXPECT_EQ(b.priq_prod(), 0u);
  ASSERT_EQ(b.responses.size(), 1u);
  EXPECT_EQ(b.responses[0].code, failure);
  EXPECT_FALSE(b.responses[0].substream_valid);
}

void configure_interrupt(AtsBench& b, bool last_only) {
  b.bench.w64(off::PRIQ_IRQ_CFG0, 0x7000'0000);
  b.bench.w32(off::PRIQ_IRQ_CFG1, 0x3333);
  b.bench.w32(off::PRIQ_IRQ_CFG2, (last_only ? flag : 0) | 0x3f);
  b.bench.w32(off::IRQ_CTRL, irq::PRIQ);
  b.bench.smmu.take_interrupts();
}

TEST(SpecPriQueue, InterruptOnNonEmpty) {
  RecordProperty("rule", "SM-IRQ-008 SM-IRQ-001");
  AtsBench b;
  configure_interrupt(b, false);
  b.page_request(not_last());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), wire_priq);
  EXPECT_EQ(b.bench.memory.last(Purpose::MSI).address, 0x7000'0000u);
  EXPECT_EQ(b.bench.memory.last(Purpose::MSI).first_word & 0xffff'ffff, 0x3333u);
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), 0u) << "it was not empty";
  fill(b);
  EXPECT_EQ(b.bench.smmu.take_interrupts(), 0u) << "nor does an overflow interrupt";
  b.bench.w32(off::PRIQ_CONS, entries | flag);  // empty, and the overflow acknowledged
  b.page_request(not_last());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), wire_priq) << "the flags are no part of the indexes";
  b.page_request(not_last());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), 0u);
}

TEST(SpecPriQueue, InterruptOnLast) {
  RecordProperty("rule", "SM-IRQ-008 SM-IRQ-009");
  AtsBench b;
  configure_interrupt(b, true);
  b.page_request(not_last());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), 0u);
  for (std::uint32_t i = 1; i < entries; ++i) {
    b.page_request(ordinary_page_request());
    EXPECT_EQ(b.bench.smmu.take_interrupts(), wire_priq);
  }
  b.page_request(not_last());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), 0u) << "overflow without Last";
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), wire_priq) << "discarded because of the overflow";
  EXPECT_EQ(b.bench.memory.count(Purpose::MSI), entries);
  b.cr0(AtsBench::all_on & ~cr0::PRIQEN);
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.bench.smmu.take_interrupts(), 0u) << "discarded for another reason";
}

TEST(SpecPriQueue, InterruptAfterTheEntryIsVisible) {
  RecordProperty("rule", "SM-IRQ-008 SM-QU-005");
  AtsBench b(timed(ats_config()), 60'000);
  configure_interrupt(b, true);
  std::uint32_t prod_at_msi = 99, prod_at_write = 99;
  b.bench.memory.before = [&](const MemoryRequest& request) {
    if (request.purpose == Purpose::PRI) prod_at_write = b.priq_prod();
    if (request.purpose == Purpose::MSI) prod_at_msi = b.priq_prod();
  };
  b.page_request(ordinary_page_request());
  EXPECT_EQ(prod_at_write, 0u);
  EXPECT_EQ(prod_at_msi, 1u);
}

TEST(SpecPriQueue, InterruptRegisters) {
  RecordProperty("rule", "SM-IRQ-005 SM-IRQ-010 SM-GER-004");
  for (const bool msi : {true, false}) {
    SmmuConfig config = ats_config();
    config.features.msi = msi;
    AtsBench b(config);
    b.bench.w64(off::PRIQ_IRQ_CFG0, ~std::uint64_t{0});
    b.bench.w32(off::PRIQ_IRQ_CFG1, 0x1234);
    b.bench.w32(off::PRIQ_IRQ_CFG2, ~0u);
    EXPECT_EQ(b.bench.r64(off::PRIQ_IRQ_CFG0), msi ? 0xffff'ffff'fffcu : 0u);
    EXPECT_EQ(b.bench.r32(off::PRIQ_IRQ_CFG1), msi ? 0x1234u : 0u);
    EXPECT_EQ(b.bench.r32(off::PRIQ_IRQ_CFG2), msi ? flag | 0x3f : flag) << "LO stays without MSIs";
    b.bench.w32(off::IRQ_CTRL, irq::PRIQ);
    b.bench.w32(off::PRIQ_IRQ_CFG2, 0);
    b.bench.w32(off::PRIQ_IRQ_CFG1, 0);
    EXPECT_EQ(b.bench.r32(off::PRIQ_IRQ_CFG2), msi ? flag | 0x3f : flag) << "guarded";
    EXPECT_EQ(b.bench.r32(off::PRIQ_IRQ_CFG1), msi ? 0x1234u : 0u);
    b.bench.w32(off::GERRORN, gerror::PRIQ_ABT_ERR | gerror::MSI_PRIQ_ABT_ERR);
    EXPECT_EQ(b.bench.r32(off::GERRORN), msi ? gerror::PRIQ_ABT_ERR | gerror::MSI_PRIQ_ABT_ERR : gerror::PRIQ_ABT_ERR);
  }
}

TEST(SpecPriQueue, AbortedMsi) {
  RecordProperty("rule", "SM-IR-004 SM-GER-004");
  AtsBench b;
  configure_interrupt(b, false);
  b.bench.memory.abort_at(0x7000'0000, 4);
  b.page_request(ordinary_page_request());
  EXPECT_EQ(b.bench.active_errors(), gerror::MSI_PRIQ_ABT_ERR);
  EXPECT_EQ(b.priq_prod(), 1u);
}

TEST(SpecPriQueue, DisablingWaitsForTheWrite) {
  RecordProperty("rule", "SM-RU-008 SM-RU-012");
  AtsBench b(timed(ats_config()), 60'000);
  b.bench.smmu.page_request(ordinary_page_request());
  b.bench.smmu.write_register(off::CR0, AtsBench::all_on & ~(cr0::PRIQEN | cr0::SMMUEN), 4);
  EXPECT_EQ(b.bench.r32(off::CR0ACK), AtsBench::all_on);
  b.bench.run();
  EXPECT_EQ(b.bench.r32(off::CR0ACK), AtsBench::all_on & ~(cr0::PRIQEN | cr0::SMMUEN));
  EXPECT_EQ(b.priq_prod(), 1u) << "it was on its way";
}

TEST(SpecPriQueue, CrBitsExistWithTheirFeatures) {
  RecordProperty("rule", "SM-RU-014 SM-REG-010 SM-REG-002");
  for (const bool present : {true, false}) {
    SmmuConfig config = ats_config();
    if (!present) {
      config.features.ats = config.features.split_stage_ats = config.features.pri = config.features.atsrecerr = false;
    }
    SmmuBench bench(config, 0, false);
    bench.w32(off::CR2, ~0u);
    EXPECT_EQ(bench.r32(off::CR2), present ? 0xbu : 0x3u) << "REC_CFG_ATS";
    bench.w32(off::CR0, ~0u);
    EXPECT_EQ(bench.r32(off::CR0), present ? 0x1fu : 0xdu);
    EXPECT_EQ(bench.r32(off::CR0ACK), present ? 0x1fu : 0xdu);
    bench.w32(off::CR0, present ? cr0::PRIQEN : 0);
    bench.w32(off::CR1, 0x15);
    EXPECT_EQ(bench.r32(off::CR1) & 0x3f, present ? 0u : 0x15u) << "QUEUE_* is guarded by PRIQEN, too";
  }
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// TLPs in words, and the message sequence chart that links make of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

#include "platform/pcie/ladder.h"
#include "platform/pcie/messages.h"
#include "platform/pcie/tlp_text.h"
#include "tests/unit/pcie_link_fixture.h"

namespace smmusim::platform {
namespace {

struct TextRow {
  const char* text;
  std::function<void(Tlp&)> build;
};

const TextRow rows[] = {
    {"MRd 0x1000 4B tag 3",
     [](Tlp& t) {
       t.address = 0x1000;
       t.tag = 3;
     }},
    {"MWr 0x1000 5B tag 0 RO IDO",
     [](Tlp& t) {
       t.type = TlpType::MWr;
       t.address = 0x1000;
       t.length_dw = 2;
       t.first_be = 0xc;
       t.last_be = 0x7;
       t.relaxed_ordering = t.id_ordering = true;
     }},
    {"MWr 0x1000 0B tag 0",
     [](Tlp& t) {
       t.type = TlpType::MWr;
       t.address = 0x1000;
       t.first_be = 0;
     }},
    {"MRd AT=translated 0x1000 2B tag 0 PASID 0x7 PMR ER",
     [](Tlp& t) {
       t.at = AddressType::translated;
       t.address = 0x1000;
       t.first_be = 0x6;
       t.pasid = {.present = true, .pasid = 7, .privileged = true, .execute = true};
     }},
    {"MRd AT=TR 0x7fffe000 1 entry tag 5 NW",
     [](Tlp& t) {
       t.at = AddressType::translation_request;
       t.address = 0x7fff'e000;
       t.length_dw = 2;
       t.tag = 5;
       t.no_write = true;
     }},
    {"MRd AT=TR 0x0 8 entries tag 0",
     [](Tlp& t) {
       t.at = AddressType::translation_request;
       t.length_dw = 16;
     }},
    {"FetchAdd 0x8 8B tag 0",
     [](Tlp& t) {
       t.type = TlpType::FetchAdd;
       t.address = 8;
       t.length_dw = 2;
     }},
    {"CfgWr0 01:04.3 register 0x10 tag 0",
     [](Tlp& t) {
       t.type = TlpType::CfgWr0;
       t.target_id = 0x0123;
       t.address = 0x10;
     }},
    {"Cpl UR tag 2",
     [](Tlp& t) {
       t.type = TlpType::Cpl;
       t.status = CplStatus::UR;
       t.tag = 2;
     }},
    {"CplD 64B of 128B left tag 2",
     [](Tlp& t) {
       t.type = TlpType::CplD;
       t.length_dw = 16;
       t.byte_count = 128;
       t.tag = 2;
     }},
    {"CplD 64B tag 2",
     [](Tlp& t) {
       t.type = TlpType::CplD;
       t.length_dw = 16;
       t.byte_count = 64;
       t.tag = 2;
     }},
    {"Invalidate Request itag 5 0x40000000 2MiB Global PASID 0x9",
     [](Tlp& t) {
       put(t, InvalidateRequest{
                  .itag = 5, .pasid = {.present = true, .pasid = 9}, .range = {0x4000'0000, 21}, .global = true});
     }},
    {"Invalidate Request itag 0 everything",
     [](Tlp& t) {
       put(t, InvalidateRequest{.pasid = {}, .range = {0, 64}});
     }},
    {"Invalidate Request itag 0 0x3000 4KiB",
     [](Tlp& t) {
       put(t, InvalidateRequest{.pasid = {}, .range = {0x3000, 12}});
     }},
    {"Invalidate Request without data",
     [](Tlp& t) {
       t.type = TlpType::MsgD;
       t.message = MessageCode::Invalidate_Request;
     }},
    {"Invalidate Completion itag 0 31 CC=2",
     [](Tlp& t) { put(t, InvalidateCompletion{.itags = 0x8000'0001, .count = 2}); }},
    {"Page Request group 3 0x5000 R W last",
     [](Tlp& t) {
       put(t,
           PageRequestMessage{.pasid = {}, .address = 0x5000, .group = 3, .last = true, .write = true, .read = true});
     }},
    {"Stop Marker PASID 0x1",
     [](Tlp& t) { put(t, PageRequestMessage{.pasid = {.present = true, .pasid = 1}, .last = true}); }},
    {"PRG Response group 3 Invalid Request", [](Tlp& t) { put(t, PrgResponse{.pasid = {}, .group = 3, .code = 1}); }},
    {"PRG Response group 0 code 7", [](Tlp& t) { put(t, PrgResponse{.pasid = {}, .group = 0, .code = 7}); }},
};

TEST(TlpText, EveryKind) {
  for (const TextRow& row : rows) {
    Tlp tlp;
    row.build(tlp);
    EXPECT_EQ(describe(tlp, false), row.text);
  }
}

TEST(TlpText, TranslationCompletions) {
  std::array<TranslationEntry, 2> entries;
  entries[0].range = {0x4000'0000, 21};
  entries[0].read = entries[0].write = entries[0].execute = entries[0].global = true;
  entries[1].range = {0x1000, 12};
  entries[1].privileged = entries[1].untranslated_only = entries[1].non_snooped = true;
  Tlp tlp;
  tlp.tag = 4;
  put(tlp, entries);
  EXPECT_EQ(describe(tlp, true), "CplD TR tag 4 0x40000000 2MiB S=1 R W Exe Global, 0x1000 4KiB S=0 Priv U N");
  Tlp refused;
  refused.type = TlpType::Cpl;
  refused.status = CplStatus::CA;
  EXPECT_EQ(describe(refused, true), "Cpl TR CA tag 0");
}

class LadderTest : public testing::Test {
 protected:
  static TlpLinkConfig config() {
    TlpLinkConfig c;
    c.lanes = 8;
    return c;
  }
  LinkedPorts m{config()};
  std::ostringstream out;
};

TEST_F(LadderTest, ReadsAsAMessageSequenceChart) {
  Ladder ladder(m.engine, out, {"nvme0", "root complex", "nic"}, 10);
  ladder.attach(m.link, "root complex", "nvme0");
  Tlp& request = m.tlp(TlpType::MRd, 5, 8);
  request.at = AddressType::translation_request;
  request.requester_id = 0x0100;
  Tlp& answer = m.tlp(TlpType::CplD, 5);
  answer.requester_id = 0x0100;
  std::array<TranslationEntry, 1> entries;
  entries[0].range = {0x8000, 13};
  entries[0].read = true;
  put(answer, entries);
  m.root.then = [&](Tlp&) { m.at(m.engine.now() + 100'000, [&] { m.link.send(TlpLink::upstream, answer); }); };
  m.link.send(TlpLink::downstream, request);
  m.engine.run();
  ladder.finish();
  EXPECT_EQ(
      out.str(),
      "       sent ns    arrived ns        nvme0       root complex         nic      TLP\n"
      "         0.000         8.047          |-------------->|               |       MRd AT=TR 0x100000000 1 entry"
      " tag 5\n"
      "       108.047       116.602          |<--------------|               |       CplD TR tag 5 0x8000 8KiB S=1"
      " R\n");
}

TEST_F(LadderTest, ALaterRequestWithTheTagIsAnotherOne) {
  Ladder ladder(m.engine, out, {"a", "b"}, 10);
  Tlp& translation = m.tlp(TlpType::MRd, 5);
  translation.at = AddressType::translation_request;
  ladder.add(0, translation, 0, 1);
  ladder.add(0, m.tlp(TlpType::MRd, 5), 0, 1);
  out.str("");
  Tlp& completion = m.tlp(TlpType::CplD, 5, 8);
  completion.byte_count = 8;
  ladder.add(0, completion, 1, 0);
  EXPECT_NE(out.str().find("CplD 8B tag 5"), std::string::npos) << out.str();
}

TEST_F(LadderTest, IsBoundedAndSaysSo) {
  Ladder ladder(m.engine, out, {"a", "b"}, 2);
  ladder.attach(m.link, "a", "b");
  for (unsigned i = 0; i != 5; ++i) m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd, i));
  m.engine.run();
  ladder.finish();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 2 + 1);
  EXPECT_NE(text.find("\n3 more TLPs are left out\n"), std::string::npos) << text;
}

TEST_F(LadderTest, SaysNothingMoreIfEverythingIsThere) {
  Ladder ladder(m.engine, out, {"a", "b"}, 1);
  ladder.add(0, m.tlp(TlpType::MRd), 0, 1);
  ladder.finish();
  EXPECT_EQ(out.str().find("left out"), std::string::npos);
}

TEST_F(LadderTest, KeepsWhoeverWatchedTheLinkBefore) {
  unsigned seen = 0;
  m.link.on_tlp = [&](Time, const Tlp&, TlpLink::End) { ++seen; };
  Ladder ladder(m.engine, out, {"a", "b"}, 1);
  ladder.attach(m.link, "a", "b");
  m.link.send(TlpLink::downstream, m.tlp(TlpType::MRd));
  m.engine.run();
  EXPECT_EQ(seen, 1U);
}

TEST_F(LadderTest, AnUnknownColumnIsRefused) {
  Ladder ladder(m.engine, out, {"a", "b"}, 1);
  EXPECT_THROW(ladder.attach(m.link, "a", "c"), std::invalid_argument);
}

}  // namespace
}  // namespace smmusim::platform

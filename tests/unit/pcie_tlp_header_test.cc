// SPDX-License-Identifier: MIT
// TLPs on the wire, bit by bit: rows of doublewords that were written by hand from the specification's figures, there
// and back; every rule on malformed TLPs by an example; random TLPs and random bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "platform/pcie/messages.h"
#include "platform/pcie/tlp_header.h"

namespace smmusim::platform {
namespace {

using Bytes = std::vector<unsigned char>;

/// "00000001 abcd": the bytes of these digits.
Bytes bytes_of(const std::string& text) {
  Bytes bytes;
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != ' '; });
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string text_of(const Bytes& bytes) {
  std::ostringstream text;
  for (std::size_t i = 0; i != bytes.size(); ++i) {
    constexpr const char* digits = "0123456789abcdef";
    text << (i != 0 && i % 4 == 0 ? " " : "") << digits[bytes[i] >> 4] << digits[bytes[i] & 15];
  }
  return text.str();
}

struct WireRow {
  const char* words;
  std::function<void(Tlp&)> build;
};

const WireRow wire_rows[] = {
    {"40000001 0100120f 00001000 01020304",
     [](Tlp& t) {
       t.type = TlpType::MWr;
       t.requester_id = 0x0100;
       t.tag = 0x12;
       t.address = 0x1000;
       t.data = {1, 2, 3, 4};
     }},
    {"60000002 ffff00fe 80000000 fffffff8 0102030405060708",
     [](Tlp& t) {
       t.type = TlpType::MWr;
       t.requester_id = 0xffff;
       t.address = 0x8000'0000'ffff'fff8;
       t.length_dw = 2;
       t.first_be = 0xe;
       t.last_be = 0xf;
       t.data = {1, 2, 3, 4, 5, 6, 7, 8};
     }},
    {"20000010 010003ff 00000001 00002000",
     [](Tlp& t) {
       t.requester_id = 0x0100;
       t.tag = 3;
       t.address = 0x1'0000'2000;
       t.length_dw = 16;
       t.last_be = 0xf;
     }},
    {"00000000 000000ff 00001000",
     [](Tlp& t) {
       t.length_dw = 1024;
       t.last_be = 0xf;
       t.address = 0x1000;
     }},
    {"00000402 010005ff 7fffe001",
     [](Tlp& t) {
       t.at = AddressType::translation_request;
       t.requester_id = 0x0100;
       t.tag = 5;
       t.address = 0x7fff'e000;
       t.length_dw = 2;
       t.last_be = 0xf;
       t.no_write = true;
     }},
    {"00000801 0000000f 00000040",
     [](Tlp& t) {
       t.at = AddressType::translated;
       t.address = 0x40;
     }},
    {"00880001 0000a50f 00000000", [](Tlp& t) { t.tag = 0x3a5; }},
    {"00080001 0000a50f 00000000", [](Tlp& t) { t.tag = 0x1a5; }},
    {"00040001 0000000f 00000000", [](Tlp& t) { t.id_ordering = true; }},
    {"00002001 0000000f 00000000", [](Tlp& t) { t.relaxed_ordering = true; }},
    {"00001001 0000000f 00000000", [](Tlp& t) { t.no_snoop = true; }},
    {"00004001 0000000f 00000000", [](Tlp& t) { t.poisoned = true; }},
    {"911abcde 00000001 0000000f 00000000",
     [](Tlp& t) { t.pasid = {.present = true, .pasid = 0xabcde, .privileged = false, .execute = true}; }},
    {"91200001 00000001 0000000f 00000000",
     [](Tlp& t) { t.pasid = {.present = true, .pasid = 1, .privileged = true, .execute = false}; }},
    {"4a000001 00100004 01001244 01020304",
     [](Tlp& t) {
       t.type = TlpType::CplD;
       t.completer_id = 0x0010;
       t.byte_count = 4;
       t.requester_id = 0x0100;
       t.tag = 0x12;
       t.lower_address = 0x44;
       t.data = {1, 2, 3, 4};
     }},
    {"0a000000 00102004 01001200",
     [](Tlp& t) {
       t.type = TlpType::Cpl;
       t.length_dw = 0;
       t.completer_id = 0x0010;
       t.status = CplStatus::UR;
       t.byte_count = 4;
       t.requester_id = 0x0100;
       t.tag = 0x12;
     }},
    {"0a000000 00008000 00000000",
     [](Tlp& t) {
       t.type = TlpType::Cpl;
       t.length_dw = 0;
       t.status = CplStatus::CA;
       t.byte_count = 4096;
     }},
    {"04000001 0010070f 01230ffc",
     [](Tlp& t) {
       t.type = TlpType::CfgRd0;
       t.requester_id = 0x0010;
       t.tag = 7;
       t.target_id = 0x0123;
       t.address = 0xffc;
     }},
    {"45000001 00000003 02000004 aabbccdd",
     [](Tlp& t) {
       t.type = TlpType::CfgWr1;
       t.target_id = 0x0200;
       t.address = 4;
       t.first_be = 3;
       t.data = {0xaa, 0xbb, 0xcc, 0xdd};
     }},
    {"4c000001 0000000f 00000004 01020304",
     [](Tlp& t) {
       t.type = TlpType::FetchAdd;
       t.address = 4;
       t.data = {1, 2, 3, 4};
     }},
    {"6d000002 000000ff 00000001 00000008 0102030405060708",
     [](Tlp& t) {
       t.type = TlpType::Swap;
       t.address = 0x1'0000'0008;
       t.length_dw = 2;
       t.last_be = 0xf;
       t.data = {1, 2, 3, 4, 5, 6, 7, 8};
     }},
    {"4e000002 000000ff 00000004 0102030405060708",
     [](Tlp& t) {
       t.type = TlpType::CAS;
       t.address = 4;
       t.length_dw = 2;
       t.last_be = 0xf;
       t.data = {1, 2, 3, 4, 5, 6, 7, 8};
     }},
    {"91000007 72000002 00101501 01230000 00000000 00000000 400ff801",
     [](Tlp& t) {
       put(t, InvalidateRequest{.requester_id = 0x0010,
                                .target_id = 0x0123,
                                .itag = 21,
                                .pasid = {.present = true, .pasid = 7},
                                .range = {0x4000'0000, 21},
                                .global = true});
     }},
    {"32000000 01230002 00100003 80200001",
     [](Tlp& t) {
       put(t, InvalidateCompletion{.requester_id = 0x0123, .target_id = 0x0010, .itags = 0x8020'0001, .count = 3});
     }},
    {"30000000 01230004 ffff0000 12345aae",
     [](Tlp& t) {
       put(t, PageRequestMessage{.requester_id = 0x0123,
                                 .pasid = {},
                                 .address = 0xffff'0000'1234'5000,
                                 .group = 0x155,
                                 .last = true,
                                 .write = true,
                                 .read = false});
     }},
    {"32000000 00100005 0123f1ff 00000000",
     [](Tlp& t) {
       put(t, PrgResponse{.requester_id = 0x0010, .target_id = 0x0123, .pasid = {}, .group = 0x1ff, .code = 15});
     }},
};

TEST(TlpHeader, EveryFieldHasItsPlace) {
  for (const WireRow& row : wire_rows) {
    SCOPED_TRACE(row.words);
    Tlp built;
    row.build(built);
    EXPECT_EQ(text_of(encode(built)), text_of(bytes_of(row.words)));
  }
}

void expect_equal(const Tlp& a, const Tlp& b) {
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.requester_id, b.requester_id);
  EXPECT_EQ(a.tag, b.tag);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.address, b.address);
  EXPECT_EQ(a.length_dw, b.length_dw);
  EXPECT_EQ(a.no_write, b.no_write);
  EXPECT_EQ(a.pasid.present, b.pasid.present);
  EXPECT_EQ(a.pasid.pasid, b.pasid.pasid);
  EXPECT_EQ(a.pasid.privileged, b.pasid.privileged);
  EXPECT_EQ(a.pasid.execute, b.pasid.execute);
  EXPECT_EQ(a.relaxed_ordering, b.relaxed_ordering);
  EXPECT_EQ(a.id_ordering, b.id_ordering);
  EXPECT_EQ(a.no_snoop, b.no_snoop);
  EXPECT_EQ(a.poisoned, b.poisoned);
  EXPECT_EQ(a.target_id, b.target_id);
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.data, b.data);
  if (a.is_completion()) {
    EXPECT_EQ(a.completer_id, b.completer_id);
    EXPECT_EQ(a.status, b.status);
    EXPECT_EQ(a.byte_count, b.byte_count);
    EXPECT_EQ(a.lower_address, b.lower_address);
  } else if (a.is_message()) {
    EXPECT_EQ(a.message, b.message);
  } else {
    EXPECT_EQ(a.first_be, b.first_be);
    EXPECT_EQ(a.last_be, b.last_be);
  }
}

TEST(TlpHeader, IsReadBack) {
  for (const WireRow& row : wire_rows) {
    SCOPED_TRACE(row.words);
    Tlp built, read;
    row.build(built);
    EXPECT_EQ(decode(bytes_of(row.words), TlpLimits{}, read), TlpFault::none);
    expect_equal(read, built);
  }
}

TEST(TlpHeader, ADigestIsNotData) {
  Tlp read;
  EXPECT_EQ(decode(bytes_of("40008001 0000000f 00000000 01020304 deadbeef"), TlpLimits{}, read), TlpFault::none);
  EXPECT_EQ(read.data, (Bytes{1, 2, 3, 4}));
}

TEST(TlpHeader, ReservedCompletionStatusIsUnsupportedRequest) {
  for (const char* words : {"0a000000 00002004 00000000", "0a000000 00004004 00000000", "0a000000 0000e004 00000000"}) {
    Tlp read;
    EXPECT_EQ(decode(bytes_of(words), TlpLimits{}, read), TlpFault::none);
    EXPECT_EQ(read.status, CplStatus::UR) << words;
  }
}

struct FaultRow {
  TlpFault fault;
  const char* words;
};

// With Max_Payload_Size 128, Max_Read_Request_Size 256, Read Completion Boundary 64, PASIDs of 16 bits.
constexpr TlpLimits row_limits{.mps_bytes = 128, .mrrs_bytes = 256, .rcb_bytes = 64, .pasid_bits = 16};
const FaultRow fault_rows[] = {
    {TlpFault::truncated, ""},
    {TlpFault::truncated, "000000"},
    {TlpFault::truncated, "91000001"},
    {TlpFault::truncated, "00000001 0000000f"},
    {TlpFault::truncated, "20000001 0000000f 00000001"},
    {TlpFault::truncated, "00008001 0000000f 00000000"},
    {TlpFault::reserved_format, "b1000001 00000001 0000000f 00000000"},
    {TlpFault::reserved_format, "e0000001 00000001 0000000f 00000000"},
    {TlpFault::reserved_format, "24000001 0000000f 00000000 00000000"},
    {TlpFault::reserved_format, "2a000000 00000004 00000000 00000000"},
    {TlpFault::reserved_format, "0c000001 0000000f 00000000"},
    {TlpFault::reserved_format, "12000000 00000002 00000001"},
    {TlpFault::reserved_type, "03000001 0000000f 00000000"},
    {TlpFault::reserved_type, "1f000001 0000000f 00000000"},
    {TlpFault::reserved_type, "18000000 00000000 00000000"},
    {TlpFault::uncarried_type, "01000001 0000000f 00000000"},
    {TlpFault::uncarried_type, "02000001 0000000f 00000000"},
    {TlpFault::uncarried_type, "42000001 0000000f 00000000 00000000"},
    {TlpFault::uncarried_type, "5b000001 0000000f 00000000 00000000"},
    {TlpFault::foreign_prefix, "90000001 00000001 0000000f 00000000"},
    {TlpFault::foreign_prefix, "80000001 00000001 0000000f 00000000"},
    {TlpFault::foreign_prefix, "91000001 91000001 00000001 0000000f 00000000"},
    {TlpFault::traffic_class, "00100001 0000000f 00000000"},
    {TlpFault::traffic_class, "00700001 0000000f 00000000"},
    {TlpFault::short_address_in_long_format, "20000001 0000000f 00000000 fffffffc"},
    {TlpFault::message_routing, "30000000 01230002 00100001 80200001"},
    {TlpFault::message_routing, "32000000 01230004 00000000 00000001"},
    {TlpFault::message_routing, "33000000 00100005 01230000 00000000"},
    {TlpFault::message_code, "34000000 01230020 00000000 00000000"},
    {TlpFault::message_code, "32000000 01230003 00000000 00000000"},
    {TlpFault::length_and_data, "40000002 000000ff 00000000 01020304"},
    {TlpFault::length_and_data, "40000001 0000000f 00000000 0102030405060708"},
    {TlpFault::length_and_data, "40000001 0000000f 00000000 010203"},
    {TlpFault::length_and_data, "00000001 0000000f 00000000 01020304"},
    {TlpFault::length_and_data, "0a000000 00000004 00000000 01020304"},
    {TlpFault::above_mrrs, "00000041 000000ff 00000000"},
    {TlpFault::above_mrrs, "00000000 000000ff 00000000"},
    {TlpFault::first_byte_enables, "00000002 000000f0 00000000"},
    {TlpFault::last_byte_enables, "00000001 000000ff 00000000"},
    {TlpFault::last_byte_enables, "00000002 0000000f 00000000"},
    {TlpFault::last_byte_enables, "04000001 000000ff 00000000"},
    {TlpFault::scattered_byte_enables, "00000003 000000f7 00000000"},
    {TlpFault::scattered_byte_enables, "00000003 000000ef 00000000"},
    {TlpFault::scattered_byte_enables, "00000002 000000f5 00000004"},
    {TlpFault::crosses_4k, "00000002 000000ff 00000ffc"},
    {TlpFault::crosses_4k, "40000002 000000ff 00001ffc 0102030405060708"},
    {TlpFault::crosses_4k, "00000802 000000ff 00000ffc"},
    {TlpFault::atomic_length, "4c000004 000000ff 00000000 00000000 00000000 00000000 00000000"},
    {TlpFault::atomic_length, "4e000001 0000000f 00000000 00000000"},
    {TlpFault::atomic_length, "4e000006 000000ff 00000000 00000000 00000000 00000000 00000000 00000000 00000000"},
    {TlpFault::atomic_alignment, "4c000002 000000ff 00000004 00000000 00000000"},
    {TlpFault::atomic_alignment, "4e000004 000000ff 00000004 00000000 00000000 00000000 00000000"},
    {TlpFault::configuration_length, "04000002 000000ff 00000000"},
    {TlpFault::reserved_address_type, "00000c01 0000000f 00000000"},
    {TlpFault::reserved_address_type, "4c000c01 0000000f 00000000 00000000"},
    {TlpFault::translation_request_type, "40000401 0000000f 00000000 00000000"},
    {TlpFault::translation_request_type, "4c000401 0000000f 00000000 00000000"},
    {TlpFault::address_type_outside_memory, "04000401 0000000f 00000000"},
    {TlpFault::address_type_outside_memory, "0a000800 00000004 00000000"},
    {TlpFault::address_type_outside_memory, "30000c00 01230004 00000000 00000001"},
    {TlpFault::translation_length, "00000401 0000000f 00000000"},
    {TlpFault::translation_length, "00000403 000000ff 00000000"},
    {TlpFault::translation_length, "00000412 000000ff 00000000"},
    {TlpFault::pasid_on_wrong_type, "91000001 04000001 0000000f 00000000"},
    {TlpFault::pasid_on_wrong_type, "91000001 0a000000 00000004 00000000"},
    {TlpFault::pasid_on_wrong_type, "91000001 32000000 01230002 00100001 80200001"},
    {TlpFault::pasid_too_wide, "91010000 00000001 0000000f 00000000"},
    {TlpFault::message_data, "72000002 01230002 00100001 80200001 00000000 00000000"},
    {TlpFault::message_data, "32000000 00101501 01230000 00000000"},
    {TlpFault::message_data, "72000001 00101501 01230000 00000000 00000000"},
};

TEST(TlpRules, EveryRowIsFound) {
  for (const FaultRow& row : fault_rows) {
    Tlp read;
    EXPECT_EQ(decode(bytes_of(row.words), row_limits, read), row.fault)
        << row.words << ": " << rule_of(row.fault).sentence;
  }
}

// --- What the wire cannot hold, or is too long for a row -----------------------------------------------------------

struct ValueRow {
  TlpFault fault;
  std::function<void(Tlp&)> breaks;  ///< a read of one doubleword at 0
};

void become_write(Tlp& t, unsigned bytes) {
  t.type = TlpType::MWr;
  t.length_dw = static_cast<std::uint16_t>(bytes / 4);
  t.last_be = 0xf;
  t.data.resize(bytes);
}

const ValueRow value_rows[] = {
    {TlpFault::length_range, [](Tlp& t) { t.length_dw = 0; }},
    {TlpFault::length_range, [](Tlp& t) { t.length_dw = 1025; }},
    {TlpFault::above_mps, [](Tlp& t) { become_write(t, 132); }},
    {TlpFault::above_mps,
     [](Tlp& t) {
       become_write(t, 132);
       t.type = TlpType::CplD;
     }},
    {TlpFault::address_alignment, [](Tlp& t) { t.address = 2; }},
    {TlpFault::no_write_outside_translation, [](Tlp& t) { t.no_write = true; }},
    {TlpFault::pasid_above_20_bits, [](Tlp& t) { t.pasid = {.present = true, .pasid = 0x100000}; }},
};

TEST(TlpRules, EveryRuleOnValuesIsFound) {
  for (const ValueRow& row : value_rows) {
    Tlp tlp;
    EXPECT_EQ(judge(tlp, row_limits), TlpFault::none);
    row.breaks(tlp);
    EXPECT_EQ(judge(tlp, row_limits), row.fault) << rule_of(row.fault).sentence;
  }
}

TEST(TlpRules, EachHasAnExample) {
  std::set<TlpFault> seen;
  for (const FaultRow& row : fault_rows) seen.insert(row.fault);
  for (const ValueRow& row : value_rows) seen.insert(row.fault);
  for (const TlpRule& rule : tlp_rules()) EXPECT_EQ(seen.count(rule.fault), 1U) << rule.sentence;
}

TEST(TlpRules, RowsAreFoundByTheirFault) {
  for (const TlpRule& rule : tlp_rules()) EXPECT_EQ(&rule_of(rule.fault), &rule);
}

TEST(TlpRules, WhatIsAllowedAtTheLimits) {
  for (const char* words : {
           "00000040 000000ff 00000000",           // Max_Read_Request_Size
           "00000410 000000ff 00000000",           // a Read Completion Boundary of translations
           "9100ffff 00000001 0000000f 00000000",  // the widest PASID
           "00000001 00000000 00000000",           // a read of no byte
           "00000001 00000005 00000000",           // holes in one doubleword
           "00000002 000000b5 00000008",           // holes in an aligned quadword
           "00000001 0000000f 00000ffc",           // up to the 4 KiB boundary
           "20000001 0000000f 00000001 00000000",  // 4 GiB
           "4c000002 000000ff 00000008 00000000 00000000",
           "4e000008 000000ff 00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000",
       }) {
    Tlp read;
    EXPECT_EQ(decode(bytes_of(words), row_limits, read), TlpFault::none) << words;
  }
}

// --- At random -----------------------------------------------------------------------------------------------------

class RandomTlp : public testing::Test {
 protected:
  std::uint64_t number(std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>(low, high)(random);
  }
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random{seed};
};

TEST_F(RandomTlp, ChangedWordsAreRefusedOrReadAsTheyAre) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  unsigned read_back = 0;
  for (unsigned i = 0; i != 20'000; ++i) {
    Bytes bytes = bytes_of(wire_rows[number(0, std::size(wire_rows) - 1)].words);
    for (std::uint64_t flips = number(0, 3); flips != 0; --flips) {
      bytes[number(0, bytes.size() - 1)] ^= static_cast<unsigned char>(1U << number(0, 7));
    }
    if (number(0, 9) == 0) bytes.resize(number(0, bytes.size()));
    Tlp first, second;
    if (decode(bytes, TlpLimits{}, first) != TlpFault::none) continue;
    ++read_back;
    EXPECT_EQ(decode(encode(first), TlpLimits{}, second), TlpFault::none) << text_of(bytes);
    expect_equal(second, first);
  }
  EXPECT_GT(read_back, 5'000U);
}

TEST_F(RandomTlp, AnyBytesAreDecodedOrRefused) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  for (unsigned i = 0; i != 20'000; ++i) {
    Bytes bytes(number(0, 40));
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(number(0, 255));
    Tlp tlp;
    const TlpFault fault = decode(bytes, TlpLimits{}, tlp);
    EXPECT_TRUE(fault != TlpFault::none || judge(tlp, TlpLimits{}) == TlpFault::none) << text_of(bytes);
  }
}

}  // namespace
}  // namespace smmusim::platform

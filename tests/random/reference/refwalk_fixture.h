// SPDX-License-Identifier: MIT
// The table image that the tests of the reference walker start from: one stream, one CD, one 4 KB page, written by hand
// (IHI 0070 chapters 3 and 5). The tests change single fields of it. For the tests of this folder only.
#ifndef TESTS_RANDOM_REFERENCE_REFWALK_FIXTURE_H_
#define TESTS_RANDOM_REFERENCE_REFWALK_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "tests/random/reference/refwalk.h"

namespace refwalk {

inline constexpr uint64_t kSte = 0x100C0;  // StreamID 3 of the linear table at 0x10000
inline constexpr uint64_t kCd = 0x20000;
inline constexpr uint64_t kL0 = 0x30000, kL1 = 0x31000, kL2 = 0x32000, kL3 = 0x33000;
inline constexpr uint64_t kVa = 0x40201ABC;  // index 0, 1, 1, 1 in 4 KB tables
inline constexpr uint64_t kPage = 0x56789A000;
inline constexpr uint64_t kLeaf = 3 | (1u << 10) | (1u << 6) | (1u << 11) | (3u << 8);  // AF, AP=01, nG, ISH
inline constexpr unsigned kNone = 0;

struct Image : Memory {
  std::map<uint64_t, uint64_t> words;
  uint64_t abort_at = ~uint64_t{0};

  bool read(uint64_t pa, void* data, size_t n) const override {
    for (size_t i = 0; i < n; i += 8) {
      if (pa + i == abort_at) return false;
      const auto found = words.find(pa + i);
      const uint64_t value = found == words.end() ? 0 : found->second;
      for (unsigned b = 0; b < 8; ++b)
        static_cast<unsigned char*>(data)[i + b] = static_cast<unsigned char>(value >> (8 * b));
    }
    return true;
  }

  // Sets bits [high:low] of the structure at `base`.
  void set(uint64_t base, unsigned high, unsigned low, uint64_t value) {
    const uint64_t mask = (high - low == 63 ? ~uint64_t{0} : (uint64_t{1} << (high - low + 1)) - 1) << (low % 64);
    uint64_t& word = words[base + 8 * (low / 64)];
    word = (word & ~mask) | ((value << (low % 64)) & mask);
  }
};

class Refwalk : public testing::Test {
 protected:
  Refwalk() {
    r.idr0 = (1u << 1) | (2u << 2) | (1u << 12) | (1u << 19) | (1u << 27);
    r.idr1 = 8 | (8u << 6) | (1u << 26);
    r.idr3 = 1u << 2;
    r.idr5 = 4 | (7u << 4);  // OAS 44, all granules
    r.aidr = 2;
    r.cr0 = 1;
    r.cr2 = 2;
    r.strtab_base = 0x10000;
    r.strtab_base_cfg = 4;
    m.set(kSte, 0, 0, 1);
    m.set(kSte, 3, 1, 5);
    m.set(kSte, 55, 6, kCd >> 6);
    m.set(kCd, 5, 0, 16);
    m.set(kCd, 31, 31, 1);
    m.set(kCd, 30, 30, 1);  // EPD1
    m.set(kCd, 34, 32, 4);  // IPS 44
    m.set(kCd, 41, 41, 1);  // AA64
    m.set(kCd, 46, 45, 3);  // A, R
    m.set(kCd, 115, 68, kL0 >> 4);
    m.set(kCd, 255, 192, 0x77665544332211FF);
    m.words[kL0] = kL1 | 3;
    m.words[kL1 + 8] = kL2 | 3;
    m.words[kL2 + 8] = kL3 | 3;
    m.words[kL3 + 8] = kPage | kLeaf;
    a.sid = 3;
    a.address = kVa;
  }

  // Stage 2 for the same stream: identity map of the first 1 GB by 2 MB blocks and of kPage, 4 KB granule, 40-bit IPA.
  void add_stage2(unsigned config) {
    r.idr0 |= 1;
    m.set(kSte, 3, 1, config);
    m.set(kSte, 165, 160, 24);
    m.set(kSte, 167, 166, 1);
    m.set(kSte, 178, 176, 4);
    m.set(kSte, 179, 179, 1);
    m.set(kSte, 186, 186, 1);
    m.set(kSte, 243, 196, 0x40000 >> 4);
    m.words[0x40000] = 0x42000 | 3;                      // level 1, IPA 0
    m.words[0x40000 + 8 * 0x15] = 0x43000 | 3;           // IPA 0x5_4000_0000
    m.words[0x42000] = 0 | 1 | kS2Bits;                  // 2 MB identity
    m.words[0x43000 + 8 * 0x13C] = 0x44000 | 3;          // IPA 0x5_6780_0000
    m.words[0x44000 + 8 * 0x9A] = 0x7000 | 3 | kS2Bits;  // 0x5_6789_A000 -> 0x7000
  }
  static constexpr uint64_t kS2Bits = (0xFu << 2) | (3u << 6) | (1u << 10);

  Result run() { return translate(r, m, a); }

  static unsigned number(const Result& result) { return static_cast<unsigned>(result.event.dw[0] & 0xFF); }

  void expect_event(Outcome outcome, unsigned event, const std::string& name = "") {
    const Result result = run();
    EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(outcome)) << name;
    EXPECT_EQ(result.event.recorded, event != 0) << name;
    EXPECT_EQ(number(result), event) << name;
  }

  void expect_pa(uint64_t pa, const std::string& name = "") {
    const Result result = run();
    EXPECT_EQ(static_cast<int>(result.outcome), static_cast<int>(Outcome::Proceed))
        << name << " event " << number(result);
    EXPECT_EQ(result.pa, pa) << name;
  }

  Registers r;
  Image m;
  Access a;
};

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_REFWALK_FIXTURE_H_

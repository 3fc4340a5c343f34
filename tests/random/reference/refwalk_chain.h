// SPDX-License-Identifier: MIT
// Chains of translation tables for the tests of the reference walker: one address, one descriptor a level, at places
// that the tests can name (DDI 0487 D8.2.8.3, D8.2.9.3, D8.2.10.3). For the tests of this folder only.
#ifndef TESTS_RANDOM_REFERENCE_REFWALK_CHAIN_H_
#define TESTS_RANDOM_REFERENCE_REFWALK_CHAIN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/random/reference/refwalk_fixture.h"

namespace refwalk {

/// The tables of one stage: the table of level L begins at base + (L + 2) * 16 MB.
struct Chain {
  uint64_t base;
  unsigned granule;     // log2
  unsigned input_bits;  // resolved by the whole walk
  int start;            // level of the first table

  uint64_t table(int level) const { return base + 0x1000000 * static_cast<uint64_t>(level + 2); }
  unsigned low(int level) const { return granule + static_cast<unsigned>(3 - level) * (granule - 3); }
  uint64_t entry(int level, uint64_t input) const {
    const unsigned high = level == start ? input_bits : low(level) + granule - 3;
    const uint64_t below = high == 64 ? input : input & ((uint64_t{1} << high) - 1);
    return table(level) + 8 * (below >> low(level));
  }
  /// Writes table descriptors from the first level to `leaf_level` - 1 and `leaf` at `leaf_level`.
  void write(Image* image, uint64_t input, int leaf_level, uint64_t leaf) const {
    for (int level = start; level < leaf_level; ++level) image->words[entry(level, input)] = table(level + 1) | 3;
    image->words[entry(leaf_level, input)] = leaf;
  }
};

inline uint64_t mask(unsigned count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

/// The codes of a granule in TG0 and S2TG, and in TG1.
inline unsigned tg0_code(unsigned granule) {
  return granule == 12 ? 0 : granule == 16 ? 1 : 2;
}
inline unsigned tg1_code(unsigned granule) {
  return granule == 12 ? 2 : granule == 16 ? 3 : 1;
}

/// A page descriptor's attributes without bits [9:8]: valid, AF, AP = 01 at stage 1.
inline constexpr uint64_t kPlain = 3 | (1u << 10) | (1u << 6);
/// The same for stage 2: read and write, Normal write-back.
inline constexpr uint64_t kPlain2 = 3 | (1u << 10) | (3u << 6) | (0xFu << 2);

/// A fixture in which every size is possible: OAS 52, DS, VAX, STT, all granules.
class RefwalkWide : public Refwalk {
 protected:
  RefwalkWide() {
    r.idr0 |= 1;                                      // S2P
    r.idr3 |= 1u << 9;                                // STT
    r.idr5 = 6 | (7u << 4) | (1u << 7) | (1u << 10);  // OAS 52, granules, DS, VAX
    m.set(kCd, 34, 32, 6);
  }

  void set_oas(unsigned code) { r.idr5 = (r.idr5 & ~7u) | code; }

  /// Stage 1 by `chain` through TTB0.
  void use_stage1(const Chain& chain, bool ds) {
    m.set(kCd, 5, 0, 64 - chain.input_bits);
    m.set(kCd, 7, 6, tg0_code(chain.granule));
    m.set(kCd, 115, 68, chain.table(chain.start) >> 4);
    m.set(kCd, 186, 186, ds);
  }
  void use_stage1_upper(const Chain& chain) {
    m.set(kCd, 30, 30, 0);
    m.set(kCd, 21, 16, 64 - chain.input_bits);
    m.set(kCd, 23, 22, tg1_code(chain.granule));
    m.set(kCd, 179, 132, chain.table(chain.start) >> 4);
  }
  /// Stage 2 by `chain` with `config` 6 or 7 and the start level code `sl` of three bits.
  void use_stage2(const Chain& chain, unsigned config, unsigned sl, bool ds) {
    m.set(kSte, 3, 1, config);
    m.set(kSte, 165, 160, 64 - chain.input_bits);
    m.set(kSte, 167, 166, sl & 3);
    m.set(kSte, 194, 194, sl >> 2);
    m.set(kSte, 175, 174, tg0_code(chain.granule));
    m.set(kSte, 178, 176, 6);
    m.set(kSte, 179, 179, 1);
    m.set(kSte, 186, 186, 1);
    m.set(kSte, 195, 195, ds);
    m.set(kSte, 243, 196, chain.table(chain.start) >> 4);
  }

  /// The levels of the descriptors of `stage` in the order of their fetch, as "0 1 2 3".
  static std::string levels(const Result& result, unsigned stage) {
    std::string text;
    for (const Fetch& fetch : result.fetch_list) {
      if (fetch.kind != FetchKind::TTD || fetch.stage != stage) continue;
      text += (text.empty() ? "" : " ") + std::to_string(fetch.level);
    }
    return text;
  }
  static std::string levels_from(int start, int last) {
    std::string text;
    for (int level = start; level <= last; ++level) text += (text.empty() ? "" : " ") + std::to_string(level);
    return text;
  }
};

}  // namespace refwalk

#endif  // TESTS_RANDOM_REFERENCE_REFWALK_CHAIN_H_

// SPDX-License-Identifier: MIT
// What the random cases are made of. A backbone that no longer meets a kind of event, a class of stage-2 fault or a
// shape of table would pass without checking it; these tests fail then. They use the reference walker only.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <iostream>
#include <map>
#include <set>

#include "model/spec/decode.h"
#include "tests/random/backbone_compare.h"
#include "tests/random/reference/structures.h"
#include "tests/random/reference/tables.h"

namespace smmusim {
namespace {

using refwalk::Access;
using refwalk::Case;
using refwalk::Outcome;
using refwalk::Result;

constexpr std::uint64_t cases = 5000;

/// Remembers the STE of one translation.
struct SteWatch : refwalk::Memory {
  explicit SteWatch(const refwalk::Memory& memory) : memory_(memory) {}
  bool read(std::uint64_t pa, void* data, std::size_t size) const override {
    const bool good = memory_.read(pa, data, size);
    if (good && size == 64 && !seen) std::memcpy(ste.data(), data, size);
    seen |= size == 64;
    return good;
  }
  const refwalk::Memory& memory_;
  mutable bool seen = false;
  mutable refwalk::Structure ste{};
};

struct Mix {
  std::uint64_t accesses = 0, proceeds = 0, nested = 0, stage1 = 0, stage2 = 0, events = 0, silent = 0;
  std::map<std::string, std::uint64_t> kinds;        // "F_TRANSLATION S2 TT"
  std::map<std::string, std::uint64_t> shapes;       // "16K start 1 concatenated"
  std::map<std::string, std::uint64_t> completions;  // "RW-", "CA with an event"
  std::set<unsigned> oas, configs;
};

std::string kind_of(const Result& result) {
  const EventRecord record = record_of(result);
  const spec::Decoded decoded = spec::decode(spec::Kind::event, record);
  std::string kind(decoded.name);
  const std::uint64_t number = record[0] & 0xff;
  if (number < 0x0b) return kind;
  constexpr const char* classes[] = {"CD", "TT", "IN", "3"};
  return kind + ((record[1] >> 39 & 1) != 0 ? " S2 " : " S1 ") + classes[record[1] >> 40 & 3];
}

void add_shape(const refwalk::Features& features, const refwalk::Structure& words, Mix& mix) {
  const refwalk::Ste ste = refwalk::ste_of(features, words);
  refwalk::TableFormat format{};
  format.granule = refwalk::granule_of_tg0(ste.S2TG);
  format.input_size = 64 - ste.S2T0SZ;
  refwalk::stage2_start_level(features, ste, &format.start_level);
  const bool concatenated = refwalk::start_index_bits(format) > format.granule - 3;
  ++mix.shapes[fmt::format("{}K start {}{}", 1u << (format.granule - 10), format.start_level,
                           concatenated ? " concatenated" : "")];
}

void add(const Case& one, const Access& access, Mix& mix) {
  const SteWatch watch(one.memory);
  const Result result = refwalk::translate(one.registers, watch, access);
  bool first = false;
  bool second = false;
  for (const refwalk::Fetch& fetch : result.fetch_list) {
    first |= fetch.stage == 1;
    second |= fetch.stage == 2;
  }
  ++mix.accesses;
  mix.events += result.event.recorded ? 1 : 0;
  if (result.event.recorded) ++mix.kinds[kind_of(result)];
  if (watch.seen && (watch.ste[0] & 1) != 0) mix.configs.insert(static_cast<unsigned>(watch.ste[0] >> 1 & 7));
  if (second) add_shape(refwalk::features_of(one.registers), watch.ste, mix);
  if (result.outcome != Outcome::Proceed) {
    mix.silent += result.event.recorded ? 0 : 1;
    return;
  }
  ++mix.proceeds;
  mix.nested += first && second ? 1 : 0;
  mix.stage1 += first && !second ? 1 : 0;
  mix.stage2 += second && !first ? 1 : 0;
}

std::string kind_of(const refwalk::Completion& completion) {
  const std::string event = completion.event.recorded ? " with an event" : "";
  if (completion.status == refwalk::CompletionStatus::UnsupportedRequest) return "UR" + event;
  if (completion.status == refwalk::CompletionStatus::CompleterAbort) return "CA" + event;
  return fmt::format("{}{}{}", completion.read ? 'R' : '-', completion.write ? 'W' : '-',
                     completion.execute ? 'X' : '-');
}

const Mix& mix_of_cases() {
  static const Mix mix = [] {
    Mix counted;
    for (std::uint64_t seed = 1; seed <= cases; ++seed) {
      refwalk::CaseOptions options = backbone_options(seed);
      options.corruption = 0;
      options.accesses = 10;
      const Case one = refwalk::generate_case(seed, options);
      counted.oas.insert(refwalk::features_of(one.registers).oas);
      for (const Access& access : one.accesses) add(one, access, counted);
      for (const refwalk::TranslationRequest& request : one.requests) {
        ++counted.completions[kind_of(refwalk::request_translation(one.registers, one.memory, request))];
      }
    }
    return counted;
  }();
  return mix;
}

TEST(BackboneMix, HalfOfTheAccessesFaultOrTranslateThroughTwoStages) {
  const Mix& mix = mix_of_cases();
  std::cout << fmt::format(
      "cases {} accesses {}: proceed {} (nested {}, stage 1 {}, stage 2 {}), events {}, silent {}\n", cases,
      mix.accesses, mix.proceeds, mix.nested, mix.stage1, mix.stage2, mix.events, mix.silent);
  EXPECT_GE(2 * (mix.accesses - mix.proceeds + mix.nested), mix.accesses);
  EXPECT_GE(15 * mix.nested, mix.accesses);
  EXPECT_GE(20 * mix.stage2, mix.accesses);
}

TEST(BackboneMix, EveryEventOccursWithEveryStageAndClass) {
  const Mix& mix = mix_of_cases();
  for (const auto& [kind, count] : mix.kinds) std::cout << fmt::format("  {:28} {}\n", kind, count);
  std::vector<std::string> wanted{"C_BAD_STREAMID",    "F_STE_FETCH", "C_BAD_STE", "F_STREAM_DISABLED",
                                  "C_BAD_SUBSTREAMID", "F_CD_FETCH",  "C_BAD_CD",  "F_WALK_EABT S1 TT"};
  for (const char* name : {"F_TRANSLATION", "F_ADDR_SIZE", "F_ACCESS", "F_PERMISSION"}) {
    wanted.push_back(fmt::format("{} S1 IN", name));
  }
  for (const char* name : {"F_WALK_EABT", "F_TRANSLATION", "F_ADDR_SIZE", "F_ACCESS", "F_PERMISSION"}) {
    for (const char* klass : {"CD", "TT", "IN"}) wanted.push_back(fmt::format("{} S2 {}", name, klass));
  }
  for (const std::string& kind : wanted) EXPECT_GE(mix.kinds.count(kind) != 0 ? mix.kinds.at(kind) : 0, 5u) << kind;
}

TEST(BackboneMix, EveryTranslationCompletionOccurs) {
  const Mix& mix = mix_of_cases();
  for (const auto& [kind, count] : mix.completions) std::cout << fmt::format("  {:28} {}\n", kind, count);
  for (const char* kind :
       {"---", "R--", "RW-", "-W-", "R-X", "RWX", "UR", "UR with an event", "CA", "CA with an event"})
    EXPECT_GE(mix.completions.count(kind) != 0 ? mix.completions.at(kind) : 0, 5u) << kind;
}

TEST(BackboneMix, EveryStartLevelGranuleConfigAndOasOccurs) {
  const Mix& mix = mix_of_cases();
  for (const auto& [shape, count] : mix.shapes) std::cout << fmt::format("  {:28} {}\n", shape, count);
  const auto expect = [&mix](const std::string& shape) { EXPECT_EQ(mix.shapes.count(shape), 1u) << shape; };
  for (const int level : {-1, 0, 1, 2, 3}) expect(fmt::format("4K start {}", level));
  for (const int level : {0, 1, 2, 3}) expect(fmt::format("16K start {}", level));
  for (const int level : {1, 2, 3}) expect(fmt::format("64K start {}", level));
  for (const char* granule : {"4K", "16K", "64K"}) {
    for (const int level : {2, 3}) expect(fmt::format("{} start {} concatenated", granule, level));
  }
  EXPECT_EQ(mix.oas, (std::set<unsigned>{32, 36, 40, 42, 44, 48, 52}));
  for (const unsigned config : {0u, 4u, 5u, 6u, 7u}) EXPECT_EQ(mix.configs.count(config), 1u) << config;
}

}  // namespace
}  // namespace smmusim

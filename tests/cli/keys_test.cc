// SPDX-License-Identifier: MIT
// The key table: every key takes its boundaries and refuses what lies one beyond, what is set can be read back, and
// every member of spec::Features has a key.
#include "platform/config/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

#include "model/spec/features.h"
#include "platform/config/presets.h"
#include "platform/config/value.h"

namespace smmusim {
namespace {

/// One part of each kind, so that every key has something to write to.
struct Parts {
  PlatformConfig platform;
  NamedSmmu smmu;
  EndpointConfig endpoint;
  Subject subject() { return {&platform, &smmu, &endpoint}; }
};

bool refused(const Key& key, const std::string& text) {
  try {
    parse_value(key, text);
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}

class EveryKey : public testing::TestWithParam<std::string> {
 protected:
  const Key& key() const { return *find_key(GetParam()); }
  /// Sets the value and reads it back.
  Value stored(const std::string& text) {
    Parts parts;
    key().set(parts.subject(), parse_value(key(), text));
    return key().get(parts.subject());
  }
};

TEST_P(EveryKey, AcceptsItsSmallestAndLargestInteger) {
  if (key().type != KeyType::integer) return;
  const std::uint64_t smallest = key().legal.empty() ? key().min : key().legal.front();
  const std::uint64_t largest = key().legal.empty() ? key().max : key().legal.back();
  EXPECT_EQ(stored(std::to_string(smallest)), Value(smallest));
  EXPECT_EQ(stored(std::to_string(largest)), Value(largest));
}

TEST_P(EveryKey, RefusesIntegersOneBeyond) {
  if (key().type != KeyType::integer) return;
  const std::uint64_t smallest = key().legal.empty() ? key().min : key().legal.front();
  const std::uint64_t largest = key().legal.empty() ? key().max : key().legal.back();
  EXPECT_TRUE(refused(key(), std::to_string(largest + 1)));
  EXPECT_TRUE(refused(key(), smallest == 0 ? "-1" : std::to_string(smallest - 1)));
}

TEST_P(EveryKey, StoresEachListedValueAndNoOther) {
  for (const Choice& choice : key().choices)
    EXPECT_EQ(stored(std::string(choice.name)), Value(std::string(choice.name)));
  for (const std::uint64_t n : key().legal) {
    EXPECT_FALSE(refused(key(), std::to_string(n)));
    const bool next_is_legal = std::find(key().legal.begin(), key().legal.end(), n + 1) != key().legal.end();
    EXPECT_EQ(refused(key(), std::to_string(n + 1)), !next_is_legal);
  }
  EXPECT_TRUE(key().choices.empty() || refused(key(), "nonsense"));
}

TEST_P(EveryKey, AcceptsAutoOnlyWhereItSaysSo) {
  if (key().type == KeyType::text) return;
  const bool listed = legal_values(key()).find("auto") != std::string::npos;
  EXPECT_EQ(!refused(key(), "auto"), listed);
}

TEST_P(EveryKey, HasADefaultThatIsLegalAndComplete) {
  const Value value = default_value(key());
  EXPECT_TRUE(key().identity || !refused(key(), to_text(value))) << to_text(value);
  EXPECT_FALSE(key().meaning.empty());
  EXPECT_FALSE(key().origin.empty());
}

TEST_P(EveryKey, RefusesAWordWhereNumbersBelong) {
  if (key().type == KeyType::text) return;
  EXPECT_TRUE(refused(key(), "12 monkeys"));
  EXPECT_TRUE(refused(key(), ""));
}

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const Key& key : all_keys()) list.emplace_back(key.name);
  return list;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (c == '.') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Keys, EveryKey, testing::ValuesIn(names()), test_name);

TEST(KeyTable, NamesDiffer) {
  const std::vector<std::string> list = names();
  EXPECT_EQ(std::set<std::string>(list.begin(), list.end()).size(), list.size());
}

TEST(KeyTable, HoldsTheNamesOfTheContract) {
  for (const char* name : {"mode",
                           "preset",
                           "smmu.oas",
                           "smmu.sidsize",
                           "smmu.ssidsize",
                           "smmu.stages",
                           "smmu.granules",
                           "smmu.ril",
                           "smmu.ats",
                           "smmu.accel",
                           "smmu.version",
                           "smmu.pri",
                           "smmu.stall",
                           "smmu.httu",
                           "smmu.msi",
                           "smmu.tbu.micro_tlb_entries",
                           "smmu.tbu.micro_tlb_ways",
                           "smmu.tbu.lookup_cycles",
                           "smmu.tbu.outstanding",
                           "smmu.tbu.cross_4k",
                           "smmu.tcu.tlb_entries",
                           "smmu.tcu.tlb_ways",
                           "smmu.tcu.walkers",
                           "smmu.tcu.clock_mhz",
                           "memory.latency_ns",
                           "memory.bandwidth_gbps",
                           "memory.outstanding",
                           "pcie.generation",
                           "pcie.lanes",
                           "pcie.mps_bytes",
                           "pcie.mrrs_bytes",
                           "pcie.rcb_bytes",
                           "pcie.propagation_ns",
                           "endpoint.name",
                           "endpoint.bdf",
                           "endpoint.ats",
                           "endpoint.ats_capability",
                           "endpoint.host_ats",
                           "endpoint.outstanding",
                           "endpoint.smmu",
                           "host.mode",
                           "host.oas_check",
                           "trace.file",
                           "trace.replay"}) {
    EXPECT_NE(find_key(name), nullptr) << name;
  }
}

TEST(KeyTable, EveryMemberThatARuleNamesHasAKey) {
  for (const spec::FeatureRule& rule : spec::feature_rules()) {
    std::string_view rest = rule.members;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      EXPECT_NO_THROW(key_of_member(rest.substr(0, end))) << rest;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

TEST(KeyTable, EachFeatureKeyChangesItsFeaturesAndNothingElse) {
  for (const Key& key : all_keys()) {
    if (key.members.empty()) continue;
    std::string other = key.type == KeyType::boolean ? (std::get<bool>(default_value(key)) ? "false" : "true") : "";
    for (const Choice& c : key.choices) {
      if (std::string(c.name) != to_text(default_value(key))) other = c.name;
    }
    for (const std::uint64_t n : {key.min, key.max, key.legal.empty() ? 0 : key.legal.back()}) {
      if (key.type == KeyType::integer && Value(n) != default_value(key)) other = std::to_string(n);
    }
    if (key.type == KeyType::integers) other = "16,64";
    Parts parts;
    key.set(parts.subject(), parse_value(key, other));
    EXPECT_NE(parts.smmu.config.features, spec::Features{}) << key.name;
    key.set(parts.subject(), parse_value(key, to_text(default_value(key))));
    EXPECT_EQ(parts.smmu.config.features, spec::Features{}) << key.name;
  }
}

TEST(NearestKey, FindsSlips) {
  const std::pair<const char*, const char*> rows[] = {
      {"smmu.sidsze", "smmu.sidsize"},
      {"smu.oas", "smmu.oas"},
      {"smmu.tcu.tlb_entires", "smmu.tcu.tlb_entries"},
      {"memory.latency", "memory.latency_ns"},
      {"endpoint.outstandig", "endpoint.outstanding"},
      {"mod", "mode"},
  };
  for (const auto& [typed, meant] : rows) EXPECT_EQ(nearest_key(typed).name, meant);
}

TEST(NearestKey, SurvivesAHugeName) {
  EXPECT_FALSE(nearest_key(std::string(1 << 20, 'x')).name.empty());
}

TEST(ParseValue, TakesDecimalAndHexadecimal) {
  EXPECT_EQ(parse_value(*find_key("smmu.tcu.tlb_entries"), "0x100"), Value(std::uint64_t{256}));
  EXPECT_EQ(parse_value(*find_key("smmu.tcu.tlb_entries"), "256"), Value(std::uint64_t{256}));
}

TEST(ParseValue, TakesListsWithAndWithoutBrackets) {
  const Value both(std::vector<std::uint64_t>{4, 16});
  EXPECT_EQ(parse_value(*find_key("smmu.granules"), "4,16"), both);
  EXPECT_EQ(parse_value(*find_key("smmu.granules"), "[4, 16]"), both);
}

TEST(ParseValue, SaysWhatIsLegalAndWhichSectionSaysSo) {
  try {
    parse_value(*find_key("smmu.oas"), "33");
    FAIL() << "33 was accepted";
  } catch (const std::invalid_argument& wrong) {
    EXPECT_STREQ(wrong.what(),
                 "smmu.oas = 33 is not architected; legal are 32, 36, 40, 42, 44, 48, 52, 56 or auto (unit: bit) "
                 "(section 6.3.6)");
  }
}

TEST(SplitValues, LeavesListsWhole) {
  EXPECT_EQ(split_values("[4],[4,16],64"), (std::vector<std::string>{"[4]", "[4,16]", "64"}));
}

TEST(Presets, NameOnlyKeysAndLegalValues) {
  for (const Preset& preset : presets()) {
    for (const PresetValue& value : preset.values) {
      const Key* key = find_key(value.key);
      ASSERT_NE(key, nullptr) << value.key;
      EXPECT_FALSE(refused(*key, std::string(value.value))) << value.key;
      EXPECT_FALSE(value.reason.empty()) << value.key;
    }
  }
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// The feature table cannot lie: it is compared with the keys that set spec::Features, with what the loader refuses
// (supported.h) and with the architecture's own rules (spec::check()).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/spec/features.h"
#include "platform/config/keys.h"
#include "platform/config/supported.h"
#include "platform/conformance/feature_table.h"
#include "platform/conformance/rule_areas.h"

namespace smmusim::conformance {
namespace {

std::vector<std::string> keys_of(const FeatureRow& row) {
  std::vector<std::string> keys;
  std::string word;
  for (const char c : std::string(row.key) + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      keys.push_back(std::exchange(word, ""));
    }
  }
  return keys;
}

/// What a key may be set to, its default apart: every value, or both ends of a range.
std::vector<Value> values_of(const Key& key) {
  std::vector<Value> values;
  if (key.type == KeyType::boolean) values = {true, false};
  for (const Choice& choice : key.choices) values.emplace_back(std::string(choice.name));
  for (const std::uint64_t n : key.legal) {
    values.push_back(key.type == KeyType::integers ? Value(std::vector{n}) : Value(n));
  }
  if (key.type == KeyType::integer && key.legal.empty()) values = {key.min, key.max};
  std::erase(values, default_value(key));
  return values;
}

struct Machine {
  PlatformConfig platform;
  NamedSmmu smmu;
};

Machine machine_with(const Key& key, const Value& value) {
  Machine machine;
  key.set({&machine.platform, &machine.smmu, nullptr}, value);
  return machine;
}

/// This version's loader refuses the machine for this key.
bool unsupported(std::string_view key, const NamedSmmu& smmu) {
  const auto rows = unsupported_of_smmu();
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.key == key && row.asked(smmu); });
}

/// Nobody can have the machine, whatever the reason.
bool impossible(const NamedSmmu& smmu) {
  const auto rows = unsupported_of_smmu();
  return !spec::check(smmu.config.features).empty() ||
         std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.asked(smmu); });
}

TEST(FeatureTable, EveryMemberOfFeaturesHasARow) {
  std::set<std::string> told;
  for (const FeatureRow& row : feature_table()) {
    for (const std::string& key : keys_of(row)) told.insert(key);
  }
  for (const Key& key : all_keys()) {
    EXPECT_TRUE(key.members.empty() || told.contains(std::string(key.name))) << key.name << " has no row";
  }
}

TEST(FeatureTable, KeysExist) {
  for (const FeatureRow& row : feature_table()) {
    for (const std::string& key : keys_of(row)) EXPECT_NE(find_key(key), nullptr) << key;
  }
}

TEST(FeatureTable, WhatIsImplementedIsNotRefused) {
  for (const FeatureRow& row : feature_table()) {
    if (row.status == Status::absent || row.key.empty()) continue;
    const Key& key = *find_key(keys_of(row).front());
    const std::vector<Value> values = values_of(key);
    // A flag that cannot be cleared is there; a flag that cannot be set is not.
    const bool works = key.type == KeyType::boolean
                           ? !unsupported(key.name, machine_with(key, true).smmu)
                           : std::any_of(values.begin(), values.end(), [&](const Value& value) {
                               return !unsupported(key.name, machine_with(key, value).smmu);
                             });
    EXPECT_TRUE(works) << row.name << " is called " << to_string(row.status) << ", and supported.cc refuses "
                       << key.name;
  }
}

TEST(FeatureTable, WhatIsAbsentIsRefused) {
  for (const FeatureRow& row : feature_table()) {
    if (row.status != Status::absent || row.key.empty()) continue;
    const Key& key = *find_key(keys_of(row).front());
    const std::vector<Value> values = values_of(key);
    EXPECT_TRUE(std::any_of(values.begin(), values.end(),
                            [&](const Value& value) { return impossible(machine_with(key, value).smmu); }))
        << row.name << " is called absent, and every value of " << key.name << " is taken";
  }
}

TEST(FeatureTable, WhatIsRefusedIsNotCalledImplemented) {
  for (const auto& refused : unsupported_of_smmu()) {
    const Key* key = find_key(refused.key);
    ASSERT_NE(key, nullptr) << refused.key;
    if (key->members.empty()) continue;  // nothing of the architecture, as smmu.accel
    if (key->type == KeyType::boolean && !refused.asked(machine_with(*key, true).smmu)) continue;  // can't be cleared
    const auto rows = feature_table();
    EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                            [&](const FeatureRow& row) {
                              const auto keys = keys_of(row);
                              return row.status != Status::implemented &&
                                     std::find(keys.begin(), keys.end(), refused.key) != keys.end();
                            }))
        << refused.key << " is refused, and no row with it says that something is missing";
  }
}

TEST(FeatureTable, SaysWhatIsMissing) {
  for (const FeatureRow& row : feature_table()) {
    EXPECT_FALSE(row.name.empty() || row.words.empty());
    EXPECT_LE(row.since, 4u) << row.name;
    EXPECT_NE(row.field.find('.'), std::string_view::npos) << row.field;
    EXPECT_TRUE(row.status == Status::implemented || !row.missing.empty()) << row.name;
  }
}

/// The version that the table names and the one from which spec::check() lets the feature be agree (section 2.9: one
/// version ahead).
TEST(FeatureTable, VersionsAgreeWithTheRulesBetweenIdRegisters) {
  for (const FeatureRow& row : feature_table()) {
    if (row.since < 2 || row.key.empty()) continue;
    const Key& key = *find_key(keys_of(row).front());
    for (const Value& value : values_of(key)) {
      spec::Features features = machine_with(key, value).smmu.config.features;
      const auto complains = [&features](unsigned minor) {
        features.version_minor = minor;
        const auto errors = spec::check(features);
        return std::any_of(errors.begin(), errors.end(),
                           [](const spec::FeatureError& error) { return error.rule == "SM-ID-004"; });
      };
      EXPECT_FALSE(complains(row.since - 1)) << row.name;
      EXPECT_TRUE(value != Value(true) || complains(row.since - 2)) << row.name;
    }
  }
}

TEST(RuleAreas, CountsByOutcome) {
  const auto counts = count_rules(
      R"({"SM-CQ-001": {"status": "pass", "tests": ["A.b"]}, "SM-STL-001": {"status": "fail", "tests": ["A.c"]},
          "SM-STL-002": {"status": "skip", "tests": ["A.d"]}})",
      "# Text\n| rule | reason | until |\n|---|---|---|\n| SM-STL-003 | no stalls | later |\n| SM-CQ-001 | wrong | - "
      "|\n");
  const auto of = [&counts](std::string_view name) {
    return *std::find_if(counts.begin(), counts.end(), [name](const AreaCount& count) { return count.name == name; });
  };
  EXPECT_EQ(of("CQ").passed, 1u);
  EXPECT_EQ(of("CQ").not_applicable, 0u) << "a test names it";
  EXPECT_EQ(of("CQ").untested, 1u);
  EXPECT_EQ(of("STL").failed, 1u);
  EXPECT_EQ(of("STL").skipped, 1u);
  EXPECT_EQ(of("STL").not_applicable, 1u);
  EXPECT_EQ(of("STL").untested, 1u);
  const AreaCount all = total_of(counts);
  EXPECT_EQ(all.rules, 813u);
  EXPECT_EQ(all.untested, 809u);
}

TEST(RuleAreas, RefusesWhatIsNoResult) {
  for (const char* text : {"", "[]", "{", R"({"SM-XX-001": {"status": "pass"}})", R"({"abc": {"status": "pass"}})",
                           R"({"SM-CQ-001": {"status": "maybe"}})", R"({"SM-CQ-001": {}})", R"({"SM-CQ-001": 1})",
                           R"({"SM-CQ-001": {"status": 1}})"}) {
    EXPECT_THROW(count_rules(text, ""), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace smmusim::conformance

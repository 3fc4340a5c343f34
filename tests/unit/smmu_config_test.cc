// SPDX-License-Identifier: MIT
// What an SmmuConfig may not ask for, and that the refusal names it.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "model/smmu/config.h"

namespace smmusim {
namespace {

using spec::Features;

struct Row {
  const char* names;
  void (*change)(Features&);
};

/// A consistent v3.4, to which each row adds what it needs: no row breaks a rule of the architecture.
Features newest() {
  Features f;
  f.version_minor = 4;
  f.s2p = f.hyp = f.had = f.xnx = f.ril = f.fwb = f.e0pd = f.ptwnnc = f.epan = f.mteperm = true;
  f.bbml = 2;
  return f;
}

constexpr Row rows[] = {
    {"ttf_lpae", [](Features& f) { f.ttf_lpae = true; }},
    {"ttf_lpae", [](Features& f) { f.ttf_lpae = true, f.ttf_vmsav8_64 = false, f.oas = 40; }},
    {"s1pi", [](Features& f) { f.s1pi = true; }},
    {"s2pi", [](Features& f) { f.s2pi = true; }},
    {"s2pi s2po", [](Features& f) { f.s2pi = f.s2po = true; }},
    {"s1pi s2pi the", [](Features& f) { f.s1pi = f.s2pi = f.the = true; }},
    {"aie", [](Features& f) { f.aie = true; }},
    {"dpt", [](Features& f) { f.ats = f.dpt = true; }},
    {"d128 s1pi s2pi s2po aie vax",
     [](Features& f) { f.s1pi = f.s2pi = f.s2po = f.aie = f.ds = f.d128 = true, f.oas = f.vax = 56; }},
};

/// The names that a refusal tells, in its order.
std::string named_by(const std::string& text) {
  std::string names;
  for (std::size_t at = text.find("features."); at != std::string::npos; at = text.find("features.", at + 1)) {
    const std::size_t begin = at + 9;
    names += (names.empty() ? "" : " ") + text.substr(begin, text.find(':', begin) - begin);
  }
  return names;
}

TEST(SmmuConfig, WhatNoWalkHasIsRefusedByName) {
  SmmuConfig config;
  config.features = newest();
  ASSERT_NO_THROW(require_valid(config));
  for (const Row& row : rows) {
    SCOPED_TRACE(row.names);
    config.features = newest();
    row.change(config.features);
    ASSERT_TRUE(spec::check(config.features).empty()) << spec::check(config.features)[0].sentence;
    try {
      require_valid(config);
      ADD_FAILURE() << "accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(named_by(error.what()), row.names) << error.what();
    }
  }
}

}  // namespace
}  // namespace smmusim

// SPDX-License-Identifier: MIT
// Checks a configuration as a whole and reports everything that is wrong with it at once.
#include "model/smmu/config.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

namespace smmusim {

using spec::Features;

namespace {

void check_cache(const char* name, const CacheConfig& cache, std::string& errors) {
  if (cache.entries == 0) return;
  const bool divides = cache.ways != 0 && cache.entries % cache.ways == 0;
  if (!divides || !std::has_single_bit(cache.entries / cache.ways)) {
    errors += std::string(name) + ": entries / ways is not a power of two; give entries as ways times a power of two\n";
  }
}

void check_number(const char* name, unsigned value, unsigned least, unsigned most, std::string& errors) {
  if (value >= least && value <= most) return;
  errors += std::string(name) + " is " + std::to_string(value) + "; it is " + std::to_string(least) + " to " +
            std::to_string(most) + "\n";
}

/// A feature that changes what a walk reads or what it permits, and that no walk here has.
struct WalkFeature {
  const char* name;
  const char* what;
  bool Features::*member;
};
constexpr WalkFeature not_walked[] = {
    {"ttf_lpae", "VMSAv8-32 LPAE tables", &Features::ttf_lpae},
    {"d128", "tables of 128-bit descriptors", &Features::d128},
    {"s1pi", "indirect permissions of stage 1", &Features::s1pi},
    {"s2pi", "indirect permissions of stage 2", &Features::s2pi},
    {"s2po", "permission overlays of stage 2", &Features::s2po},
    {"the", "translation hardening", &Features::the},
    {"aie", "attribute indexes of four bits", &Features::aie},
    {"dpt", "the Device Permission Table", &Features::dpt},
};
constexpr unsigned vax_max = 52;

}  // namespace

std::string not_modelled(const Features& features) {
  std::string errors;
  const auto add = [&](const char* name, const char* what, const char* instead) {
    errors += std::string("features.") + name + ": no walk has " + what + "; " + instead + "\n";
  };
  for (const WalkFeature& row : not_walked) {
    if (features.*row.member) add(row.name, row.what, "clear it");
  }
  if (features.vax > vax_max) add("vax", "input addresses of more than 52 bits", "set 48 or 52");
  return errors;
}

Features without_not_modelled(Features features) {
  for (const WalkFeature& row : not_walked) features.*row.member = false;
  features.vax = std::min(features.vax, vax_max);
  return features;
}

void require_valid(const SmmuConfig& config) {
  std::string errors;
  for (const auto& error : spec::check(config.features)) errors += std::string(error.sentence) + "\n";
  errors += not_modelled(config.features);
  check_cache("tbu.micro_tlb", config.tbu.micro_tlb, errors);
  check_cache("tbu.stream_cache", config.tbu.stream_cache, errors);
  check_cache("tcu.tlb", config.tcu.tlb, errors);
  check_cache("tcu.walk_cache", config.tcu.walk_cache, errors);
  check_cache("tcu.ipa_cache", config.tcu.ipa_cache, errors);
  check_cache("tcu.config_cache", config.tcu.config_cache, errors);
  check_number("tbus", config.tbus, 1, 64, errors);
  check_number("tbu.translation_slots", config.tbu.translation_slots, 1, 1u << 16, errors);
  check_number("tbu.outstanding", config.tbu.outstanding, 1, 1u << 16, errors);
  check_number("tcu.walkers", config.tcu.walkers, 1, 1u << 12, errors);
  check_number("tcu.event_buffer", config.tcu.event_buffer, 1, 1u << 12, errors);
  check_number("tcu.atc_invalidations", config.tcu.atc_invalidations, 1, 32, errors);
  check_number("tcu.atc_inv_timeout_us", config.tcu.atc_inv_timeout_us, 1, 100'000'000, errors);
  check_number("tcu.clock_mhz", config.tcu.clock_mhz, 1, 10'000, errors);
  if (!errors.empty()) throw std::invalid_argument(errors);
}

}  // namespace smmusim

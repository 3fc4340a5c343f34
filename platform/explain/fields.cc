// SPDX-License-Identifier: MIT
// The tables of names, in the order of the structures.
#include "platform/explain/fields.h"

#include <algorithm>
#include <string_view>

#include "model/spec/cd.h"
#include "model/spec/ste.h"

namespace smmusim::explain {
namespace {

using spec::DecodedField;
using spec::Kind;

/// When a field matters.
enum class For : unsigned { all, stage1, stage2, substreams, bypass, half0, half1 };

struct Choice {
  std::string_view name;
  For use;
  bool also_zero;  ///< shown also if it is zero
};

constexpr Choice ste_choices[] = {
    {"V", For::all, true},
    {"Config", For::all, true},
    {"S1Fmt", For::substreams, true},
    {"S1ContextPtr", For::stage1, true},
    {"S1CDMax", For::stage1, true},
    {"S1DSS", For::substreams, true},
    {"S1PIE", For::stage1, false},
    {"S2FWB", For::stage2, false},
    {"S1STALLD", For::stage1, false},
    {"EATS", For::all, false},
    {"STRW", For::stage1, false},
    {"MemAttr", For::bypass, false},
    {"MTCFG", For::bypass, false},
    {"ALLOCCFG", For::bypass, false},
    {"SHCFG", For::bypass, true},
    {"NSCFG", For::all, false},
    {"PRIVCFG", For::all, false},
    {"INSTCFG", For::all, false},
    {"S2VMID", For::stage2, true},
    {"S2T0SZ", For::stage2, true},
    {"S2SL0", For::stage2, true},
    {"S2TG", For::stage2, true},
    {"S2PS", For::stage2, true},
    {"S2AA64", For::stage2, true},
    {"S2ENDI", For::stage2, false},
    {"S2AFFD", For::stage2, false},
    {"S2PTW", For::stage2, false},
    {"S2HD", For::stage2, false},
    {"S2HA", For::stage2, false},
    {"S2S", For::stage2, false},
    {"S2R", For::stage2, true},
    {"S2PIE", For::stage2, false},
    {"S2POE", For::stage2, false},
    {"S2SL0_2", For::stage2, false},
    {"S2DS", For::stage2, false},
    {"S2TTB", For::stage2, true},
};

constexpr Choice cd_choices[] = {
    {"V", For::all, true},       {"T0SZ", For::half0, true},  {"TG0", For::half0, true},    {"EPD0", For::half0, false},
    {"T1SZ", For::half1, true},  {"TG1", For::half1, true},   {"EPD1", For::half1, false},  {"ENDI", For::all, false},
    {"IPS", For::all, true},     {"AFFD", For::all, false},   {"WXN", For::all, false},     {"TBI0", For::half0, false},
    {"TBI1", For::half1, false}, {"PAN", For::all, false},    {"AA64", For::all, true},     {"HD", For::all, false},
    {"HA", For::all, false},     {"S", For::all, false},      {"R", For::all, true},        {"A", For::all, true},
    {"ASID", For::all, true},    {"HAD0", For::half0, false}, {"E0PD0", For::half0, false}, {"TTB0", For::half0, true},
    {"EPAN", For::all, false},   {"HAD1", For::half1, false}, {"E0PD1", For::half1, false}, {"TTB1", For::half1, true},
    {"DS", For::all, false},     {"PIE", For::all, false},    {"MAIR0", For::all, true},    {"MAIR1", For::all, false},
};

constexpr Choice table_choices[] = {
    {"PXNTable", For::all, false}, {"XNTable", For::all, false}, {"APTable", For::all, false}};
constexpr Choice s1_leaf_choices[] = {
    {"AttrIndx", For::all, true}, {"NS", For::all, false}, {"AP", For::all, true},   {"SH", For::all, true},
    {"AF", For::all, true},       {"nG", For::all, true},  {"DBM", For::all, false}, {"Contiguous", For::all, false},
    {"PXN", For::all, false},     {"UXN", For::all, false}};
constexpr Choice s2_leaf_choices[] = {
    {"MemAttr", For::all, true}, {"S2AP", For::all, true},        {"SH", For::all, true}, {"AF", For::all, true},
    {"DBM", For::all, false},    {"Contiguous", For::all, false}, {"XN", For::all, true}};

template <class Matters>
std::vector<DecodedField> chosen(Kind kind, Words words, std::span<const Choice> choices, Matters matters) {
  std::vector<DecodedField> fields = spec::decode(kind, words).fields;
  const auto dropped = [&](const DecodedField& field) {
    const auto* const choice = std::find_if(choices.data(), choices.data() + choices.size(),
                                            [&](const Choice& c) { return c.name == field.name; });
    if (choice == choices.data() + choices.size() || !matters(choice->use)) return true;
    return field.value == 0 && !choice->also_zero;
  };
  fields.erase(std::remove_if(fields.begin(), fields.end(), dropped), fields.end());
  return fields;
}

std::vector<DecodedField> of_descriptor(std::uint64_t word, unsigned stage, std::span<const Choice> choices) {
  return chosen(stage == 1 ? Kind::pte_s1 : Kind::pte_s2, Words(&word, 1), choices, [](For) { return true; });
}

}  // namespace

std::vector<DecodedField> ste_fields(Words words) {
  const auto config = spec::Ste::Config::get(words[spec::Ste::Config::word]);
  const bool valid = spec::Ste::V::get(words[spec::Ste::V::word]);
  return chosen(Kind::ste, words, ste_choices, [&](For use) {
    if (use == For::all) return true;
    if (!valid || spec::aborts(config)) return false;
    if (use == For::stage1) return spec::has_stage1(config);
    if (use == For::substreams) return spec::has_stage1(config) && spec::Ste::S1CDMax::get(words[0]) != 0;
    if (use == For::stage2) return spec::has_stage2(config);
    return config == spec::SteConfig::bypass;
  });
}

std::vector<DecodedField> cd_fields(Words words, unsigned half) {
  return chosen(Kind::cd, words, cd_choices,
                [half](For use) { return use == For::all || use == (half == 0 ? For::half0 : For::half1); });
}

std::vector<DecodedField> table_fields(std::uint64_t word, unsigned stage) {
  return stage == 1 ? of_descriptor(word, stage, table_choices) : std::vector<DecodedField>{};
}

std::vector<DecodedField> leaf_fields(std::uint64_t word, unsigned stage) {
  return of_descriptor(word, stage, stage == 1 ? std::span<const Choice>(s1_leaf_choices) : s2_leaf_choices);
}

std::vector<DecodedField> set_fields(Kind kind, Words words) {
  std::vector<DecodedField> fields = spec::decode(kind, words).fields;
  fields.erase(
      std::remove_if(fields.begin() + 1, fields.end(), [](const DecodedField& field) { return field.value == 0; }),
      fields.end());
  return fields;
}

}  // namespace smmusim::explain

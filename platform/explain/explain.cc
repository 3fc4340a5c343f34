// SPDX-License-Identifier: MIT
// tell(): an SMMU, an observer, one access; and what the reader must know of what this version does not model.
#include "platform/explain/explain.h"

#include <algorithm>

#include "model/spec/registers.h"
#include "platform/config/supported.h"
#include "platform/explain/storyteller.h"

namespace smmusim::explain {
namespace {

/// Keys of features that change what an untranslated access meets. The rest of the unsupported ones do not.
constexpr std::string_view told_features[] = {"smmu.dpt",  "smmu.s1pi",         "smmu.s2pi", "smmu.s2po",
                                              "smmu.the",  "smmu.mteperm",      "smmu.aie",  "smmu.ttf_lpae",
                                              "smmu.d128", "smmu.ttf_vmsav8_64"};

/// As the registers tell it, before RegisterDump::features() leaves anything out.
spec::Features advertised(const spec::Features& features, const RegisterDump& registers) {
  spec::IdRegisters ids = spec::id_registers(features);
  const auto take = [&](std::uint32_t offset, std::uint32_t& word) {
    if (const auto value = registers.get(offset)) word = static_cast<std::uint32_t>(*value);
  };
  take(spec::reg::IDR0, ids.idr[0]);
  take(spec::reg::IDR3, ids.idr[3]);
  take(spec::reg::IDR5, ids.idr[5]);
  return spec::features_from(ids);
}

}  // namespace

std::string missing_features(const spec::Features& features, const RegisterDump& registers) {
  NamedSmmu smmu;
  smmu.config.features = advertised(features, registers);
  std::string names;
  for (const UnsupportedRow<NamedSmmu>& row : unsupported_of_smmu()) {
    const bool told = std::find(std::begin(told_features), std::end(told_features), row.key) != std::end(told_features);
    if (!told || !row.asked(smmu)) continue;
    names += (names.empty() ? "" : ", ") + std::string(row.key.substr(row.key.find('.') + 1));
  }
  if (names.empty()) return names;
  return "the SMMU has features that this version does not model: " + names +
         "; where the translation depends on them, the story is that of an SMMU without them";
}

Story tell(const SmmuConfig& config, const RegisterDump& registers, MemoryPort& memory, const Transaction& transaction,
           std::vector<std::string> notes) {
  const spec::Features features = registers.features(config.features);
  const SmmuConfig explaining = explaining_config(config, features);
  Storyteller teller;
  UntimedSmmu smmu(explaining, registers, memory, &teller);
  teller.begin(explaining, transaction);
  Story story = teller.end(smmu.translate(transaction));
  const std::string missing = missing_features(features, registers);
  if (!missing.empty()) notes.push_back(missing);
  const std::uint64_t cr0 = registers.get(spec::reg::CR0).value_or(0);
  if (story.event && story.event->recorded && !spec::CR0::EVENTQEN::get(cr0)) {
    notes.push_back("CR0.EVENTQEN is 0: the event below finds no queue (section 7.2)");
  }
  story.notes = std::move(notes);
  return story;
}

}  // namespace smmusim::explain

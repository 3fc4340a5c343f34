// SPDX-License-Identifier: MIT
// Event records, observations and cases as text, for --show and for mismatches.
#include <fmt/format.h>

#include "model/spec/decode.h"
#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/compare.h"
#include "tests/peer/qemu/scenario.h"
#include "tests/peer/qemu/show.h"

namespace smmusim::peer {
namespace {

std::string fields_of(spec::Kind kind, const std::uint64_t* words) {
  const spec::Decoded decoded = spec::decode(kind, {words, spec::words_of(kind)});
  std::string text = decoded.name;
  for (const spec::DecodedField& field : decoded.fields) {
    if (field.value != 0) text += fmt::format(" {}={:#x}", field.name, field.value);
  }
  return text;
}

}  // namespace

std::string text_of(const EventRecord& record) {
  return fields_of(spec::Kind::event, record.data()) + fmt::format(" [{:#018x}]", fmt::join(record, " "));
}

std::string text_of(const Observation& seen) {
  if (seen.died) return "stopped";
  std::string text = seen.landed ? "lands" : "does not land";
  if (seen.address_known) text += fmt::format(", address {:#x}", seen.address);
  if (!seen.read.empty()) text += fmt::format(", read {:02x}", fmt::join(seen.read, " "));
  for (const EventRecord& record : seen.events) text += "\n    " + text_of(record);
  return text;
}

std::string text_of(const Case& one) {
  std::string text = fmt::format(
      "stages {}, SMMUEN {}, CR2 {:#x}, GBPA {:#x}, STRTAB_BASE {:#x}, "
      "STRTAB_BASE_CFG {:#x}\n",
      stages_names[static_cast<unsigned>(one.stages)], one.enabled ? 1 : 0, one.cr2, one.gbpa, one.strtab_base,
      one.strtab_base_cfg);
  text += fmt::format("{} of {} bytes at {:#x} by StreamID {:#x}\n", one.access.write ? "write" : "read",
                      one.access.bytes, one.access.address, one.access.sid);
  for (const std::string& note : one.notes) text += "mutation: " + note + "\n";
  for (const auto& [address, word] : one.words) {
    if (word != 0) text += fmt::format("{:#x}: {:#018x}\n", address, word);
  }
  return text;
}

std::string text_of(const Step& step) {
  constexpr const char* verbs[] = {"access", "store", "submit", "write", "acknowledge", "repair", "withdraw", "drain"};
  std::string text = verbs[static_cast<unsigned>(step.what)];
  if (step.what == Do::access) {
    text += fmt::format(": {} of {} bytes at {:#x} by StreamID {:#x}{}", step.access.write ? "write" : "read",
                        step.access.bytes, step.access.address, step.access.sid,
                        step.definite ? "" : ", between change and invalidation");
  }
  for (const auto& [address, word] : step.stores) text += fmt::format(" {:#x}: {:#018x}", address, word);
  for (const spec::Command& command : step.commands)
    text += "\n    " + fields_of(spec::Kind::command, command.dw.data());
  if (step.what == Do::write) text += fmt::format(" {:#x} to register {:#x}", step.value, step.offset);
  if (step.what == Do::drain) text += fmt::format(" {}", step.count);
  return text;
}

std::string text_of(const Scenario& scenario) {
  std::string text = text_of(scenario.image);
  text += fmt::format("{}: CMDQ 2^{} entries from index {:#x}, EVENTQ 2^{} from {:#x}\n",
                      kind_names[static_cast<unsigned>(scenario.kind)], scenario.cmdq_log2, scenario.cmdq_index,
                      scenario.eventq_log2, scenario.eventq_index);
  for (std::size_t i = 0; i < scenario.steps.size(); ++i)
    text += fmt::format("step {}: {}\n", i, text_of(scenario.steps[i]));
  return text;
}

}  // namespace smmusim::peer

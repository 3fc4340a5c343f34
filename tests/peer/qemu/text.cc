// SPDX-License-Identifier: MIT
// Event records, observations and cases as text, for --show and for mismatches.
#include <fmt/format.h>

#include "model/spec/decode.h"
#include "tests/peer/qemu/case.h"
#include "tests/peer/qemu/compare.h"
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

}  // namespace smmusim::peer

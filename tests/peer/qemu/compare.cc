// SPDX-License-Identifier: MIT
// See compare.h. The event queue's page is compared as records; QEMU's scratch
// page belongs to the harness.
#include "tests/peer/qemu/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "model/spec/decode.h"
#include "model/spec/event.h"
#include "tests/peer/qemu/facts.h"

namespace smmusim::peer {
namespace {

std::set<std::uint64_t> pages_of(const Case& one, const Observation& model) {
  std::set<std::uint64_t> pages;
  for (const auto& [address, word] : one.words) pages.insert(address & ~std::uint64_t{0xfff});
  if (model.address_known) pages.insert(model.address & ~std::uint64_t{0xfff});
  return pages;
}

std::string memory_difference(std::uint64_t page, const Ram& model, const Ram& qemu) {
  for (std::uint64_t at = page; at < page + 0x1000; at += 8) {
    if (model.load(at) != qemu.load(at)) {
      return fmt::format("memory at {:#x}: model {:#018x}, QEMU {:#018x}", at, model.load(at), qemu.load(at));
    }
  }
  return "";
}

void compare_events(const Sides& sides, const EventRecord& ignored, std::vector<std::string>& out) {
  const std::vector<EventRecord>& model = sides.model.events;
  const std::vector<EventRecord>& qemu = sides.qemu.events;
  if (model.size() != qemu.size()) out.push_back(fmt::format("events: model {}, QEMU {}", model.size(), qemu.size()));
  for (std::size_t i = 0; i < std::min(model.size(), qemu.size()); ++i) {
    const EventRecord mask = event_mask(model[i]);
    for (std::size_t word = 0; word < 4; ++word) {
      const std::uint64_t differs = (model[i][word] ^ qemu[i][word]) & mask[word] & ~ignored[word];
      if (differs == 0) continue;
      out.push_back(fmt::format("event {} word {}: model {:#018x}, QEMU {:#018x}, differ in {:#x}", i, word,
                                model[i][word], qemu[i][word], differs));
    }
  }
}

/// What is masked in the comparison has to be 0 in a record of the model.
void check_reserved(const Observation& model, std::vector<std::string>& out) {
  for (const EventRecord& record : model.events) {
    const spec::Decoded decoded = spec::decode(spec::Kind::event, record);
    for (const unsigned bit : decoded.reserved_bits_set) {
      out.push_back(fmt::format("the model sets reserved bit {} of {}", bit, decoded.name));
    }
  }
}

}  // namespace

EventRecord event_mask(const EventRecord& record) {
  EventRecord mask;
  mask.fill(~std::uint64_t{0});
  switch (static_cast<spec::EventType>(record[0] & 0xff)) {
    case spec::EventType::F_STE_FETCH:
    case spec::EventType::F_CD_FETCH:
    case spec::EventType::F_WALK_EABT:
      // Sections 7.3.4, 7.3.10, 7.3.12: FetchAddr[51:OAS] is UNKNOWN in v3.1.
      mask[3] &= low_mask(oas_bits);
      break;
    case spec::EventType::F_TRANSLATION:
    case spec::EventType::F_ADDR_SIZE:
    case spec::EventType::F_ACCESS:
    case spec::EventType::F_PERMISSION:
      // The field is IPA[51:12]; below it QEMU leaves IPA[11:0] where the record has RES0.
      mask[3] &= ~low_mask(12);
      break;
    default:
      break;
  }
  return mask;
}

std::vector<std::string> differences(const Sides& sides, const EventRecord& ignored) {
  const auto& [one, model, qemu, model_ram, qemu_ram] = sides;
  std::vector<std::string> out;
  check_reserved(model, out);
  if (qemu.died) return {"QEMU stopped"};
  if (one.access.write && model.landed != qemu.landed) {
    out.push_back(fmt::format("the write: model {}, QEMU {}", model.landed ? "lands" : "does not land",
                              qemu.landed ? "lands" : "does not land"));
  }
  for (const std::uint64_t page : pages_of(one, model)) {
    if (!Ram::contains(page, 0x1000)) continue;
    if (std::memcmp(model_ram.at(page), qemu_ram.at(page), 0x1000) == 0) continue;
    out.push_back(memory_difference(page, model_ram, qemu_ram));
  }
  if (!one.access.write && model.read != qemu.read) {
    out.push_back(
        fmt::format("read: model {:02x}, QEMU {:02x}", fmt::join(model.read, " "), fmt::join(qemu.read, " ")));
  }
  compare_events(sides, ignored, out);
  if (model.gerror != qemu.gerror) {
    out.push_back(fmt::format("GERROR: model {:#x}, QEMU {:#x}", model.gerror, qemu.gerror));
  }
  return out;
}

}  // namespace smmusim::peer

// SPDX-License-Identifier: MIT
// World; 4 KiB granules, 39 bits of address in both stages, so both walks have the levels 1 to 3.
#include "tests/cli/explain_world.h"

#include <fmt/format.h>

namespace smmusim::test {
namespace {

constexpr unsigned txsz = 25;
constexpr std::uint64_t table_bits = 3;
constexpr std::uint64_t stage1_page = 0xf43;  // AF, inner shareable, AP = RW-all, nG, AttrIndx 0
constexpr std::uint64_t stage2_page = 0x7ff;  // AF, inner shareable, S2AP = RW, MemAttr = Normal WB

std::uint64_t index_of(std::uint64_t address, int level) {
  return address >> (12 + 9 * (3 - level)) & 0x1ff;
}

}  // namespace

World::World() {
  features.s2p = true;
  features.xnx = true;
  features.vmid16 = true;
  features.cd2l = true;
  features.ssidsize = 8;
  features.oas = 44;
  features.ttendian = spec::Ttendian::mixed;
  registers = {{"CR0", 5}, {"CR2", 2}, {"STRTAB_BASE", stream_table}, {"STRTAB_BASE_CFG", 8}};
  using spec::Ste;
  ste.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::nested).set<Ste::S1ContextPtr>(contexts);
  ste.set<Ste::S2VMID>(7).set<Ste::S2T0SZ>(txsz).set<Ste::S2SL0>(1).set<Ste::S2PS>(4).set<Ste::S2AA64>(true);
  ste.set<Ste::S2R>(true).set<Ste::S2TTB>(stage2_root).set<Ste::SHCFG>(1);
  using spec::Cd;
  cd.set<Cd::V>(true).set<Cd::T0SZ>(txsz).set<Cd::EPD1>(true).set<Cd::IPS>(4).set<Cd::AA64>(true).set<Cd::A>(true);
  cd.set<Cd::R>(true).set<Cd::ASID>(0x11).set<Cd::TTB0>(stage1_root).set<Cd::MAIR0>(0xff);
  for (const std::uint64_t ipa : {contexts, stage1_root, stage1_root + 0x1000, stage1_root + 0x2000, page})
    map_stage2(ipa);
  for (int level = 1; level != 3; ++level) {
    put(stage1_descriptor(level), (stage1_root + 0x1000 * static_cast<std::uint64_t>(level)) | table_bits);
  }
  put(stage1_descriptor(3), page | stage1_page);
  write();
}

void World::write() {
  const bool nested = spec::has_stage2(ste.get<spec::Ste::Config>());
  for (std::size_t i = 0; i != 8; ++i) {
    put(stream_table + 64 * sid + 8 * i, ste.dw[i]);
    put(ste.get<spec::Ste::S1ContextPtr>() + (nested ? offset : 0) + 8 * i, cd.dw[i]);
  }
}

std::uint64_t World::stage1_descriptor(int level) const {
  return stage1_root + offset + 0x1000 * static_cast<std::uint64_t>(level - 1) + 8 * index_of(va, level);
}

std::uint64_t World::stage2_descriptor(std::uint64_t ipa, int level) const {
  std::uint64_t base = stage2_root;
  for (int above = 1; above != level; ++above) base = get(base + 8 * index_of(ipa, above)) & ~std::uint64_t{0xfff};
  return base + 8 * index_of(ipa, level);
}

void World::map_stage2(std::uint64_t ipa) {
  std::uint64_t base = stage2_root;
  for (int level = 1; level != 3; ++level) {
    std::uint64_t& entry = words_[base + 8 * index_of(ipa, level)];
    if (entry == 0) {
      entry = stage2_next_ | table_bits;
      stage2_next_ += 0x1000;
    }
    base = entry & ~std::uint64_t{0xfff};
  }
  put(base + 8 * index_of(ipa, 3), (ipa + offset) | stage2_page);
}

void World::without_stage2() {
  ste.set<spec::Ste::Config>(spec::SteConfig::stage1).set<spec::Ste::S1ContextPtr>(contexts + offset);
  cd.set<spec::Cd::TTB0>(stage1_root + offset);
  for (int level = 1; level != 3; ++level) put(stage1_descriptor(level), get(stage1_descriptor(level)) + offset);
  write();
}

Transaction World::access() {
  Transaction t;
  t.stream_id = StreamId(sid);
  t.address = Va(va);
  return t;
}

explain::Story World::tell(const Transaction& transaction) {
  explain::ImageMemory memory(strict);
  for (const auto& [address, word] : words_) memory.put_word(address, word);
  // A structure is there as a whole.
  explain::RegisterDump dump;
  for (const auto& [name, value] : registers) dump.set(name, value);
  SmmuConfig config;
  config.features = features;
  config.frame_bytes = 0;
  return explain::tell(config, dump, memory, transaction);
}

std::string World::registers_text() const {
  const spec::IdRegisters ids = spec::id_registers(features);
  std::string text = "# a made-up dump\n";
  for (const int n : {0, 1, 2, 3, 5}) text += fmt::format("IDR{} = 0x{:x}\n", n, ids.idr[n]);
  text += fmt::format("0x1c = 0x{:x}   # AIDR\n", ids.aidr);
  for (const auto& [name, value] : registers) text += fmt::format("{} = 0x{:x}\n", name, value);
  return text;
}

std::string World::pages_text() const {
  const auto append = [](std::string& text, std::uint64_t word) {
    for (unsigned i = 0; i != 8; ++i) text += static_cast<char>(word >> (8 * i) & 0xff);
  };
  std::map<std::uint64_t, std::map<std::uint64_t, std::uint64_t>> pages;
  for (const auto& [address, word] : words_) pages[address & ~std::uint64_t{0xfff}][address] = word;
  std::string text;
  for (const auto& [base, words] : pages) {
    append(text, base);
    for (std::uint64_t at = base; at != base + 0x1000; at += 8) append(text, words.contains(at) ? words.at(at) : 0);
  }
  return text;
}

}  // namespace smmusim::test

// SPDX-License-Identifier: MIT
// Stream tables, CD tables and their entries; see the header.
#include "platform/driver/table_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "model/spec/l1.h"
#include "model/spec/registers.h"

namespace smmusim {
namespace {

using spec::Cd;
using spec::L1cd;
using spec::L1std;
using spec::Ste;

/// Doubleword 0 last: the SMMU fetches doublewords in any order until it is told otherwise.
template <class Structure>
void write_structure(SparseMemory& memory, Pa address, const Structure& value) {
  for (std::size_t i = Structure::size_dw; i-- != 0;) memory.store64(address + i * 8, value.dw[i]);
}

template <class Structure>
Structure read_structure(SparseMemory& memory, Pa address) {
  Structure value;
  for (std::size_t i = 0; i != Structure::size_dw; ++i) value.dw[i] = memory.load64(address + i * 8);
  return value;
}

constexpr unsigned fetch_write_back = 1;  // S1CIR, S1COR, IR0, OR0: write-back, read-allocate

spec::Tg0 granule_code(const Geometry& geometry) {
  switch (geometry.granule_bits) {
    case 14:
      return spec::Tg0::kib16;
    case 16:
      return spec::Tg0::kib64;
    default:
      return spec::Tg0::kib4;
  }
}

}  // namespace

StreamTable StreamTable::linear(SparseMemory& memory, PageAllocator& pages, unsigned log2_streams) {
  const std::uint64_t bytes = std::uint64_t{Ste::size_bytes} << log2_streams;
  StreamTable table(memory, pages, log2_streams, 0, pages.allocate(bytes, bytes));
  table.fill_aborting(table.base_, std::uint64_t{1} << log2_streams);
  return table;
}

StreamTable StreamTable::two_level(SparseMemory& memory, PageAllocator& pages, unsigned log2_streams, unsigned split) {
  if ((split != 6 && split != 8 && split != 10) || split >= log2_streams) {
    throw std::invalid_argument(
        fmt::format("a two-level stream table for 2^{} streams can't have SPLIT {}; it must be 6, 8 or 10 and less "
                    "than the size (section 6.3.25)",
                    log2_streams, split));
  }
  const std::uint64_t bytes = std::uint64_t{L1std::size_bytes} << (log2_streams - split);
  const std::uint64_t alignment = bytes < 64 ? 64 : bytes;
  return {memory, pages, log2_streams, split, pages.allocate(bytes, alignment)};
}

std::uint64_t StreamTable::base_register() const {
  spec::STRTAB_BASE base;
  return base.set<spec::STRTAB_BASE::ADDR>(base_.value).set<spec::STRTAB_BASE::RA>(true).dw[0];
}

std::uint32_t StreamTable::base_cfg_register() const {
  spec::STRTAB_BASE_CFG cfg;
  cfg.set<spec::STRTAB_BASE_CFG::LOG2SIZE>(log2_streams_);
  if (split_ != 0) cfg.set<spec::STRTAB_BASE_CFG::SPLIT>(split_).set<spec::STRTAB_BASE_CFG::FMT>(1);
  return static_cast<std::uint32_t>(cfg.dw[0]);
}

void StreamTable::fill_aborting(Pa first, std::uint64_t count) {
  const Ste ste = make_abort_ste();
  for (std::uint64_t i = 0; i != count; ++i) memory_->store64(first + i * Ste::size_bytes, ste.dw[0]);
}

Pa StreamTable::make_second_level(StreamId stream) {
  const std::uint64_t bytes = std::uint64_t{Ste::size_bytes} << split_;
  const Pa second = pages_->allocate(bytes, bytes);
  fill_aborting(second, std::uint64_t{1} << split_);
  L1std entry;
  entry.set<L1std::Span>(split_ + 1).set<L1std::L2Ptr>(second.value);
  memory_->store64(base_ + std::uint64_t{stream.value >> split_} * L1std::size_bytes, entry.dw[0]);
  return second;
}

Pa StreamTable::address_of(StreamId stream) const {
  if (!fits(stream.value, log2_streams_)) {
    throw std::invalid_argument(
        fmt::format("StreamID 0x{:x} is beyond the stream table; it must be below 2^{}", stream.value, log2_streams_));
  }
  if (split_ == 0) return base_ + std::uint64_t{stream.value} * Ste::size_bytes;
  const L1std entry =
      read_structure<L1std>(*memory_, base_ + std::uint64_t{stream.value >> split_} * L1std::size_bytes);
  if (entry.get<L1std::Span>() == 0) return Pa(0);
  return Pa(entry.get<L1std::L2Ptr>()) + (stream.value & low_mask(split_)) * Ste::size_bytes;
}

void StreamTable::write(StreamId stream, const Ste& ste) {
  Pa address = address_of(stream);
  if (address == Pa(0)) address = make_second_level(stream) + (stream.value & low_mask(split_)) * Ste::size_bytes;
  write_structure(*memory_, address, ste);
}

Ste StreamTable::read(StreamId stream) const {
  const Pa address = address_of(stream);
  return address == Pa(0) ? Ste{} : read_structure<Ste>(*memory_, address);
}

ContextTable::ContextTable(SparseMemory& memory, PageAllocator& pages, unsigned log2_contexts, spec::S1Format format)
    : memory_(&memory), pages_(&pages), log2_contexts_(log2_contexts), format_(format), base_{} {
  const unsigned log2_first = split() == 0 ? log2_contexts : log2_contexts - std::min(log2_contexts, split());
  const std::uint64_t bytes = std::uint64_t{split() == 0 ? Cd::size_bytes : L1cd::size_bytes} << log2_first;
  base_ = pages.allocate(bytes, std::max<std::uint64_t>(bytes, Cd::size_bytes));
}

unsigned ContextTable::split() const {
  constexpr unsigned in_4k = 6, in_64k = 10;
  if (format_ == spec::S1Format::two_level_4k) return in_4k;
  return format_ == spec::S1Format::two_level_64k ? in_64k : 0;
}

Pa ContextTable::address_of(std::uint32_t index) const {
  if (split() == 0) return base_ + std::uint64_t{index} * Cd::size_bytes;
  const L1cd entry = read_structure<L1cd>(*memory_, base_ + std::uint64_t{index >> split()} * L1cd::size_bytes);
  if (!entry.get<L1cd::V>()) return Pa(0);
  return Pa(entry.get<L1cd::L2Ptr>()) + (index & low_mask(split())) * Cd::size_bytes;
}

Pa ContextTable::make_second_level(std::uint32_t index) {
  const std::uint64_t bytes = std::uint64_t{Cd::size_bytes} << split();
  L1cd entry;
  entry.set<L1cd::V>(true).set<L1cd::L2Ptr>(pages_->allocate(bytes, bytes).value);
  memory_->store64(base_ + std::uint64_t{index >> split()} * L1cd::size_bytes, entry.dw[0]);
  return address_of(index);
}

void ContextTable::write(std::uint32_t index, const Cd& cd) {
  if (!fits(index, log2_contexts_)) {
    throw std::invalid_argument(
        fmt::format("CD {} is beyond the CD table; it must be below 2^{}", index, log2_contexts_));
  }
  const Pa address = address_of(index);
  write_structure(*memory_, address == Pa(0) ? make_second_level(index) : address, cd);
}

Cd ContextTable::read(std::uint32_t index) const {
  const Pa address = address_of(index);
  return address == Pa(0) ? Cd{} : read_structure<Cd>(*memory_, address);
}

spec::Ste with_ats(const spec::Ste& ste, spec::Eats eats) {
  spec::Ste with = ste;
  return with.set<spec::Ste::EATS>(eats);
}

Ste make_abort_ste() {
  return Ste{}.set<Ste::V>(true);
}

Ste make_bypass_ste() {
  return Ste{}.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::bypass).set<Ste::SHCFG>(1);
}

Ste make_stage1_ste(const ContextTable& contexts) {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::stage1).set<Ste::S1ContextPtr>(contexts.base().value);
  ste.set<Ste::S1CDMax>(contexts.log2_contexts()).set<Ste::S1Fmt>(contexts.format());
  if (contexts.log2_contexts() != 0) ste.set<Ste::S1DSS>(spec::S1Dss::substream0);
  ste.set<Ste::S1CIR>(fetch_write_back).set<Ste::S1COR>(fetch_write_back).set<Ste::S1CSH>(spec::Shareability::inner);
  return ste;
}

namespace {

/// S2SL0 as a function of granule and start level (section 5.2; without S2DS and small tables).
unsigned start_level_code(const Geometry& geometry) {
  const int above_last = Geometry::last_level - geometry.start_level();
  return static_cast<unsigned>(geometry.granule_bits == 12 ? above_last - 1 : above_last);
}

void set_stage2(Ste& ste, const PageTable& table, Vmid vmid) {
  const Geometry& geometry = table.geometry();
  ste.set<Ste::S2VMID>(vmid.value).set<Ste::S2T0SZ>(64 - geometry.input_bits).set<Ste::S2AA64>(true);
  ste.set<Ste::S2SL0>(start_level_code(geometry)).set<Ste::S2TG>(granule_code(geometry));
  ste.set<Ste::S2PS>(static_cast<unsigned>(spec::address_size_code(geometry.output_bits)));
  ste.set<Ste::S2IR0>(fetch_write_back).set<Ste::S2OR0>(fetch_write_back);
  ste.set<Ste::S2SH0>(spec::Shareability::inner).set<Ste::S2PTW>(true).set<Ste::S2R>(true);
  ste.set<Ste::S2TTB>(table.root().value);
}

}  // namespace

Ste make_stage2_ste(const PageTable& table, Vmid vmid) {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(spec::SteConfig::stage2).set<Ste::SHCFG>(1);
  set_stage2(ste, table, vmid);
  return ste;
}

Ste make_nested_ste(const ContextTable& contexts, const PageTable& table, Vmid vmid) {
  Ste ste = make_stage1_ste(contexts);
  ste.set<Ste::Config>(spec::SteConfig::nested);
  set_stage2(ste, table, vmid);
  return ste;
}

Cd make_stage1_cd(const PageTable& table, Asid asid) {
  const Geometry& geometry = table.geometry();
  Cd cd;
  cd.set<Cd::V>(true).set<Cd::AA64>(true).set<Cd::T0SZ>(64 - geometry.input_bits).set<Cd::TG0>(granule_code(geometry));
  cd.set<Cd::IR0>(fetch_write_back).set<Cd::OR0>(fetch_write_back).set<Cd::SH0>(spec::Shareability::inner);
  cd.set<Cd::EPD1>(true).set<Cd::IPS>(static_cast<unsigned>(spec::address_size_code(geometry.output_bits)));
  cd.set<Cd::A>(true).set<Cd::R>(true).set<Cd::ASET>(true).set<Cd::ASID>(asid.value);
  cd.set<Cd::TTB0>(table.root().value);
  cd.set<Cd::MAIR0>(static_cast<std::uint32_t>(driver_mair)).set<Cd::MAIR1>(0);
  return cd;
}

}  // namespace smmusim

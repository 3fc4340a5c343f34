// SPDX-License-Identifier: MIT
// Stage2Bench and TableTree: see the header.
#include "tests/support/stage2_bench.h"

#include <algorithm>

namespace smmusim {

int TableShape::first_level(unsigned granule, unsigned input_bits) {
  return 3 - static_cast<int>((input_bits - 1 - granule) / (granule - 3));
}

TableTree::TableTree(BenchMemory& memory, const TableShape& shape, std::uint64_t base, Place place, Made made)
    : memory_(memory),
      shape_(shape),
      next_(base),
      place_(std::move(place)),
      made_(std::move(made)),
      root_(allocate(shape.root_entries() * 8)) {
  tables_[{shape.start_level, 0}] = root_;
}

std::uint64_t TableTree::allocate(std::uint64_t bytes) {
  const std::uint64_t size = std::max(bytes, std::uint64_t{1} << shape_.granule);
  const std::uint64_t address = (next_ + size - 1) & ~(size - 1);
  next_ = address + size;
  if (made_) made_(address, size);
  return address;
}

std::uint64_t TableTree::address_bits(std::uint64_t address) const {
  if (shape_.granule == 16) return (address & 0xffff'ffff'0000) | ((address >> 48) & 0xf) << 12;
  if (shape_.ds) return (address & 0x3'ffff'ffff'f000) | ((address >> 50) & 3) << 8;
  return address & 0xffff'ffff'f000;
}

std::uint64_t TableTree::entry(std::uint64_t input, int level) {
  for (int at = shape_.start_level;; ++at) {
    const unsigned above = at == shape_.start_level ? shape_.input_bits : shape_.shift(at - 1);
    const std::uint64_t index = (input >> shape_.shift(at)) & (shape_.entries(at) - 1);
    const std::uint64_t prefix = at == shape_.start_level ? 0 : input >> above;
    const std::uint64_t address = tables_.at({at, prefix}) + 8 * index;
    if (at == level) return address;
    const std::pair<int, std::uint64_t> next{at + 1, input >> shape_.shift(at)};
    if (tables_.count(next) == 0) {
      tables_[next] = allocate(std::uint64_t{1} << shape_.granule);
      const std::uint64_t descriptor = address_bits(tables_[next]) | 3;
      memory_.write64(place(address), shape_.big_endian ? __builtin_bswap64(descriptor) : descriptor);
    }
  }
}

void TableTree::set(std::uint64_t input, int level, std::uint64_t descriptor) {
  memory_.write64(place(entry(input, level)), shape_.big_endian ? __builtin_bswap64(descriptor) : descriptor);
}

void TableTree::map(std::uint64_t input, std::uint64_t output, std::uint64_t flags, int level) {
  const std::uint64_t sh = shape_.ds && shape_.granule != 16 ? ~(std::uint64_t{3} << 8) : ~std::uint64_t{0};
  set(input, level, address_bits(output) | (flags & sh) | (level == 3 ? 3 : 1));
}

TableShape stage2_shape(unsigned bits) {
  TableShape shape;
  shape.input_bits = bits;
  shape.start_level = bits <= 43 ? 1 : bits <= 48 ? 0 : -1;
  shape.ds = bits > 48;
  return shape;
}

TableShape stage1_shape(unsigned bits, unsigned granule) {
  TableShape shape;
  shape.granule = granule;
  shape.input_bits = bits;
  shape.start_level = TableShape::first_level(granule, bits);
  shape.ds = bits > 48 && granule != 16;
  return shape;
}

SmmuConfig stage2_config() {
  SmmuConfig config = bench_config();
  spec::Features& f = config.features;
  f.version_minor = 2;
  f.s2p = f.hyp = f.xnx = f.fwb = f.vmid16 = f.cd2l = true;
  f.bbml = 2;
  f.gran16k = f.gran64k = true;
  f.ssidsize = 12;
  f.ttendian = spec::Ttendian::mixed;
  return config;
}

SmmuConfig wide_config(unsigned oas) {
  SmmuConfig config = stage2_config();
  spec::Features& f = config.features;
  f.version_minor = 3;
  f.e0pd = f.ptwnnc = f.ds = true;
  f.vax = 52;
  f.oas = oas;
  return config;
}

SmmuConfig without_caches(SmmuConfig config) {
  config.tbu.micro_tlb.entries = 0;
  config.tbu.stream_cache.entries = 0;
  config.tcu.tlb.entries = 0;
  config.tcu.walk_cache.entries = 0;
  config.tcu.ipa_cache.entries = 0;
  config.tcu.config_cache.entries = 0;
  return config;
}

raw::Ste stage2_fields(raw::Ste ste, const TableShape& shape, std::uint64_t ttb, unsigned ps_bits) {
  namespace s2 = raw::s2;
  const bool four = shape.granule == 12;
  std::uint64_t sl0 = static_cast<std::uint64_t>(3 - shape.start_level);  // 16 KiB and 64 KiB: 0 is level 3
  if (four) sl0 = shape.start_level == 3 ? 3 : static_cast<std::uint64_t>(2 - shape.start_level);
  const bool minus_one = four && shape.start_level == -1;  // {SL0_2, SL0} = 4
  return ste.with({{s2::S2T0SZ, 64 - shape.input_bits},
                   {s2::S2SL0, minus_one ? 0 : sl0},
                   {s2::S2SL0_2, minus_one},
                   {s2::S2IR0, 1},
                   {s2::S2OR0, 1},
                   {s2::S2SH0, 3},
                   {s2::S2TG, four                  ? 0u
                              : shape.granule == 14 ? 2u
                                                    : 1u},
                   {s2::S2PS, size_code(ps_bits)},
                   {s2::S2AA64, 1},
                   {s2::S2ENDI, shape.big_endian},
                   {s2::S2R, 1},
                   {s2::S2DS, shape.ds},
                   {s2::S2TTB, ttb >> 4}});
}

raw::Cd stage1_fields(raw::Cd cd, const TableShape& shape, std::uint64_t ttb, unsigned ips_bits) {
  return cd.with({{raw::cd::T0SZ, 64 - shape.input_bits},
                  {raw::cd::TG0, shape.granule == 12   ? 0u
                                 : shape.granule == 14 ? 2u
                                                       : 1u},
                  {raw::cd::IR0, 1},
                  {raw::cd::OR0, 1},
                  {raw::cd::SH0, 3},
                  {raw::cd::EPD1, 1},
                  {raw::cd::ENDI, shape.big_endian},
                  {raw::cd::IPS, size_code(ips_bits)},
                  {raw::wide::DS, shape.ds},
                  {raw::cd::TTB0, ttb >> 4}});
}

Stage2Bench::Stage2Bench() : Stage2Bench(Options{}) {}

Stage2Bench::Stage2Bench(const Options& options)
    : bench(options.config, options.latency_ps),
      place_(options.place),
      s2(bench.memory, options.stage2, options.stage2_base),
      s1(
          bench.memory, options.stage1, options.stage1_base, [this](std::uint64_t ipa) { return place(ipa); },
          [this](std::uint64_t ipa, std::uint64_t bytes) { cover(ipa, bytes); }) {
  using namespace raw;
  const unsigned oas = options.config.features.oas;
  cd = stage1_fields(
      Cd{}.with({{cd::V, 1}, {cd::AA64, 1}, {cd::R, 1}, {cd::A, 1}, {cd::ASID, 1}, {cd::MAIR0, 0x000444ff}}),
      options.stage1, s1.root(), oas);
  ste = stage2_fields(Ste{}.with({{ste::V, 1},
                                  {ste::Config, 7},
                                  {ste::S1ContextPtr, cd_ipa >> 6},
                                  {ste::S1CIR, 1},
                                  {ste::S1COR, 1},
                                  {ste::S1CSH, 3},
                                  {ste::SHCFG, 1},
                                  {ste::S2VMID, 5}}),
                      options.stage2, s2.root(), oas);
  cover(cd_ipa, 0x1000);
  edit_cd({});
  edit_ste({});
}

void Stage2Bench::edit_ste(std::initializer_list<raw::Edit> edits) {
  ste = ste.with(edits);
  bench.put_ste(sid, ste);
}

void Stage2Bench::edit_cd(std::initializer_list<raw::Edit> edits) {
  cd = cd.with(edits);
  bench.memory.store(place(cd_ipa), cd);
}

void Stage2Bench::reload() {
  command({raw::command(raw::cmd::CFGI_STE, {{raw::cmd::StreamID, sid}, {raw::cmd::Leaf, 1}})});
}

void Stage2Bench::cover(std::uint64_t ipa, std::uint64_t bytes, std::uint64_t flags) {
  const std::uint64_t page = std::uint64_t{1} << s2.shape().granule;
  for (std::uint64_t at = ipa & ~(page - 1); at < ipa + bytes; at += page) s2.map(at, place(at), flags);
}

Response Stage2Bench::go(std::uint64_t va, AccessType access, bool instruction, bool privileged) {
  Transaction t = SmmuBench::transaction(sid, va, access);
  t.instruction = instruction;
  t.privileged = privileged;
  return bench.go(t);
}

bool Stage2Bench::command(std::initializer_list<raw::Command> commands) {
  for (const raw::Command& one : commands) bench.push(one);
  bench.sync();
  return bench.all_consumed();
}

}  // namespace smmusim

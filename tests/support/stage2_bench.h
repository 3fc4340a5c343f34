// SPDX-License-Identifier: MIT
// TableTree: translation tables of any granule, start level and endianness, written from the formats of the Arm ARM
// (DDI 0487, chapter D8.3) alone. Stage2Bench: an SmmuBench with one stream that has stage 1, stage 2 or both. IPAs
// differ from PAs, so an access that misses stage 2 is seen. Nothing here may use the model's own walks or codecs.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "tests/support/smmu_bench.h"

namespace smmusim {

namespace raw::s2 {  // fields of the STE that are about stage 2 (IHI 0070 section 5.2)
inline constexpr Bits S2FWB{89, 89}, S2T0SZ{165, 160}, S2SL0{167, 166}, S2IR0{169, 168}, S2OR0{171, 170};
inline constexpr Bits S2SH0{173, 172}, S2TG{175, 174}, S2PS{178, 176}, S2AA64{179, 179}, S2ENDI{180, 180};
inline constexpr Bits S2AFFD{181, 181}, S2PTW{182, 182}, S2S{185, 185}, S2R{186, 186}, S2SL0_2{194, 194};
inline constexpr Bits S2DS{195, 195}, S2TTB{247, 196};
}  // namespace raw::s2
namespace raw::wide {  // CD.DS (section 5.4), F_PERMISSION.TTRnW (section 7.3.16)
inline constexpr Bits DS{186, 186}, TTRnW{108, 108};
}  // namespace raw::wide
namespace raw::cmd2 {
inline constexpr std::uint64_t TLBI_S12_VMALL = 0x28, TLBI_S2_IPA = 0x2a;
}  // namespace raw::cmd2

/// Stage-2 leaf attributes: S2AP read and write, Inner Shareable, Normal iWB-oWB, AF.
inline constexpr std::uint64_t s2_read = 1u << 6, s2_write = 1u << 7, s2_ish = 3u << 8, s2_wb = 0xfu << 2;
inline constexpr std::uint64_t s2_rw = s2_read | s2_write | s2_ish | s2_wb | raw::af;

/// Encoding of a size in bits as in IDR5.OAS, CD.IPS and STE.S2PS.
constexpr std::uint64_t size_code(unsigned bits) {
  constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48, 52, 56};
  std::uint64_t code = 0;
  while (code < 7 && sizes[code] != bits) ++code;
  return code;
}

/// The geometry of one set of tables.
struct TableShape {
  unsigned granule = 12;     ///< log2 of bytes: 12, 14 or 16
  unsigned input_bits = 48;  ///< 64 - TxSZ
  int start_level = 0;       ///< stage 1: first_level() of the two above
  bool ds = false;           ///< 52-bit format of the 4 KiB and 16 KiB granules
  bool big_endian = false;

  unsigned shift(int level) const { return granule + (granule - 3) * static_cast<unsigned>(3 - level); }
  /// The start level that needs no concatenation.
  static int first_level(unsigned granule, unsigned input_bits);
  /// Doublewords of the table (or of the concatenated tables) of the start level.
  std::uint64_t root_entries() const { return std::uint64_t{1} << (input_bits - shift(start_level)); }
  std::uint64_t entries(int level) const {
    return level == start_level ? root_entries() : std::uint64_t{1} << (granule - 3);
  }
};

/// Tables that live at addresses of some space; `place` says where in memory that is, `made` is told of every table.
class TableTree {
 public:
  using Place = std::function<std::uint64_t(std::uint64_t)>;
  using Made = std::function<void(std::uint64_t address, std::uint64_t bytes)>;

  TableTree(BenchMemory& memory, const TableShape& shape, std::uint64_t base, Place place = {}, Made made = {});

  std::uint64_t root() const { return root_; }
  const TableShape& shape() const { return shape_; }
  /// Address, in the tables' own space, of the descriptor for `input` at `level`; makes the tables above it.
  std::uint64_t entry(std::uint64_t input, int level);
  void set(std::uint64_t input, int level, std::uint64_t descriptor);
  /// A page, or a block if level < 3.
  void map(std::uint64_t input, std::uint64_t output, std::uint64_t flags, int level = 3);
  /// The descriptor bits that hold `address`.
  std::uint64_t address_bits(std::uint64_t address) const;
  std::uint64_t place(std::uint64_t address) const { return place_ ? place_(address) : address; }

 private:
  std::uint64_t allocate(std::uint64_t bytes);

  BenchMemory& memory_;
  TableShape shape_;
  std::uint64_t next_;
  Place place_;
  Made made_;
  std::uint64_t root_;
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> tables_;  // (level, input above the table) -> address
};

/// A 4 KiB-granule shape of stage 2 that takes `bits` of IPA: start level 1 up to 43 bits, 0 up to 48, else -1 with DS.
TableShape stage2_shape(unsigned bits);
/// The same for stage 1.
TableShape stage1_shape(unsigned bits, unsigned granule = 12);

/// Both stages implemented, all granules, XNX, HYP, FWB, substreams: version 3.2.
SmmuConfig stage2_config();
/// The same with 52-bit addresses of every granule: version 3.3.
SmmuConfig wide_config(unsigned oas = 52);
/// Without any cache, so that every fetch is seen.
SmmuConfig without_caches(SmmuConfig config);

/// Stream 1, Config=111 (nested) unless changed. Stage-1 tables and the CD are at IPAs that stage 2 moves.
class Stage2Bench {
 public:
  static constexpr std::uint32_t sid = 1;
  static constexpr std::uint64_t ipa_offset = 0x6000'0000;  ///< IPA = PA + this, for what the bench maps
  static constexpr std::uint64_t cd_pa = 0x4030'0000, cd_ipa = cd_pa + ipa_offset;

  struct Options {
    SmmuConfig config = stage2_config();
    TableShape stage1{};
    TableShape stage2{};
    Time latency_ps = 0;
    TableTree::Place place{};  ///< where in memory an IPA is; default: IPA - ipa_offset
    std::uint64_t stage1_base = 0xb000'0000, stage2_base = 0x6000'0000;
  };
  explicit Stage2Bench(const Options& options);
  Stage2Bench();
  Stage2Bench(const Stage2Bench&) = delete;
  Stage2Bench& operator=(const Stage2Bench&) = delete;

  std::uint64_t place(std::uint64_t ipa) const { return place_ ? place_(ipa) : ipa - ipa_offset; }
  /// Changes fields and writes the structure; no invalidation.
  void edit_ste(std::initializer_list<raw::Edit> edits);
  void edit_cd(std::initializer_list<raw::Edit> edits);
  /// CFGI_STE of the stream and CMD_SYNC.
  void reload();
  /// The pages of stage 2 over [ipa, ipa + bytes), each to place(ipa).
  void cover(std::uint64_t ipa, std::uint64_t bytes, std::uint64_t flags = s2_rw);
  Response go(std::uint64_t va, AccessType access = AccessType::read, bool instruction = false,
              bool privileged = false);
  Response read(std::uint64_t va) { return go(va); }
  /// Pushes the commands, then a CMD_SYNC; true if all were consumed.
  bool command(std::initializer_list<raw::Command> commands);

  SmmuBench bench;

 private:
  TableTree::Place place_;  // before the trees, which use it while they are made

 public:
  TableTree s2;
  TableTree s1;
  raw::Ste ste;
  raw::Cd cd;
};

/// The STE fields of stage 2 for these tables.
raw::Ste stage2_fields(raw::Ste ste, const TableShape& shape, std::uint64_t ttb, unsigned ps_bits);
/// The CD fields of TTB0 for these tables; TTB1 is off.
raw::Cd stage1_fields(raw::Cd cd, const TableShape& shape, std::uint64_t ttb, unsigned ips_bits);

}  // namespace smmusim

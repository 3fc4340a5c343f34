// SPDX-License-Identifier: MIT
// From the outside in: registers, stream table, STE, stage 2, CD, stage 1,
// access (IHI 0070 chapters 3, 5 and 6).
#include "tests/peer/qemu/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "model/spec/cd.h"
#include "model/spec/ste.h"
#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {
namespace {

using spec::Cd;
using spec::Ste;

constexpr unsigned address_bits[] = {32, 36, 40, 42, 44, 48, 52, 56};
constexpr unsigned oas = 44;
constexpr unsigned granules[] = {12, 14, 16};

spec::Tg0 tg0_of(unsigned granule) {
  return static_cast<spec::Tg0>(granule == 12 ? 0 : granule == 16 ? 1 : 2);
}
spec::Tg1 tg1_of(unsigned granule) {
  return static_cast<spec::Tg1>(granule == 14 ? 1 : granule == 12 ? 2 : 3);
}

class Maker {
 public:
  Maker(Workshop& shop, Stages stages) : shop_(shop), random_(shop.random), one_(shop.one), physical_(shop) {
    one_.stages = stages;
  }
  Places make();

 private:
  unsigned config();
  void access();
  void stream_table();
  void linear_table();
  void two_level_table();
  void stage2();
  std::vector<int> start_levels(unsigned granule, unsigned input_bits) const;
  void stage1();
  std::uint64_t map_input(Tree& tree, bool upper, unsigned tbi);
  Format stage1_format(unsigned limit);
  template <class Structure>
  void store(std::uint64_t address, const Structure& structure, MarkKind kind);
  Space& space() { return guest_ ? static_cast<Space&>(*guest_) : physical_; }

  Workshop& shop_;
  Random& random_;
  Case& one_;
  PhysicalSpace physical_;
  std::unique_ptr<Tree> stage2_tree_;
  std::unique_ptr<GuestSpace> guest_;
  std::uint64_t target_ = 0;
  Ste ste_;
  Places places_;
};

unsigned Maker::config() {
  const unsigned main = one_.stages == Stages::stage1 ? 5 : one_.stages == Stages::stage2 ? 6 : 7;
  const unsigned draw = static_cast<unsigned>(random_.below(100));
  if (draw < 3) return 4;
  if (draw < 5) return static_cast<unsigned>(random_.below(4));
  if (one_.stages == Stages::nested) return draw < 60 ? 7 : draw < 80 ? 6 : 5;
  return draw < 97 ? main : 5 + static_cast<unsigned>(random_.below(3));
}

void Maker::access() {
  const Device& device = devices[random_.below(devices.size())];
  one_.access.sid = device.sid;
  one_.access.write = !device.reads;
  one_.access.bytes = 1u << random_.below(3);
}

template <class Structure>
void Maker::store(std::uint64_t address, const Structure& structure, MarkKind kind) {
  for (std::size_t i = 0; i < structure.dw.size(); ++i) {
    one_.words[address + 8 * i] = structure.dw[i];
    shop_.marks.push_back({kind, 0, address + 8 * i});
  }
}

void Maker::linear_table() {
  const unsigned log2 = random_.percent(95) ? random_.between(8, 10) : random_.between(0, 9);
  const std::uint64_t base = physical_.allocate(log2 + 6, oas);
  one_.strtab_base = base;
  one_.strtab_base_cfg = log2;
  // QEMU's devices may have StreamIDs beyond the table: their STEs are then
  // unreachable.
  if ((one_.access.sid >> log2) == 0) places_.ste = base + 64 * std::uint64_t{one_.access.sid};
}

void Maker::two_level_table() {
  const unsigned splits[] = {6, 8, 10};
  const unsigned split = splits[random_.below(3)];
  const unsigned log2 = random_.percent(92) ? random_.between(8, 13) : random_.between(0, 8);
  const unsigned l1_log2 = std::max(log2 > split ? log2 - split + 3 : 3, 6u);
  one_.strtab_base = physical_.allocate(l1_log2, oas);
  one_.strtab_base_cfg = 1u << 16 | split << 6 | log2;
  const unsigned needed = one_.access.sid & ((1u << split) - 1);
  unsigned span = split + 1;
  while (span > 1 && random_.percent(40) && (needed >> (span - 2)) == 0) --span;
  const std::uint64_t l2 = physical_.allocate(std::max(span - 1 + 6, 6u), oas);
  const std::uint64_t l1std = one_.strtab_base + 8 * std::uint64_t{one_.access.sid >> split};
  one_.words[l1std] = l2 | span;
  shop_.marks.push_back({MarkKind::l1std, 0, l1std});
  places_.ste = l2 + 64 * std::uint64_t{needed};
}

std::vector<int> Maker::start_levels(unsigned granule, unsigned input_bits) const {
  std::vector<int> levels;
  for (int level = granule == 12 ? 0 : 1; level <= (granule == 12 ? 2 : 3); ++level) {
    Format format{2, granule, input_bits, level, 0};
    const unsigned shift = format.shift(level);
    if (input_bits > shift && input_bits - shift <= format.stride() + 4) levels.push_back(level);
  }
  return levels;
}

void Maker::stage2() {
  Format format;
  format.stage = 2;
  const unsigned ps = random_.percent(70) ? random_.between(4, 5) : random_.between(0, 7);
  format.output_limit = std::min(address_bits[ps], oas);
  std::vector<int> levels;
  while (levels.empty()) {
    format.granule = granules[random_.below(3)];
    const unsigned most = random_.percent(90) ? format.output_limit : oas;
    format.input_bits = random_.between(random_.percent(70) ? 32 : 25, most);
    levels = start_levels(format.granule, format.input_bits);
  }
  // QEMU can't start in any but the first of concatenated tables: few cases have them.
  const auto single = std::find_if(levels.begin(), levels.end(), [&](int level) {
    return format.input_bits - format.shift(level) <= format.stride();
  });
  format.start_level = single != levels.end() && random_.percent(85) ? *single : levels[random_.below(levels.size())];
  stage2_tree_ = std::make_unique<Tree>(shop_, physical_, format);
  const int sl0 = (format.granule == 12 ? 2 : 3) - format.start_level;
  ste_.set<Ste::S2T0SZ>(64 - format.input_bits).set<Ste::S2SL0>(static_cast<unsigned>(sl0));
  ste_.set<Ste::S2TG>(tg0_of(format.granule)).set<Ste::S2PS>(ps).set<Ste::S2AA64>(true);
  ste_.set<Ste::S2TTB>(stage2_tree_->root()).set<Ste::S2R>(!random_.percent(8));
  ste_.set<Ste::S2AFFD>(random_.percent(5)).set<Ste::S2PTW>(random_.percent(10));
}

Format Maker::stage1_format(unsigned limit) {
  Format format;
  format.granule = granules[random_.below(3)];
  // QEMU splits no stage-1 table over stage-2 pages: few cases have larger ones.
  if (guest_ && random_.percent(80)) format.granule = std::min(format.granule, stage2_tree_->format().granule);
  format.input_bits = random_.percent(40) ? 48 : random_.between(25, 48);
  format.start_level = stage1_start_level(format.granule, format.input_bits);
  format.output_limit = limit;
  return format;
}

std::uint64_t Maker::map_input(Tree& tree, bool upper, unsigned tbi) {
  const Format& format = tree.format();
  const std::uint64_t output = guest_ ? guest_->map(target_, format.output_limit) : target_;
  const int level = leaf_level(random_, format);
  const unsigned shift = format.shift(level);
  std::uint64_t input =
      ((random_.next() & ~low_mask(shift)) | (output & low_mask(shift))) & low_mask(format.input_bits);
  tree.put(input, level, (output & ~low_mask(shift)) | leaf_bits(random_, 1, level));
  if (upper) input |= ~low_mask(format.input_bits);
  if (tbi != 0) input = (input & low_mask(56)) | random_.below(256) << 56;
  return input;
}

void Maker::stage1() {
  Cd cd;
  const unsigned ips = random_.percent(70) ? random_.between(4, 5) : random_.between(0, 5);
  unsigned limit = std::min(address_bits[ips], oas);
  if (guest_) limit = std::min(limit, stage2_tree_->format().input_bits);
  target_ = physical_.allocate(12, guest_ ? stage2_tree_->format().output_limit : limit) +
            (random_.below(0x1000) & ~std::uint64_t{3});
  const bool upper = random_.percent(25);
  const bool both = random_.percent(20);
  Tree tree(shop_, space(), stage1_format(limit));
  Tree other(shop_, space(), stage1_format(limit));
  const Tree& lower_tree = upper ? other : tree;
  const Tree& upper_tree = upper ? tree : other;
  const bool tbi0 = random_.percent(12);
  const bool tbi1 = random_.percent(85) ? tbi0 : !tbi0;
  cd.set<Cd::T0SZ>(64 - lower_tree.format().input_bits).set<Cd::TG0>(tg0_of(lower_tree.format().granule));
  cd.set<Cd::T1SZ>(64 - upper_tree.format().input_bits).set<Cd::TG1>(tg1_of(upper_tree.format().granule));
  cd.set<Cd::EPD0>(upper && !both).set<Cd::EPD1>(!upper && !both).set<Cd::TBI0>(tbi0).set<Cd::TBI1>(tbi1);
  cd.set<Cd::TTB0>(lower_tree.root()).set<Cd::TTB1>(upper_tree.root());
  cd.set<Cd::V>(true).set<Cd::AA64>(true).set<Cd::A>(true).set<Cd::IPS>(ips).set<Cd::R>(!random_.percent(8));
  cd.set<Cd::ASID>(static_cast<std::uint16_t>(random_.next())).set<Cd::ASET>(random_.percent(50));
  cd.set<Cd::AFFD>(random_.percent(5)).set<Cd::HAD0>(random_.percent(15)).set<Cd::HAD1>(random_.percent(15));
  cd.set<Cd::MAIR0>(0x00bb44ff).set<Cd::MAIR1>(static_cast<std::uint32_t>(random_.next()));
  cd.set<Cd::WXN>(random_.percent(10)).set<Cd::PAN>(random_.percent(10)).set<Cd::NSCFG0>(random_.percent(50));
  one_.access.address = map_input(tree, upper, upper ? tbi1 : tbi0);
  const std::uint64_t at = space().allocate(6, guest_ ? stage2_tree_->format().input_bits : oas);
  places_.cd = space().physical(at);
  ste_.set<Ste::S1ContextPtr>(at);
  store(places_.cd, cd, MarkKind::cd);
}

Places Maker::make() {
  access();
  one_.enabled = !random_.percent(1);
  one_.gbpa = random_.percent(50) ? 0x1000 : 0x100000 | static_cast<std::uint32_t>(random_.next() & 0x7f00);
  if (random_.percent(70)) {
    linear_table();
  } else {
    two_level_table();
  }
  const unsigned config = this->config();
  ste_.set<Ste::V>(true).set<Ste::Config>(static_cast<spec::SteConfig>(config));
  ste_.set<Ste::S2VMID>(static_cast<std::uint16_t>(random_.next()));
  ste_.set<Ste::SHCFG>(1).set<Ste::S1CIR>(1).set<Ste::S1COR>(1).set<Ste::S1CSH>(static_cast<spec::Shareability>(3));
  if (config >= 6) stage2();
  if (config == 7) guest_ = std::make_unique<GuestSpace>(shop_, physical_, *stage2_tree_);
  if (config == 5 || config == 7) {
    stage1();
  } else {
    target_ = physical_.allocate(12, stage2_tree_ ? stage2_tree_->format().output_limit : oas) +
              (random_.below(0x1000) & ~std::uint64_t{3});
    one_.access.address = target_;
    if (config == 6) {
      GuestSpace space(shop_, physical_, *stage2_tree_);
      one_.access.address = space.map(target_, oas);
    }
  }
  if (places_.ste != 0) store(places_.ste, ste_, MarkKind::ste);
  // What a reading device finds: words that nothing else holds.
  for (std::uint64_t word = target_ & ~std::uint64_t{7}; !one_.access.write && word < target_ + 4; word += 8) {
    one_.words[word] = Random(word).next() | 1;
  }
  return places_;
}

}  // namespace

Case generate(Kind kind, std::uint64_t seed, std::uint64_t index, unsigned attempt, Stages stages, bool may_kill) {
  Random of_seed(seed);
  Random of_case(of_seed.next() ^ (index * 0xd6e8feb86659fd93 + attempt * 0xa0761d6478bd642f));
  Random random(of_case.next());
  Case one;
  Workshop shop{random, one};
  Maker maker(shop, stages);
  const Places places = maker.make();
  if (kind == Kind::structures) mutate_structures(shop, places);
  unsigned mutations = random.percent(kind == Kind::structures ? 70 : 30) ? 0 : random.percent(85) ? 1 : 2;
  for (; mutations > 0; --mutations) mutate(shop, places, may_kill);
  // A Contiguous bit outside a whole run is CONSTRAINED UNPREDICTABLE (DDI 0487 D8.6.1): the model may then use one
  // stage-2 leaf for its neighbours. Only a nested access meets several leaves.
  for (const Mark& mark : shop.marks) {
    if (mark.kind >= MarkKind::table && mark.stage == 2) one.words[mark.address] &= ~(std::uint64_t{1} << 52);
  }
  return one;
}

}  // namespace smmusim::peer

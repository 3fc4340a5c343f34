// SPDX-License-Identifier: MIT
// See scenario_world.h. One stage-1 tree and one stage-2 tree serve all streams of a scenario, which differ in ASID and
// VMID.
#include "tests/peer/qemu/scenario_world.h"

#include <algorithm>

#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {
namespace {

using spec::Cd;
using spec::Ste;

constexpr unsigned oas = 44, ipa_bits = 40, granules[] = {12, 14, 16};
constexpr std::uint64_t one = 1;

class Builder {
 public:
  Builder(Random& random, Scenario& scenario, Stages stages)
      : random_(random), scenario_(scenario), image_(scenario.image), physical_(shop_) {
    image_.stages = stages;
  }
  World build();

 private:
  void choose_config();
  void make_stage2();
  void make_stage1();
  void make_page();
  void map_stage1(Page& page, std::uint64_t output, std::uint64_t elsewhere, std::uint64_t offset);
  void make_streams();
  void make_structures(Stream& stream);
  void make_table();
  void permit();
  void read_leaves();
  template <class Structure>
  void store(std::uint64_t address, const Structure& structure);
  Space& space() { return guest_ ? static_cast<Space&>(*guest_) : physical_; }
  std::uint64_t last_mark(MarkKind kind, unsigned stage, std::size_t from) const;

  Random& random_;
  Scenario& scenario_;
  Case& image_;
  Workshop shop_{random_, image_};
  PhysicalSpace physical_;
  World world_;
  unsigned config_ = 5;
  Format format2_;
  std::unique_ptr<Tree> tree2_, tree1_;
  std::unique_ptr<GuestSpace> guest_;
};

std::uint64_t Builder::last_mark(MarkKind kind, unsigned stage, std::size_t from) const {
  for (std::size_t i = shop_.marks.size(); i > from; --i) {
    if (shop_.marks[i - 1].kind == kind && shop_.marks[i - 1].stage == stage) return shop_.marks[i - 1].address;
  }
  return 0;
}

void Builder::choose_config() {
  const unsigned draw = static_cast<unsigned>(random_.below(100));
  config_ = image_.stages == Stages::stage1   ? 5
            : image_.stages == Stages::stage2 ? 6
            : draw < 60                       ? 7
            : draw < 80                       ? 6
                                              : 5;
}

void Builder::make_stage2() {
  format2_.stage = 2;
  format2_.granule = granules[random_.below(3)];
  format2_.input_bits = ipa_bits;
  format2_.start_level = format2_.granule == 12 ? 0 : format2_.granule == 14 ? 1 : 2;
  format2_.output_limit = oas;
  tree2_ = std::make_unique<Tree>(shop_, physical_, format2_);
  if (config_ == 7) guest_ = std::make_unique<GuestSpace>(shop_, physical_, *tree2_);
}

void Builder::make_stage1() {
  Format format;
  format.granule = granules[random_.below(3)];
  // QEMU splits no stage-1 table over stage-2 pages.
  if (guest_) format.granule = std::min(format.granule, format2_.granule);
  format.input_bits = random_.between(32, 48);
  format.start_level = stage1_start_level(format.granule, format.input_bits);
  format.output_limit = guest_ ? ipa_bits : oas;
  const std::size_t from = shop_.marks.size();
  tree1_ = std::make_unique<Tree>(shop_, space(), format);
  world_.root_ipa = tree1_->root();
  world_.root_leaf = guest_ ? last_mark(MarkKind::leaf, 2, from) : 0;
}

void Builder::map_stage1(Page& page, std::uint64_t output, std::uint64_t elsewhere, std::uint64_t offset) {
  const Format& format = tree1_->format();
  page.s1.granule = format.granule;
  page.s1.level = leaf_level(random_, format);
  const unsigned shift = page.s1.shift();
  const std::uint64_t bits = leaf_bits(random_, 1, page.s1.level);
  const std::size_t from = shop_.marks.size();
  do {
    page.input = ((random_.next() & ~low_mask(shift)) | (output & low_mask(shift))) & low_mask(format.input_bits);
  } while (!tree1_->put(page.input, page.s1.level, (output & ~low_mask(shift)) | bits));
  page.s1.at = last_mark(MarkKind::leaf, 1, from);
  page.s1_table_at = last_mark(MarkKind::table, 1, from);
  page.s1.elsewhere = page.s1.level == 3 ? elsewhere & ~low_mask(shift) : 0;
  page.input = (page.input & ~std::uint64_t{0xfff}) | offset;
}

void Builder::make_page() {
  const unsigned size = std::max(tree1_ ? tree1_->format().granule : 12, tree2_ ? format2_.granule : 12);
  const std::uint64_t inside = (random_.next() & low_mask(size)) & ~std::uint64_t{0xfff};
  const std::uint64_t target = physical_.allocate(size, oas) + inside;
  const std::uint64_t other = physical_.allocate(size, oas) + inside;
  const std::uint64_t offset = random_.next() & 0xff8;
  for (const std::uint64_t page : {target, other}) scenario_.targets.push_back(page);
  Page page;
  std::uint64_t output = target, elsewhere = other;
  if (tree2_) {
    GuestSpace flat(shop_, physical_, *tree2_);
    GuestSpace& guest = guest_ ? *guest_ : flat;
    const std::size_t from = shop_.marks.size();
    output = page.ipa = guest.map(target, ipa_bits);
    page.s2.at = last_mark(MarkKind::leaf, 2, from);
    page.s2.granule = format2_.granule;
    page.s2.elsewhere = other & ~low_mask(format2_.granule);
    if (config_ == 7) elsewhere = guest.map(other, ipa_bits);
  }
  if (tree1_) {
    map_stage1(page, output, elsewhere, offset);
  } else {
    page.input = (page.ipa & ~std::uint64_t{0xfff}) | offset;
  }
  world_.pages.push_back(page);
}

template <class Structure>
void Builder::store(std::uint64_t address, const Structure& structure) {
  for (std::size_t i = 0; i < structure.dw.size(); ++i) image_.words[address + 8 * i] = structure.dw[i];
}

void Builder::make_table() {
  const bool two_level = random_.percent(30);
  if (!two_level) {
    image_.strtab_base = physical_.allocate(14, oas);
    image_.strtab_base_cfg = 8;
    for (Stream& stream : world_.streams) stream.ste = image_.strtab_base + 64 * std::uint64_t{stream.device.sid};
    return;
  }
  image_.strtab_base = physical_.allocate(6, oas);
  image_.strtab_base_cfg = 1u << 16 | 6u << 6 | 8u;
  for (Stream& stream : world_.streams) {
    stream.l1std = image_.strtab_base + 8 * std::uint64_t{stream.device.sid >> 6};
    std::uint64_t& l1std = image_.words[stream.l1std];
    if (l1std == 0) l1std = physical_.allocate(12, oas) | 7;
    stream.ste = (l1std & ~low_mask(6)) + 64 * std::uint64_t{stream.device.sid & 63};
  }
}

void Builder::make_structures(Stream& stream) {
  Ste ste;
  ste.set<Ste::V>(true).set<Ste::Config>(static_cast<spec::SteConfig>(config_));
  ste.set<Ste::S2VMID>(stream.vmid).set<Ste::SHCFG>(1).set<Ste::S1CIR>(1).set<Ste::S1COR>(1);
  ste.set<Ste::S1CSH>(static_cast<spec::Shareability>(3)).set<Ste::MEV>(random_.percent(30));
  if (stream.stage2()) {
    ste.set<Ste::S2T0SZ>(64 - ipa_bits)
        .set<Ste::S2TG>(static_cast<spec::Tg0>(format2_.granule == 12   ? 0
                                               : format2_.granule == 16 ? 1
                                                                        : 2));
    ste.set<Ste::S2SL0>(static_cast<unsigned>((format2_.granule == 12 ? 2 : 3) - format2_.start_level));
    ste.set<Ste::S2PS>(4).set<Ste::S2AA64>(true).set<Ste::S2TTB>(tree2_->root()).set<Ste::S2R>(true);
  }
  if (stream.stage1()) {
    const Format& format = tree1_->format();
    Cd cd;
    cd.set<Cd::T0SZ>(64 - format.input_bits).set<Cd::TTB0>(tree1_->root()).set<Cd::EPD1>(true);
    cd.set<Cd::TG0>(static_cast<spec::Tg0>(format.granule == 12 ? 0 : format.granule == 16 ? 1 : 2));
    cd.set<Cd::V>(true).set<Cd::AA64>(true).set<Cd::A>(true).set<Cd::R>(true).set<Cd::IPS>(4).set<Cd::ASID>(
        stream.asid);
    cd.set<Cd::TBI0>(world_.tbi).set<Cd::TBI1>(world_.tbi).set<Cd::MAIR0>(0x00bb44ff).set<Cd::MAIR1>(0xff44bb00);
    const std::uint64_t at = space().allocate(6, guest_ ? ipa_bits : oas);
    stream.cd = space().physical(at);
    ste.set<Ste::S1ContextPtr>(at);
    store(stream.cd, cd);
  }
  store(stream.ste, ste);
}

void Builder::make_streams() {
  const auto first = static_cast<std::size_t>(random_.below(devices.size()));
  const unsigned count = random_.between(2, 3);
  const auto asid = static_cast<std::uint16_t>(random_.next()), vmid = static_cast<std::uint16_t>(random_.next());
  for (unsigned i = 0; i < count; ++i) {
    Stream stream;
    stream.device = devices[(first + 3 * i) % devices.size()];
    stream.config = config_;
    stream.asid = static_cast<std::uint16_t>(asid ^ (random_.percent(30) ? 1 : 0));
    stream.vmid = static_cast<std::uint16_t>(vmid ^ (random_.percent(30) ? 1 : 0));
    world_.streams.push_back(stream);
  }
  make_table();
  for (Stream& stream : world_.streams) make_structures(stream);
}

/// What the tables' makers leave to chance is made to permit every access.
void Builder::permit() {
  for (const Mark& mark : shop_.marks) {
    std::uint64_t& word = image_.words[mark.address];
    if (mark.kind == MarkKind::table && mark.stage == 1) word &= low_mask(59);
    if (mark.kind != MarkKind::leaf) continue;
    word = (word | one << 10) & ~(std::uint64_t{7} << 52);
    word = mark.stage == 1 ? ((word & ~(std::uint64_t{3} << 6 | one << 5)) | one << 6) : (word | 3 << 6 | 15 << 2);
  }
}

void Builder::read_leaves() {
  constexpr std::uint64_t address = low_mask(48) & ~low_mask(12);
  for (Page& page : world_.pages) {
    for (Leaf* leaf : {&page.s1, &page.s2}) {
      if (leaf->at == 0) continue;
      leaf->word = image_.word(leaf->at);
      // Pages only: the level of a block is known, that of a page by its second bit.
      if ((leaf->word & 3) != 3) leaf->elsewhere = 0;
      if (leaf == &page.s2 && (leaf->word & 3) != 3) leaf->level = 2;
      if (leaf->elsewhere != 0) leaf->elsewhere |= leaf->word & ~address;
    }
  }
}

World Builder::build() {
  choose_config();
  if ((config_ & 2) != 0) make_stage2();
  if ((config_ & 1) != 0) make_stage1();
  world_.tbi = (config_ & 1) != 0 && random_.percent(20);
  const unsigned count = random_.between(2, 3);
  for (unsigned i = 0; i < count; ++i) make_page();
  make_streams();
  permit();
  read_leaves();
  for (const std::uint64_t target : scenario_.targets) {
    for (const Page& page : world_.pages) {
      const std::uint64_t at = target + (page.input & 0xff8);
      image_.words[at] = Random(at).next() | 1;
    }
  }
  return world_;
}

}  // namespace

World make_world(Random& random, Scenario& scenario, Stages stages) {
  scenario.image.cr2 = 2;
  scenario.cmdq_log2 = random.between(1, 6);
  scenario.cmdq_index = static_cast<std::uint32_t>(random.next() & low_mask(scenario.cmdq_log2 + 1));
  scenario.eventq_log2 = random.between(4, 6);
  scenario.eventq_index = static_cast<std::uint32_t>(random.next() & low_mask(scenario.eventq_log2 + 1));
  return Builder(random, scenario, stages).build();
}

}  // namespace smmusim::peer

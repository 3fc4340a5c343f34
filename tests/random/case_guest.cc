// SPDX-License-Identifier: MIT
// Guest memory of the case generator: where CDs and stage-1 tables of nested streams lie (never at identity), and the
// stage-2 tables that map it, with faults of every kind (DDI 0487 D8.3, D8.4.4; IHI 0070 5.2).
#include <algorithm>
#include <stdexcept>

#include "tests/random/case_tables.h"

namespace refwalk {

namespace {

constexpr uint64_t kDbm = uint64_t{1} << 51, kS2AP1 = uint64_t{1} << 7, kAccessFlag = uint64_t{1} << 10;

// What hardware updates are for: AF=0, writable-clean, and now and then a page that stays read-only.
uint64_t with_updates(Rng& rng, uint64_t leaf, bool faulty, const UpdateStyle& style) {
  if (!style.advertised) return leaf;
  if (rng.percent(50)) leaf |= kDbm;
  if (style.access_flag && rng.percent(50)) leaf &= ~kAccessFlag;
  if (faulty) return leaf;
  if (style.dirty && rng.percent(40)) leaf = (leaf & ~kS2AP1) | kDbm;
  return rng.percent(5) ? leaf & ~(kS2AP1 | kDbm) : leaf;
}

// A stage-2 leaf without its address: MemAttr, S2AP, SH, AF, XN.
uint64_t stage2_leaf_bits(Rng& rng, int level, const TableFormat& format, bool faulty) {
  uint64_t leaf = level == 3 ? 3 : 1;
  leaf |= uint64_t{rng.percent(75) ? 0xFu : rng.between(0, 15)} << 2;
  leaf |= uint64_t{faulty ? rng.between(0, 3) : 3u} << 6;
  if (!format.ds) leaf |= uint64_t{rng.between(0, 3)} << 8;
  if (!faulty || rng.percent(70)) leaf |= uint64_t{1} << 10;
  if (faulty || rng.percent(10)) leaf |= uint64_t{rng.between(0, 3)} << 53;
  if (faulty && rng.percent(25)) leaf &= ~uint64_t{1};
  return leaf;
}

}  // namespace

GuestSpace::GuestSpace(PhysicalSpace& physical, Rng& rng, const TableFormat& stage2, bool aborts, unsigned faulty,
                       const UpdateStyle& updates)
    : physical_(physical), rng_(rng), tree_(physical, stage2), aborts_(aborts), faulty_(faulty), updates_(updates) {}

uint64_t GuestSpace::leaf_bits(int level, bool faulty) {
  return with_updates(rng_, stage2_leaf_bits(rng_, level, tree_.format(), faulty), faulty, updates_);
}

std::optional<uint64_t> GuestSpace::pick(unsigned size_log2, unsigned limit, unsigned tries) {
  const unsigned width = std::min(limit, tree_.format().input_size);
  if (rng_.percent(5)) {
    const uint64_t last = align_down(low_bits(~uint64_t{0}, width), size_log2);
    if (last != 0 && regions_.claim(last, size_log2)) return last;
  }
  for (; tries > 0; --tries) {
    const uint64_t ipa = align_down(low_bits(rng_.next(), width), size_log2);
    if (ipa != 0 && regions_.claim(ipa, size_log2)) return ipa;
  }
  return {};
}

// One granule. What is in the way stays, so the page may lie behind something faulty.
void GuestSpace::map_page(uint64_t ipa, uint64_t pa, bool faulty) {
  pages_[ipa] = pa;
  const TableFormat& format = tree_.format();
  if (faulty && aborts_ && format.start_level <= 2 && rng_.percent(20)) {
    if (tree_.put(ipa, 2, tree_.encode(physical_.aborting_block()) | 3, 0)) return;
  }
  const uint64_t oversize = faulty && rng_.percent(20) ? oversize_address(rng_, format) : 0;
  const uint64_t leaf = leaf_bits(3, faulty);
  tree_.put(ipa, 3, tree_.encode(oversize != 0 ? oversize : pa) | (oversize != 0 ? leaf | 1 : leaf), 0);
}

uint64_t GuestSpace::allocate(unsigned size_log2, unsigned limit) {
  const unsigned granule = tree_.format().granule;
  const unsigned size = std::max(size_log2, granule);
  const unsigned output = usable_output_bits(tree_.format());
  const std::optional<uint64_t> ipa = pick(size, limit, 10000);
  if (!ipa) throw std::runtime_error("the case generator found no free guest block; fewer streams would fit");
  // A table larger than a stage-2 page may be in pieces.
  const bool pieces = rng_.percent(60);
  const uint64_t whole = pieces ? 0 : physical_.allocate(size, output);
  for (uint64_t offset = 0; offset < (uint64_t{1} << size); offset += uint64_t{1} << granule) {
    const uint64_t pa = pieces ? physical_.allocate(granule, output) : whole + offset;
    map_page(*ipa + offset, pa, rng_.percent(faulty_));
  }
  return *ipa;
}

void GuestSpace::write(uint64_t address, uint64_t word) {
  const uint64_t page = align_down(address, tree_.format().granule);
  physical_.write(pages_.at(page) + (address - page), word);
}

uint64_t GuestSpace::aborting_block() {
  const uint64_t pa = physical_.aborting_block();
  const std::optional<uint64_t> ipa = pick(16, 32, 10000);
  if (!ipa) throw std::runtime_error("the case generator found no free guest block; fewer streams would fit");
  for (uint64_t offset = 0; offset < 0x10000; offset += uint64_t{1} << tree_.format().granule) {
    map_page(*ipa + offset, pa + offset, false);
  }
  return *ipa;
}

// A contiguous run of level-3 leaves.
std::optional<Target> GuestSpace::map_run(unsigned limit) {
  const TableFormat& format = tree_.format();
  const unsigned size = format.granule + run_log2(format, 3);
  const unsigned output = usable_output_bits(format);
  if (size + 4 > std::min(limit, format.input_size) || size + 2 > output) return {};
  const std::optional<uint64_t> ipa = pick(size, limit, 10);
  if (!ipa) return {};
  const uint64_t pa = align_down(low_bits(rng_.next(), output), size);
  const uint64_t leaf = leaf_bits(3, false) | uint64_t{1} << 52;
  for (uint64_t offset = 0; offset < (uint64_t{1} << size); offset += uint64_t{1} << format.granule) {
    if (!tree_.put(*ipa + offset, 3, tree_.encode(pa + offset) | leaf, 0)) {
      // Behind a table or block that stands for something faulty: nothing of the run was put.
      if (offset == 0) return Target{*ipa, size};
      throw std::logic_error("a contiguous run was not free; the generator must put it into an empty table");
    }
  }
  return Target{*ipa, size};
}

Target GuestSpace::map_client(unsigned limit, bool faulty) {
  if (!faulty && rng_.percent(6)) {
    const std::optional<Target> run = map_run(limit);
    if (run) return *run;
  }
  const TableFormat& format = tree_.format();
  int level = 3;
  if (rng_.percent(30)) level = static_cast<int>(rng_.between(0, 2));
  // Large blocks only where the guest's space is much larger still.
  const auto too_large = [&](int at) { return entry_size_log2(format, at) + 7 > std::min(limit, format.input_size); };
  if (level < format.start_level || !tree_.leaf_level(level) || too_large(level)) level = 3;
  const unsigned size_log2 = entry_size_log2(format, level);
  const std::optional<uint64_t> ipa = pick(size_log2, limit, 200);
  if (!ipa) return clients_.empty() ? Target{0, size_log2} : clients_[rng_.below(clients_.size())];
  const Target target{*ipa, size_log2};
  clients_.push_back(target);
  if (faulty && aborts_ && format.start_level <= 2 && rng_.percent(15)) {
    tree_.put(*ipa, 2, tree_.encode(physical_.aborting_block()) | 3, 0);
    return target;
  }
  uint64_t pa = align_down(low_bits(rng_.next(), usable_output_bits(format)), size_log2);
  if (faulty && rng_.percent(20)) pa = align_down(low_bits(rng_.next(), 52), size_log2);
  tree_.put(*ipa, level, tree_.encode(pa) | leaf_bits(level, faulty), 0);
  return target;
}

}  // namespace refwalk

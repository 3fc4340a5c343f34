// SPDX-License-Identifier: MIT
// Memory blocks and random translation tables for the case generator. Every tree is consistent: one descriptor per
// entry, Contiguous only on whole runs, so that a reader with caches must answer as one without.
#include "tests/random/case_tables.h"

#include <algorithm>
#include <stdexcept>

namespace refwalk {

bool SparseImage::read(uint64_t pa, void* data, size_t n) const {
  for (const auto& [base, bytes] : aborting) {
    if (pa < base + bytes && base < pa + n) return false;
  }
  auto* out = static_cast<unsigned char*>(data);
  for (size_t i = 0; i < n; ++i) {
    const auto word = words.find((pa + i) & ~uint64_t{7});
    const uint64_t value = word == words.end() ? 0 : word->second;
    out[i] = static_cast<unsigned char>((value >> (8 * ((pa + i) & 7))) & 0xFF);
  }
  return true;
}

uint64_t Rng::next() {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

bool Regions::claim(uint64_t base, unsigned size_log2) {
  const uint64_t end = base + (uint64_t{1} << size_log2);
  const auto after = ends_.lower_bound(base);
  if (after != ends_.end() && after->first < end) return false;
  if (after != ends_.begin() && std::prev(after)->second > base) return false;
  ends_[base] = end;
  return true;
}

uint64_t PhysicalSpace::allocate(unsigned size_log2, unsigned limit) {
  for (unsigned tries = 0; tries < 10000; ++tries) {
    const uint64_t base = align_down(low_bits(rng_.next(), std::min(limit, oas_)), size_log2);
    if (base != 0 && regions_.claim(base, size_log2)) return base;
  }
  throw std::runtime_error("the case generator found no free physical block; fewer streams would fit");
}

uint64_t PhysicalSpace::aborting_block() {
  if (!has_aborting_) {
    aborting_ = allocate(16, 32);
    image_.aborting[aborting_] = 0x10000;
    has_aborting_ = true;
  }
  return aborting_;
}

unsigned usable_output_bits(const TableFormat& format) {
  const bool wide = format.granule == 16 ? format.lpa : format.ds;
  return std::min(format.output_size, wide ? 52u : 48u);
}

Tree::Tree(Space& space, const TableFormat& format) : space_(space), format_(format) {
  unsigned size_log2 = start_index_bits(format_) + 3;
  if (size_log2 < 6) size_log2 = 6;
  base_ = space_.allocate(size_log2, usable_output_bits(format_));
}

void Tree::store(uint64_t address, uint64_t descriptor) {
  entries_[address] = descriptor;
  uint64_t word = descriptor;
  if (format_.big_endian) {
    word = 0;
    for (unsigned i = 0; i < 8; ++i) word |= low_bits(descriptor >> (8 * i), 8) << (8 * (7 - i));
  }
  space_.write(address, word);
}

uint64_t Tree::encode(uint64_t address) const {
  if (format_.granule == 16) return (low_bits(address, 48)) | (bits(address, 51, 48) << 12);
  if (format_.ds) return low_bits(address, 50) | (bits(address, 51, 50) << 8);
  return low_bits(address, 48);
}

bool Tree::put(uint64_t input, int level, uint64_t descriptor, uint64_t table_bits) {
  uint64_t table = base_;
  for (int at = format_.start_level; at < level; ++at) {
    const uint64_t address = descriptor_address(format_, table, at, input);
    const auto entry = entries_.find(address);
    if (entry == entries_.end()) {
      table = space_.allocate(format_.granule, usable_output_bits(format_));
      tables_.insert(table);
      store(address, encode(table) | table_bits | 3);
    } else {
      if (kind_of(format_, at, entry->second) != DescriptorKind::Table) return false;
      table = address_of(format_, entry->second, format_.granule);
      // A table descriptor that was made faulty leads nowhere.
      if (tables_.count(table) == 0) return false;
    }
  }
  const uint64_t address = descriptor_address(format_, table, level, input);
  if (entries_.count(address) != 0) return false;
  store(address, descriptor);
  return true;
}

namespace {

// A stage-2 leaf without its address: MemAttr, S2AP, SH, AF, XN.
uint64_t stage2_leaf_bits(Rng& rng, int level, bool faulty) {
  uint64_t leaf = level == 3 ? 3 : 1;
  leaf |= uint64_t{rng.percent(90) ? 0xFu : rng.between(0, 15)} << 2;
  leaf |= uint64_t{faulty ? rng.between(0, 3) : 3u} << 6;
  leaf |= uint64_t{rng.between(0, 3)} << 8;
  if (!faulty || rng.percent(70)) leaf |= uint64_t{1} << 10;
  if (faulty || rng.percent(10)) leaf |= uint64_t{rng.between(0, 3)} << 53;
  if (faulty && rng.percent(25)) leaf &= ~uint64_t{1};
  return leaf;
}

}  // namespace

GuestSpace::GuestSpace(PhysicalSpace& physical, Rng& rng, const TableFormat& stage2, bool aborts)
    : physical_(physical), rng_(rng), tree_(physical, stage2), aborts_(aborts) {}

uint64_t GuestSpace::pick(unsigned size_log2, unsigned limit) {
  const unsigned width = std::min(limit, tree_.format().input_size);
  for (unsigned tries = 0; tries < 10000; ++tries) {
    const uint64_t ipa = align_down(low_bits(rng_.next(), width), size_log2);
    if (ipa != 0 && regions_.claim(ipa, size_log2)) return ipa;
  }
  throw std::runtime_error("the case generator found no free guest block; fewer streams would fit");
}

void GuestSpace::map_block(uint64_t ipa, uint64_t pa, unsigned size_log2) {
  const unsigned granule = tree_.format().granule;
  const uint64_t bits_of_leaf = stage2_leaf_bits(rng_, 3, rng_.percent(2));
  for (uint64_t offset = 0; offset < (uint64_t{1} << size_log2); offset += uint64_t{1} << granule) {
    tree_.put(ipa + offset, 3, tree_.encode(pa + offset) | bits_of_leaf, 0);
  }
  blocks_[ipa] = {uint64_t{1} << size_log2, pa};
}

uint64_t GuestSpace::allocate(unsigned size_log2, unsigned limit) {
  const unsigned size = std::max(size_log2, tree_.format().granule);
  const uint64_t pa = physical_.allocate(size, usable_output_bits(tree_.format()));
  const uint64_t ipa = pick(size, limit);
  map_block(ipa, pa, size);
  return ipa;
}

void GuestSpace::write(uint64_t address, uint64_t word) {
  auto block = blocks_.upper_bound(address);
  --block;
  physical_.write(block->second.second + (address - block->first), word);
}

uint64_t GuestSpace::aborting_block() {
  const uint64_t pa = physical_.aborting_block();
  const uint64_t ipa = pick(16, 32);
  map_block(ipa, pa, 16);
  return ipa;
}

Target GuestSpace::map_client(unsigned limit, bool faulty) {
  const TableFormat& format = tree_.format();
  int level = 3;
  if (rng_.percent(25) && tree_.leaf_level(2) && format.start_level <= 2) level = 2;
  const unsigned size = entry_size_log2(format, level);
  // Large blocks only where the guest's space is much larger still.
  if (size + 7 > std::min(limit, format.input_size)) level = 3;
  const unsigned size_log2 = entry_size_log2(format, level);
  const uint64_t ipa = pick(size_log2, limit);
  if (faulty && aborts_ && format.start_level <= 2 && rng_.percent(15)) {
    tree_.put(ipa, 2, tree_.encode(physical_.aborting_block()) | 3, 0);
    return Target{ipa, size_log2};
  }
  uint64_t pa = align_down(low_bits(rng_.next(), usable_output_bits(format)), size_log2);
  if (faulty && rng_.percent(20)) pa = align_down(low_bits(rng_.next(), 52), size_log2);
  tree_.put(ipa, level, tree_.encode(pa) | stage2_leaf_bits(rng_, level, faulty), 0);
  return Target{ipa, size_log2};
}

namespace {

// A stage-1 leaf without its address.
uint64_t stage1_leaf_bits(Rng& rng, int level, const Stage1Style& style) {
  static constexpr unsigned access[8] = {1, 1, 1, 1, 0, 3, 3, 2};
  uint64_t leaf = level == 3 ? 3 : 1;
  leaf |= uint64_t{rng.between(0, 7)} << 2;
  leaf |= uint64_t{access[rng.below(8)]} << 6;
  leaf |= uint64_t{rng.between(0, 3)} << 8;
  if (rng.percent(92)) leaf |= uint64_t{1} << 10;
  if (!style.globals || rng.percent(70)) leaf |= uint64_t{1} << 11;
  if (rng.percent(30)) leaf |= uint64_t{rng.between(1, 3)} << 53;
  leaf |= uint64_t{rng.between(0, 15)} << 55;  // for software
  return leaf;
}

uint64_t table_attributes(Rng& rng) {
  return rng.percent(75) ? 0 : uint64_t{rng.between(1, 15)} << 59;
}

uint64_t random_output(Rng& rng, const Tree& tree, const Stage1Style& style, unsigned size_log2) {
  const unsigned width = usable_output_bits(tree.format());
  if (style.guest == nullptr || rng.percent(10)) return align_down(low_bits(rng.next(), width), size_log2);
  const Target client = style.guest->map_client(width, rng.percent(25));
  return align_down(client.input, size_log2);
}

// A descriptor that faults when it is reached, at any level.
uint64_t faulty_descriptor(Rng& rng, Space& space, const Tree& tree, const Stage1Style& style, int level) {
  const uint64_t junk = rng.next();
  const TableFormat& format = tree.format();
  switch (rng.below(4)) {
    case 0:
      return junk & ~uint64_t{1};
    case 1:
      if (style.aborts && level < 3) return tree.encode(space.aborting_block()) | 3;
      return junk & ~uint64_t{1};
    case 2:
      if (!tree.leaf_level(level)) return (junk & ~uint64_t{3}) | 1;
      if (level == 3) return (junk & ~uint64_t{3}) | 1;
      return junk & ~uint64_t{3};
    default: {
      // An output address above the output size, if descriptors of this format can name one.
      const unsigned top = format.granule == 16 ? (format.lpa ? 52 : 48) : (format.ds ? 52 : 48);
      if (format.output_size >= top) return 0;
      const uint64_t address = (uint64_t{1} << (top - 1)) | align_down(low_bits(junk, top), 36);
      const uint64_t attributes = tree.leaf_level(level) ? stage1_leaf_bits(rng, level, style) : 3;
      return tree.encode(address) | (attributes & ~uint64_t{0x300});
    }
  }
}

unsigned run_log2(const TableFormat& format, int level) {
  if (format.granule == 12) return 4;
  if (format.granule == 14) return level == 3 ? 7 : 5;
  return 5;
}

int pick_leaf_level(Rng& rng, const Tree& tree) {
  const int start = std::max(tree.format().start_level, 0);
  for (unsigned tries = 0; tries < 4; ++tries) {
    const int level = rng.percent(65) ? 3 : static_cast<int>(rng.between(static_cast<unsigned>(start), 3));
    if (tree.leaf_level(level)) return level;
  }
  return 3;
}

// Where the next leaf goes: an end of the range, near an earlier one, or anywhere.
uint64_t pick_input(Rng& rng, const TableFormat& format, const std::vector<Target>& targets, size_t first) {
  const uint64_t choice = rng.below(10);
  if (choice == 0) return 0;
  if (choice == 1) return low_bits(~uint64_t{0}, format.input_size);
  if (choice < 6 && targets.size() > first) {
    const Target& near = targets[first + rng.below(targets.size() - first)];
    return low_bits(near.input + (uint64_t{1} << near.size_log2) * rng.below(4), format.input_size);
  }
  return low_bits(rng.next(), format.input_size);
}

void put_run(Rng& rng, Tree& tree, const Stage1Style& style, uint64_t input, int level, std::vector<Target>& targets) {
  const TableFormat& format = tree.format();
  const unsigned leaf = entry_size_log2(format, level);
  const unsigned size = leaf + run_log2(format, level);
  if (size > format.input_size || size + 2 > usable_output_bits(format)) return;
  const uint64_t base = align_down(input, size);
  const uint64_t output = align_down(low_bits(rng.next(), usable_output_bits(format)), size);
  // The Contiguous bit is set only if all entries could be put.
  const uint64_t contiguous = uint64_t{1} << 52;
  const uint64_t attributes = stage1_leaf_bits(rng, level, style);
  const uint64_t entries = uint64_t{1} << run_log2(format, level);
  if (!tree.put(base, level, tree.encode(output) | attributes | contiguous, 0)) return;
  for (uint64_t i = 1; i < entries; ++i) {
    const uint64_t step = i << leaf;
    if (!tree.put(base + step, level, tree.encode(output + step) | attributes | contiguous, 0)) {
      throw std::logic_error("a contiguous run was not free; the generator must put it into an empty table");
    }
  }
  targets.push_back(Target{base, size});
}

}  // namespace

void fill_stage1(Rng& rng, Space& space, Tree& tree, const Stage1Style& style, std::vector<Target>& targets) {
  const TableFormat& format = tree.format();
  const uint64_t sign = style.upper ? ~low_bits(~uint64_t{0}, format.input_size) : 0;
  std::vector<Target> found;
  // Runs first: nothing else stands in their way then, except an earlier run, which has another size or is whole.
  if (rng.percent(50)) put_run(rng, tree, style, pick_input(rng, format, found, 0), 3, found);
  const unsigned groups = rng.between(4, 12);
  for (unsigned group = 0; group < groups; ++group) {
    const uint64_t input = pick_input(rng, format, found, 0);
    if (rng.percent(18)) {
      const int level = static_cast<int>(rng.between(0, 3));
      if (level < format.start_level) continue;
      const uint64_t entry = faulty_descriptor(rng, space, tree, style, level);
      if (tree.put(input, level, entry, table_attributes(rng))) found.push_back(Target{input, format.granule});
      continue;
    }
    const int level = pick_leaf_level(rng, tree);
    const unsigned size = entry_size_log2(format, level);
    const uint64_t leaf = tree.encode(random_output(rng, tree, style, size)) | stage1_leaf_bits(rng, level, style);
    if (tree.put(input, level, leaf, table_attributes(rng))) found.push_back(Target{align_down(input, size), size});
  }
  for (const Target& target : found) targets.push_back(Target{target.input | sign, target.size_log2});
}

}  // namespace refwalk

// SPDX-License-Identifier: MIT
// Memory blocks and random stage-1 tables for the case generator; case_guest.cc has those of stage 2. Every tree is
// consistent: one descriptor per entry, Contiguous only on whole runs, so that a reader with caches must answer as one
// without.
#include "tests/random/case_tables.h"

#include <algorithm>
#include <stdexcept>

namespace refwalk {

bool SparseImage::read(uint64_t pa, void* data, size_t n) const {
  for (const auto& [base, bytes] : aborting) {
    if (pa < base + bytes && base < pa + n) return false;
  }
  auto* out = static_cast<unsigned char*>(data);
  auto word = words.lower_bound(pa & ~uint64_t{7});
  for (size_t i = 0; i < n; ++i) {
    const uint64_t address = pa + i;
    while (word != words.end() && word->first + 7 < address) ++word;
    const bool present = word != words.end() && word->first <= address;
    out[i] = static_cast<unsigned char>(present ? (word->second >> (8 * (address & 7))) & 0xFF : 0);
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
  const unsigned width = std::min(limit, oas_);
  if (rng_.percent(6)) {
    // The last block that the limit allows, mostly the end of memory.
    const uint64_t last = align_down(low_bits(~uint64_t{0}, width), size_log2);
    if (last != 0 && regions_.claim(last, size_log2)) return last;
  }
  for (unsigned tries = 0; tries < 10000; ++tries) {
    const uint64_t base = align_down(low_bits(rng_.next(), width), size_log2);
    if (base != 0 && regions_.claim(base, size_log2)) return base;
  }
  throw std::runtime_error("the case generator found no free physical block; fewer streams would fit");
}

uint64_t PhysicalSpace::aborting_block() {
  if (!has_aborting_) {
    aborting_ = allocate(17, 32);
    image_.aborting[aborting_] = 0x20000;
    if (rng_.percent(50)) image_.frame = aborting_;
    has_aborting_ = true;
  }
  return aborting_;
}

unsigned usable_output_bits(const TableFormat& format) {
  const bool wide = format.granule == 16 ? format.lpa : format.ds;
  return std::min(format.output_size, wide ? 52u : 48u);
}

uint64_t oversize_address(Rng& rng, const TableFormat& format) {
  const bool wide = format.granule == 16 ? format.lpa : format.ds;
  const unsigned top = wide ? 52 : 48;
  if (format.output_size >= top) return 0;
  return (uint64_t{1} << (top - 1)) | align_down(low_bits(rng.next(), top), 36);
}

unsigned run_log2(const TableFormat& format, int level) {
  if (format.granule == 12) return 4;
  if (format.granule == 14) return level == 3 ? 7 : 5;
  return 5;
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

constexpr uint64_t kDbm = uint64_t{1} << 51, kAP2 = uint64_t{1} << 7, kAccessFlag = uint64_t{1} << 10;

// A stage-1 leaf without its address.
uint64_t stage1_leaf_bits(Rng& rng, int level, const TableFormat& format, const Stage1Style& style) {
  static constexpr unsigned access[8] = {1, 1, 1, 1, 0, 3, 3, 2};
  uint64_t leaf = level == 3 ? 3 : 1;
  leaf |= uint64_t{rng.between(0, 7)} << 2;
  leaf |= uint64_t{access[rng.below(8)]} << 6;
  if (!format.ds) leaf |= uint64_t{rng.between(0, 3)} << 8;
  if (rng.percent(92)) leaf |= uint64_t{1} << 10;
  if (!style.globals || rng.percent(70)) leaf |= uint64_t{1} << 11;
  if (rng.percent(30)) leaf |= uint64_t{rng.between(1, 3)} << 53;
  leaf |= uint64_t{rng.between(0, 15)} << 55;  // for software
  if (!style.updates.advertised) return leaf;
  if (rng.percent(50)) leaf |= kDbm;
  if (style.updates.access_flag && rng.percent(50)) leaf &= ~kAccessFlag;
  return style.updates.dirty && rng.percent(40) ? leaf | kDbm | kAP2 : leaf;
}

uint64_t table_attributes(Rng& rng, const Stage1Style& style) {
  const uint64_t attributes = rng.percent(75) ? 0 : uint64_t{rng.between(1, 15)} << 59;
  return style.updates.advertised && rng.percent(30) ? attributes | kAccessFlag : attributes;
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
      const uint64_t address = oversize_address(rng, format);
      if (address == 0) return 0;
      const uint64_t attributes = tree.leaf_level(level) ? stage1_leaf_bits(rng, level, format, style) : 3;
      return tree.encode(address) | (attributes & ~uint64_t{0x300});
    }
  }
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
  const uint64_t attributes = stage1_leaf_bits(rng, level, tree.format(), style);
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
      if (tree.put(input, level, entry, table_attributes(rng, style))) found.push_back(Target{input, format.granule});
      continue;
    }
    const int level = pick_leaf_level(rng, tree);
    const unsigned size = entry_size_log2(format, level);
    const uint64_t leaf =
        tree.encode(random_output(rng, tree, style, size)) | stage1_leaf_bits(rng, level, tree.format(), style);
    if (tree.put(input, level, leaf, table_attributes(rng, style)))
      found.push_back(Target{align_down(input, size), size});
  }
  for (const Target& target : found) targets.push_back(Target{target.input | sign, target.size_log2});
}

}  // namespace refwalk

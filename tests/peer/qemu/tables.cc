// SPDX-License-Identifier: MIT
// See tables.h. Descriptors are those of VMSAv8-64 with 48-bit addresses,
// little-endian: all that QEMU has.
#include "tests/peer/qemu/tables.h"

#include <algorithm>
#include <stdexcept>

#include "model/base/types.h"
#include "tests/peer/qemu/layout.h"

namespace smmusim::peer {
namespace {

constexpr std::uint64_t address_mask = low_mask(48) & ~low_mask(12);
constexpr unsigned tries_max = 2000;

}  // namespace

std::uint64_t Format::index(int level, std::uint64_t input) const {
  const unsigned bits = level == start_level ? input_bits - shift(level) : stride();
  return (input >> shift(level)) & low_mask(bits);
}

int stage1_start_level(unsigned granule, unsigned input_bits) {
  const unsigned stride = granule - 3;
  return 4 - static_cast<int>((input_bits - granule + stride - 1) / stride);
}

bool PhysicalSpace::claim(std::uint64_t base, std::uint64_t bytes) {
  const auto after = taken_.lower_bound(base);
  if (after != taken_.end() && after->first < base + bytes) return false;
  if (after != taken_.begin() && std::prev(after)->second > base) return false;
  taken_[base] = base + bytes;
  return true;
}

std::uint64_t PhysicalSpace::allocate(unsigned size_log2, unsigned limit) {
  const std::uint64_t bytes = std::uint64_t{1} << size_log2;
  for (unsigned i = 0; i < tries_max; ++i) {
    const Arena& arena = arenas[shop_.random.below(arenas.size())];
    if (((arena.base + arena.bytes - 1) >> limit) != 0) continue;
    const std::uint64_t base = arena.base + (shop_.random.below(arena.bytes) & ~(bytes - 1));
    if (claim(base, bytes)) return base;
  }
  throw std::runtime_error("the case generator found no free memory; larger arenas would have some");
}

Tree::Tree(Workshop& shop, Space& space, const Format& format) : shop_(shop), space_(space), format_(format) {
  const unsigned bits = format_.input_bits - format_.shift(format_.start_level) + 3;
  root_ = space_.allocate(std::max(bits, 6u), format_.output_limit);
}

std::uint64_t Tree::table_attributes() {
  std::uint64_t bits = 3;
  if (shop_.random.percent(15)) bits |= shop_.random.next() & (low_mask(8) << 51 | low_mask(10) << 2);
  if (format_.stage == 1 && shop_.random.percent(6)) bits |= shop_.random.next() & (low_mask(5) << 59);
  return bits;
}

bool Tree::put(std::uint64_t input, int level, std::uint64_t descriptor) {
  std::uint64_t table = root_;
  for (int at = format_.start_level; at < level; ++at) {
    const std::uint64_t entry = space_.physical(table + 8 * format_.index(at, input));
    std::uint64_t& word = shop_.one.words[entry];
    if (word == 0) {
      const std::uint64_t next = space_.allocate(format_.granule, format_.output_limit);
      // Making the table may have mapped it and thereby changed the image: find
      // the word again.
      shop_.one.words[entry] = next | table_attributes();
      shop_.marks.push_back({MarkKind::table, format_.stage, entry});
      table = next;
    } else {
      if ((word & 3) != 3) return false;
      table = word & address_mask & ~low_mask(format_.granule);
    }
  }
  const std::uint64_t entry = space_.physical(table + 8 * format_.index(level, input));
  if (shop_.one.word(entry) != 0) return false;
  shop_.one.words[entry] = descriptor;
  shop_.marks.push_back({MarkKind::leaf, format_.stage, entry});
  return true;
}

bool GuestSpace::map_pages(std::uint64_t ipa, unsigned size_log2) {
  const Format& format = tree_.format();
  const std::uint64_t page_bytes = std::uint64_t{1} << format.granule;
  const std::uint64_t bytes = std::max(std::uint64_t{1} << size_log2, page_bytes);
  const std::uint64_t first = ipa & ~(page_bytes - 1);
  for (std::uint64_t page = first; page < first + bytes; page += page_bytes) {
    if (pages_.count(page) != 0) return false;
  }
  const bool together = shop_.random.percent(75);
  std::uint64_t block = 0;
  for (std::uint64_t offset = 0; offset < bytes; offset += page_bytes) {
    const unsigned log2 = together ? std::max(size_log2, format.granule) : format.granule;
    if (!together || offset == 0) block = physical_.allocate(log2, format.output_limit);
    const std::uint64_t target = together ? block + offset : block;
    if (!tree_.put(first + offset, 3, target | leaf_bits(shop_.random, 2, 3))) return false;
    pages_[first + offset] = target;
  }
  return true;
}

std::uint64_t GuestSpace::allocate(unsigned size_log2, unsigned limit) {
  const std::uint64_t mask = low_mask(std::min(limit, tree_.format().input_bits)) & ~low_mask(size_log2);
  for (unsigned i = 0; i < tries_max; ++i) {
    const std::uint64_t ipa = shop_.random.next() & mask;
    if (map_pages(ipa, size_log2)) return ipa;
  }
  throw std::runtime_error(
      "the case generator found no free guest memory; a "
      "larger IPA space would have some");
}

std::uint64_t GuestSpace::physical(std::uint64_t address) const {
  const std::uint64_t offset = low_mask(tree_.format().granule);
  const auto page = pages_.find(address & ~offset);
  if (page == pages_.end()) throw std::runtime_error("the case generator lost a guest page; every page is mapped");
  return page->second | (address & offset);
}

std::uint64_t GuestSpace::map(std::uint64_t target, unsigned limit) {
  const Format& format = tree_.format();
  for (unsigned i = 0; i < tries_max; ++i) {
    const int level = leaf_level(shop_.random, format);
    const unsigned shift = format.shift(level);
    const std::uint64_t mask = low_mask(std::min(limit, format.input_bits));
    const std::uint64_t ipa = ((shop_.random.next() & ~low_mask(shift)) | (target & low_mask(shift))) & mask;
    if ((ipa & low_mask(shift)) != (target & low_mask(shift))) continue;
    if (tree_.put(ipa, level, (target & ~low_mask(shift)) | leaf_bits(shop_.random, 2, level))) return ipa;
  }
  throw std::runtime_error(
      "the case generator found no free guest address; a "
      "larger IPA space would have some");
}

std::uint64_t leaf_bits(Random& random, unsigned stage, int level) {
  std::uint64_t bits = level == 3 ? 3 : 1;
  bits |= random.below(4) << 8;                                         // SH
  if (!random.percent(2)) bits |= std::uint64_t{1} << 10;               // AF
  if (random.percent(10)) bits |= random.next() & (low_mask(8) << 55);  // software, PBHA, ignored
  if (random.percent(5)) bits |= std::uint64_t{1} << 52;                // Contiguous
  if (random.percent(20)) bits |= (random.next() & 3) << 53;            // XN
  if (stage == 1) {
    bits |= random.below(8) << 2;                                                                     // AttrIndx
    bits |= (random.percent(88) ? 1 + 2 * std::uint64_t{random.percent(15)} : random.below(4)) << 6;  // AP[2:1]
    bits |= random.below(2) << 11;                                                                    // nG
    return bits | (random.percent(10) ? std::uint64_t{1} << 5 : 0);                                   // NS
  }
  bits |= (random.percent(70) ? std::uint64_t{15} : random.below(16)) << 2;  // MemAttr
  return bits | (random.percent(93) ? std::uint64_t{3} : random.below(4)) << 6;
}

int leaf_level(Random& random, const Format& format) {
  if (random.percent(60)) return 3;
  const int level = static_cast<int>(random.between(1, 3));
  return level >= format.start_level && format.leaf_at(level) ? level : 3;
}

}  // namespace smmusim::peer
